"""The real operator: its webhooks judge the fleet's database objects, and it makes what our objects name."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from acceptance.harness import fleet
from acceptance.harness.certificates import Authority
from acceptance.harness.control_plane import ControlPlane, ControlPlanes, add_namespaces
from acceptance.harness.process import Processes, free_port, listens, wait_for
from acceptance.harness.programs import CLOUDNATIVE_PG
from acceptance.harness.tally import Tally

GROUP = "postgresql.cnpg.io"
CLUSTERS = ("euw1-a", "use1-globex")
"""Their objects live in one API server here; no namespace is in both."""
Change = Callable[[Any], object]


@pytest.fixture(scope="module")
def plane(control_planes: ControlPlanes, processes: Processes) -> Iterator[ControlPlane]:
    found = control_planes.start("operator", groups=[GROUP])
    add_namespaces(found)
    names = {item.name for cluster in fleet.clusters() for item in fleet.every("Namespace", cluster=cluster)}
    for name in names:
        assert found.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}).accepted
    for item in fleet.every("ClusterImageCatalog", cluster="euw1-a"):
        assert found.api.apply(item.manifest).accepted
    _start_operator(found, processes, control_planes)
    yield found


def _start_operator(plane: ControlPlane, processes: Processes, control_planes: ControlPlanes) -> None:
    port = free_port()
    pair = control_planes.authority.issue("webhooks", ("127.0.0.1",))
    certificates = plane.folder / "webhooks"
    certificates.mkdir()
    (certificates / "apiserver.crt").write_bytes(pair.certificate.read_bytes())
    (certificates / "apiserver.key").write_bytes(pair.key.read_bytes())
    (deployment,) = [
        document for document in yaml.safe_load_all(CLOUDNATIVE_PG.asset("config/manager/manager.yaml").read_text())
        if document["kind"] == "Deployment"
    ]  # fmt: skip
    assert deployment["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"] == "cloudnative-pg"
    # The operator's image carries a manager for each architecture; it asks for that of its instances.
    image = plane.folder / "image/operator"
    image.mkdir(parents=True)
    (image / "manager_amd64").symlink_to(CLOUDNATIVE_PG.binary())
    processes.start(
        "cloudnative-pg",
        [CLOUDNATIVE_PG.binary(), "controller", "--webhook-port", str(port), "--metrics-bind-address", "127.0.0.1:0"],
        environment={
            "KUBECONFIG": str(plane.kubeconfig), "OPERATOR_NAMESPACE": "cnpg-system", "OPERATOR_IMAGE_NAME": "operator.invalid/cnpg:1",
            "POD_NAME": "operator", "WEBHOOK_CERT_DIR": str(certificates),
        },
        ready=listens(port), folder=image.parent,
    )  # fmt: skip
    authority = base64.b64encode(control_planes.authority.certificate.read_bytes()).decode()
    for document in yaml.safe_load_all(CLOUDNATIVE_PG.asset("config/webhook/manifests.yaml").read_text()):
        for webhook in document["webhooks"]:
            path = webhook["clientConfig"].pop("service")["path"]
            webhook["clientConfig"] = {"url": f"https://127.0.0.1:{port}{path}", "caBundle": authority}
        answer = plane.api.create(document)
        assert answer.accepted, answer.message
    probe = fleet.every("Cluster", cluster="euw1-a")[0].manifest
    wrong = fleet.changed(probe, lambda one: one["spec"]["storage"].update(size="much"))
    wait_for("webhooks asked", lambda: "Size value" in plane.api.apply(wrong, dry_run=True).message)


def ours(cluster: str = "") -> list[fleet.Rendered]:
    names = (cluster,) if cluster else fleet.clusters()
    return [item for name in names for item in fleet.tree(name) if item.manifest["apiVersion"].startswith(GROUP)]


def test_webhooks_take_the_fleet(plane: ControlPlane, tally: Tally) -> None:
    for item in ours():
        answer = plane.api.apply(item.manifest, item.content, dry_run=True)
        tally.check(answer.accepted and not answer.warnings, f"{item}: {answer.message} {answer.warnings}")


def _spec(**changes: object) -> Change:
    return lambda one: one["spec"].update(changes)


def _parameter(name: str, value: str) -> Change:
    return lambda one: one["spec"]["postgresql"]["parameters"].update({name: value})


WRONG: tuple[tuple[str, str, Change, str], ...] = (
    ("Cluster", "a fixed parameter", _parameter("port", "5433"), "Can't set fixed configuration parameter"),
    ("Cluster", "TLS off", _parameter("ssl", "off"), "Can't set fixed configuration parameter"),
    ("Cluster", "hba in another file", _parameter("hba_file", "/tmp/x"), "Can't set fixed configuration parameter"),
    ("Cluster", "a library", _parameter("shared_preload_libraries", "x"), "Can't set fixed configuration parameter"),
    ("Cluster", "no size", lambda one: one["spec"]["storage"].update(size="much"), "Size value isn't valid"),
    ("Cluster", "no size of WAL", lambda one: one["spec"]["walStorage"].update(size="much"), "Size value isn't valid"),
    ("Cluster", "two images", _spec(imageName="ghcr.invalid/postgresql:17.1"), "image"),
    ("Cluster", "two ways to begin", lambda one: one["spec"]["bootstrap"].update(recovery={"source": "x"}), "Only one bootstrap method"),
    ("Cluster", "more synchronous standbys than instances", lambda one: one["spec"]["postgresql"]["synchronous"].update(number=9), "number"),
    ("Cluster", "WAL smaller than a segment", _parameter("max_wal_size", "1kB"), "max_wal_size"),
    ("Cluster", "requests over limits", lambda one: one["spec"]["resources"]["requests"].update(memory="900Gi"), "equest"),
    ("Cluster", "shared buffers over memory", _parameter("shared_buffers", "900GB"), "shared_buffers"),
    ("Cluster", "a reserved role", lambda one: one["spec"].setdefault("managed", {}).update(
        roles=[{"name": "streaming_replica", "ensure": "present"}]), "reserved"),
    ("Cluster", "a role twice", lambda one: one["spec"].setdefault("managed", {}).update(roles=[{"name": "a"}, {"name": "a"}]), "duplicate"),
    ("Cluster", "a reserved tablespace", _spec(tablespaces=[{"name": "pg_x", "storage": {"size": "1Gi"}}]), "reserved"),
    ("Cluster", "an unknown plugin archiver twice", lambda one: one["spec"].update(
        plugins=[*one["spec"]["plugins"], {"name": "other", "isWALArchiver": True}]), "plugin"),
    ("ScheduledBackup", "no schedule", _spec(schedule="daily"), "schedule"),
    ("Pooler", "a fixed parameter", lambda one: one["spec"]["pgbouncer"]["parameters"].update(listen_addr="0.0.0.0"), "parameter"),
    ("Pooler", "no cluster", lambda one: one["spec"]["cluster"].update(name=""), "cluster"),
    ("Database", "a reserved name", _spec(name="template1"), "reserved"),
)  # fmt: skip


def test_webhooks_refuse_wrong_ones(plane: ControlPlane, tally: Tally) -> None:
    for kind, what, change, told in WRONG:
        original = next(item for cluster in CLUSTERS for item in ours(cluster) if item.kind == kind)
        right = plane.api.apply(original.manifest, dry_run=True)
        tally.control(right.accepted, f"{kind} as rendered: {right.message}")
        answer = plane.api.apply(fleet.changed(original.manifest, change), dry_run=True)
        tally.attack(
            not answer.accepted and told in answer.message,
            f"{kind} with {what}: {answer.status} {answer.message[-300:]}",
        )


def test_without_webhooks_nobody_asks(plane: ControlPlane, tally: Tally) -> None:
    """Schemas alone take what the operator refuses: why `verify` holds its rules."""
    kinds = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
    version = "admissionregistration.k8s.io/v1"
    kept = [one for kind in kinds for one in plane.api.list(version, kind)]
    for one in kept:
        plane.api.delete(one)
    original = next(item for item in ours("euw1-a") if item.kind == "Cluster")
    wrong = fleet.changed(original.manifest, _parameter("ssl", "off"))
    taken = wait_for("nobody asked", lambda: plane.api.apply(wrong, dry_run=True).accepted, 15)
    tally.without_protection(taken, "TLS off")
    for one in kept:
        one["metadata"] = {"name": one["metadata"]["name"]}
        plane.api.create(one)
    wait_for("webhooks back", lambda: not plane.api.apply(wrong, dry_run=True).accepted)


def test_makes_what_we_name(plane: ControlPlane, control_planes: ControlPlanes, tally: Tally) -> None:
    """Services, Secrets, labels and budgets, from each Cluster; the archiving plugin, which is not here, left out."""
    api = plane.api
    wanted = [item for cluster in CLUSTERS for item in ours(cluster) if item.kind in ("Cluster", "Pooler")]
    _bring_certificates(plane, control_planes.authority)
    for item in wanted:
        manifest = fleet.changed(item.manifest, lambda one: one["spec"].pop("plugins", None))
        assert (answer := api.apply(manifest)).accepted, answer.message
    for item in (one for one in wanted if one.kind == "Cluster"):
        labels = item.manifest["spec"]["inheritedMetadata"]["labels"]
        for name in ("postgresql-rw", "postgresql-ro", "postgresql-r"):
            service = wait_for(
                f"{item.namespace}/{name}", lambda n=name, i=item: _get(plane, "v1", "Service", i.namespace, n), 60
            )
            tally.check(
                labels.items() <= service["metadata"]["labels"].items(), f"{item.namespace}/{name} lacks labels"
            )
            tally.check(
                service["spec"]["selector"]["cnpg.io/cluster"] == "postgresql",
                f"{item.namespace}/{name} selects others",
            )
            tally.check(
                [p["port"] for p in service["spec"]["ports"]] == [5432],
                f"{item.namespace}/{name}: {service['spec']['ports']}",
            )
        for name in ("postgresql-ca", "postgresql-replication"):
            made = wait_for(
                f"{item.namespace}/{name}", lambda n=name, i=item: _get(plane, "v1", "Secret", i.namespace, n), 60
            )
            tally.check(
                "tls.crt" in made["data"] or "ca.crt" in made["data"], f"{item.namespace}/{name}: {list(made['data'])}"
            )
        job = wait_for(f"{item.namespace}: initdb", lambda i=item: _first_job(plane, i.namespace), 60)
        pod = job["spec"]["template"]
        _check_selected(item.namespace, pod["metadata"]["labels"], tally)
        rendered = item.manifest["spec"]["affinity"]
        tally.check(
            rendered["nodeSelector"].items() <= pod["spec"]["nodeSelector"].items(),
            f"{item.namespace}: {pod['spec']['nodeSelector']}",
        )
        tolerations = [t["key"] for t in pod["spec"].get("tolerations", ())]
        tally.check(all(t["key"] in tolerations for t in rendered["tolerations"]), f"{item.namespace}: {tolerations}")
        tally.check(_quota_fits(item, pod["spec"]), f"{item.namespace}: the quota counts what the Pod asks for")


def _quota_fits(cluster: fleet.Rendered, pod: dict[str, Any]) -> bool:
    """A quota on limits.memory refuses Pods with a container that names none, unless the LimitRange fills it in."""
    containers = [*pod["containers"], *pod.get("initContainers", ())]
    ranged = any(item.name == "defaults" for item in fleet.every("LimitRange", namespace=cluster.namespace))
    return ranged or all("memory" in c.get("resources", {}).get("limits", {}) for c in containers)


def _check_selected(namespace: str, labels: dict[str, str], tally: Tally) -> None:
    """The NetworkPolicy that guards the database takes the operator's Pods."""
    policies = [item for item in fleet.every("NetworkPolicy", namespace=namespace) if item.name == "postgresql"]
    for policy in policies:
        selector = policy.manifest["spec"]["podSelector"]["matchLabels"]
        tally.check(selector.items() <= labels.items(), f"{policy}: {selector} does not take {labels}")


def _bring_certificates(plane: ControlPlane, authority: Authority) -> None:
    """What cert-manager would make of the rendered Certificates of servers."""
    for cluster in CLUSTERS:
        for item in fleet.every("Certificate", cluster=cluster):
            if item.name == "postgresql-server-tls":
                metadata = {"name": item.manifest["spec"]["secretName"], "namespace": item.namespace}
                pair = authority.issue(item.namespace, tuple(item.manifest["spec"]["dnsNames"]))
                files = {"tls.crt": pair.certificate, "tls.key": pair.key, "ca.crt": authority.certificate}
                data = {key: base64.b64encode(path.read_bytes()).decode() for key, path in files.items()}
                plane.api.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})


def _get(plane: ControlPlane, version: str, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
    answer = plane.api.get({"apiVersion": version, "kind": kind, "metadata": {"namespace": namespace, "name": name}})
    return answer.body if answer.accepted else None


def _first_job(plane: ControlPlane, namespace: str) -> dict[str, Any] | None:
    jobs = plane.api.list("batch/v1", "Job", namespace)
    return jobs[0] if jobs else None


def test_poolers_name_real_services(tally: Tally) -> None:
    """Each host in a rendered PgBouncer file is a Service that the operator makes for a Cluster of the fleet."""
    for cluster in fleet.clusters():
        made = {
            f"{c.name}-{suffix}.{c.namespace}.svc"
            for c in fleet.every("Cluster", cluster=cluster)
            for suffix in ("rw", "ro", "r")
        }
        for config in (item for item in fleet.every("ConfigMap", cluster=cluster) if item.name == "pgbouncer"):
            for host in re.findall(r"host=(\S+)", "".join(config.manifest["data"].values())):
                full = host if "." in host else f"{host}.{config.namespace}.svc"
                tally.check(full in made, f"{config}: {host}")


def test_pooler_pods_are_selected(plane: ControlPlane, tally: Tally) -> None:
    for item in (one for one in ours("use1-globex") if one.kind == "Pooler"):
        deployment = wait_for(f"{item}", lambda i=item: _get(plane, "apps/v1", "Deployment", i.namespace, i.name), 60)
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        for policy in fleet.every("NetworkPolicy", cluster="use1-globex", namespace=item.namespace):
            selector = policy.manifest["spec"]["podSelector"].get("matchLabels", {})
            if "cnpg.io/poolerName" in selector and selector["cnpg.io/poolerName"] == item.name:
                tally.check(selector.items() <= labels.items(), f"{policy}: {selector} does not take {labels}")
        tally.check(
            labels.get("cnpg.io/cluster") == "postgresql", f"{item}: the database's policy does not know {labels}"
        )
