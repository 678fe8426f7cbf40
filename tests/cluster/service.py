"""The service of one shared cell with two tenants: from an empty cluster to Odoo at the edge.

By the steps of docs/how-to/bootstrap-a-platform.md. Stood in for: the ACME server (its issuer is an authority's), public DNS, and
the components that nothing here needs (Velero, KEDA, the Prometheus operator: their objects are stored).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from acceptance.harness import fleet
from acceptance.harness.argo_cd import ArgoCd
from acceptance.harness.certificates import Authority
from acceptance.harness.control_plane import is_true
from acceptance.harness.git_server import Repository
from acceptance.harness.process import wait_for
from cluster import object_store, operators, secret_store
from cluster.base import Cluster, Manifest, NeverError
from cluster.laps import Laps
from cluster.network import GIT
from cluster.object_store import ObjectStore
from cluster.size import pod_of, smaller
from cluster.trees import CELL, CLUSTER, TENANTS, Trees, render, render_again
from images.builder import built

IMAGES = {
    "/odoo/odoo:": "odoo",
    "/pgbouncer:": "pgbouncer",
    "/valkey:": "valkey",
    "/pg-backup:": "backup",
    "/postgresql:": "postgresql",
}
"""Part of a rendered name -> the image of ours."""
TRUSTING = ("odoo", "backup")
"""Those that speak to the object store, whose certificate no public authority signed."""
POOLS = {
    "odoo": ("shared",),
    "backup": ("shared", "shared-db"),
    "pgbouncer": ("shared",),
    "valkey": ("shared-db",),
    "postgresql": ("shared-db",),
}
ROOT = f"{CLUSTER}-platform"
SETTINGS = f"rendered/{CLUSTER}/platform/argocd"
NAMESPACES = (CELL, *TENANTS)
EDGE_PORT = 8443


@dataclass
class Service:
    """What runs, and what the checks need to know of it."""

    cluster: Cluster
    trees: Trees
    folder: Path
    public: Authority
    store: ObjectStore
    argo_cd: ArgoCd
    laps: Laps
    _tags: dict[str, str] = field(default_factory=dict)
    _named: set[str] = field(default_factory=set)

    def host(self, tenant: str) -> str:
        """Its first name at the edge."""
        return str(self.trees.one("Certificate", tenant, "odoo-tls")["spec"]["dnsNames"][0])

    def edge(self) -> str:
        """Address of Traefik's Pod, which serves TLS at EDGE_PORT."""
        (pod,) = self.cluster.api.list("v1", "Pod", "traefik")
        return str(pod["status"]["podIP"])

    # Bringing it up

    def bring_images(self) -> None:
        """Put our images on the nodes of their pools, under every rendered name."""
        for name in IMAGES.values():
            image = built(name)
            self._tags[name] = image.tag
            self.cluster.load_archive(image.archive, pools=POOLS[name])
            if name in TRUSTING:
                self._tags[name] = f"tenantry.local/{name}:trusting"
                archive = operators.trusting(name, self._tags[name], self.public, self.folder)
                self.cluster.load_archive(archive, pools=POOLS[name])
        self._name_images()

    def _name_images(self) -> None:
        """Give them the names that are new in the trees."""
        for rendered in sorted(set(self._rendered_images()) - self._named):
            name = next(name for part, name in IMAGES.items() if part in rendered)
            self.cluster.load_archive(pools=POOLS[name], tag=(self._tags[name], _without_tag(rendered)))
            self._named.add(rendered)

    def _rendered_images(self) -> Iterator[str]:
        for item in self.trees.items:
            if item.namespace in NAMESPACES and (pod := pod_of(item.manifest)):
                for container in (*pod.get("initContainers", ()), *pod["containers"]):
                    yield container["image"]
        (catalog,) = self.trees.every("ClusterImageCatalog")
        major = self.trees.one("Cluster", CELL, "postgresql")["spec"]["imageCatalogRef"]["major"]
        yield next(image["image"] for image in catalog["spec"]["images"] if image["major"] == major)

    def deliver(self) -> None:
        """The root Application delivers platform and cell by itself; then each tenant by a person's sync, outside of windows."""
        for kind in ("AppProject", "Application"):
            self.cluster.apply([self.trees.one(kind, "argocd", ROOT)])
        self.wait_for_application(CELL, 900)
        self.laps.add("the cell is Synced and Healthy")
        self.cluster.wait_for_deployment("traefik", "traefik")
        for tenant in TENANTS:
            self.argo_cd.bring(f"{tenant}-infra", self.argo_cd.repository.head(), 300)
        self.laps.add("both tenants' infrastructure is Synced")

    def release(self, tenant: str) -> None:
        """Sync the tenant's application: backup, migration, then Pods."""
        self.argo_cd.bring(f"{tenant}-app", self.argo_cd.repository.head(), 1800)

    def merge(self, message: str) -> str:
        """Render the inputs as they are now, and push what came of it; the revision, at which Argo CD has looked."""
        self.trees = render_again(self.trees.folder)
        self._name_images()
        git = self.argo_cd.repository
        shutil.rmtree(git.work / "rendered")
        self.trees.write(git.work)
        head = git.commit(message)
        self.argo_cd.refresh()

        def looked() -> bool:
            found = self.argo_cd.applications().values()
            return all(one.get("status", {}).get("sync", {}).get("revision") == head for one in found)

        wait_for("Argo CD has looked at the commit", looked, 120, every=1)
        return head

    def roll_out(self, tenant: str, message: str, *, infra_seconds: float = 300) -> None:
        """Merge, and sync the cell and the tenant to it, as their own syncs do."""
        head = self.merge(message)
        self.argo_cd.bring(CELL, head, 600)
        for part, seconds in (("infra", infra_seconds), ("app", 900)):
            self.argo_cd.bring(f"{tenant}-{part}", head, seconds, prune=True)

    def wait_for_application(self, name: str, seconds: float) -> None:
        """Until it is Synced and Healthy. Raises AssertionError with the state of its objects."""

        def healthy() -> bool:
            one = self.argo_cd.applications().get(name, {})
            status = one.get("status", {})
            said = status.get("operationState", {}).get("message", "")
            waits = [
                f"{r['kind']}/{r['name']}: {r['health'].get('message', r['health']['status'])}"
                for r in status.get("resources", ()) if r.get("health", {}).get("status") not in (None, "Healthy")
            ]  # fmt: skip
            conditions = [c["message"] for c in status.get("conditions", ())]
            assert status.get("health", {}).get("status") == "Healthy", f"{said} {conditions} {waits[:4]}"
            return bool(status["sync"]["status"] == "Synced" and "operation" not in one)

        namespace = self.trees.one("Application", "argocd", name)["spec"]["destination"]["namespace"]
        self.cluster.wait_in(namespace, f"{name} Synced and Healthy", healthy, seconds)

    def run_hook(self, namespace: str, name: str, seconds: float = 1500, **environment: str) -> None:
        """Run a Job to its end; `environment` is changed for this run. Raises AssertionError when it fails."""
        job = self.start_hook(namespace, name, **environment)
        self.cluster.wait_in(namespace, f"{name} complete", lambda: self.job_is(job, "Complete"), seconds)

    def start_hook(self, namespace: str, name: str, **environment: str) -> Manifest:
        """Start a Job again, as Argo CD does."""
        job = smaller(self.trees.one("Job", namespace, name))
        for container in job["spec"]["template"]["spec"]["containers"]:
            for variable in container["env"]:
                variable.update({"value": environment[variable["name"]]} if variable["name"] in environment else {})
        self.cluster.kubectl("-n", namespace, "delete", "job", name, "--ignore-not-found", "--wait=true")
        self.cluster.apply([job])
        return job

    def job_is(self, job: Manifest, condition: str) -> bool:
        """Raises NeverError when it ended otherwise."""
        found = self.cluster.api.get(job).body
        other = {"Complete": "Failed", "Failed": "Complete"}[condition]
        if is_true(found, other):
            raise NeverError(f"{job['metadata']['name']} is {other}: {found['status'].get('conditions')}")
        return is_true(found, condition)


def _without_tag(image: str) -> str:
    """How containerd looks a name up that has a tag and a digest."""
    return re.sub(r":[^/@]+@", "@", image)


def start(cluster: Cluster, folder: Path, say: Callable[[str], None] = lambda _: None) -> Service:
    """Operators, object store, platform, cell; both tenants up to their database."""
    trees = render(folder / "fleet")
    trees.write(folder / "small")
    public, internal = Authority(folder / "public", "public"), Authority(folder / "internal", "internal")
    values = secret_store.values(trees, (*NAMESPACES, "argocd"))
    store = object_store.start(
        cluster.processes, folder, fleet.cluster_input(CLUSTER)["spec"]["objectStorage"], cluster.addresses.objects, public,
        secret_store.storage_keys(trees, values),
    )  # fmt: skip
    url = trees.one("Application", "argocd", ROOT)["spec"]["source"]["repoURL"]
    git = Repository(folder / "git", url, rendered=folder / "small/rendered", address=GIT)
    git.__enter__()  # it ends with the cluster
    service = Service(cluster, trees, folder, public, store, ArgoCd(cluster.api, git), Laps(say))
    _install_operators(service)
    cluster.apply(secret_store.objects(trees, values))
    operators.install_argo_cd(cluster, git, folder)
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(git.work / SETTINGS))
    cluster.kubectl("-n", "argocd", "rollout", "restart", "deployment,statefulset")
    service.laps.add("Argo CD")
    service.bring_images()
    service.laps.add("images")
    operators.add_authorities(cluster, {"internal-ca": internal, "public-acme": public})
    cluster.kubectl("-n", "argocd", "wait", "externalsecret", "--all", "--for=condition=Ready", "--timeout=280s")
    service.deliver()
    return service


def _install_operators(service: Service) -> None:
    """All that the trees' objects are read by, before the first of them."""
    cluster = service.cluster
    operators.add_namespaces(cluster)
    operators.install_definitions(cluster)
    operators.install_cert_manager(cluster)
    operators.install_external_secrets(cluster)
    operators.install_cloudnative_pg(cluster)
    operators.install_barman_cloud(cluster, service.public, service.folder)
    operators.install_kyverno(cluster, service.trees.one("Application", "argocd", "kyverno-chart"))
    operators.install_metrics_server(cluster)
    operators.install_traefik(cluster)
    service.laps.add("operators")
