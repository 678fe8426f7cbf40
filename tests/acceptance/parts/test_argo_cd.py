"""The real Argo CD on the fleet's repository: from a commit to Synced, in order, and no further than projects allow."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from acceptance.harness import fleet
from acceptance.harness.cluster import workloads
from acceptance.harness.control_plane import ControlPlane, ControlPlanes, add_namespaces, add_nodes, nodes_of
from acceptance.harness.git_server import Repository
from acceptance.harness.operators import Operators
from acceptance.harness.packages import REDIS, libraries
from acceptance.harness.process import Processes, free_port, listens, wait_for
from acceptance.harness.programs import ARGO_CD
from acceptance.harness.tally import Tally

CLUSTER = "euc1-a"
VERSION = "argoproj.io/v1alpha1"
Applications = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class World:
    """A cluster that Argo CD fills from a repository."""

    plane: ControlPlane
    repository: Repository

    def applications(self) -> Applications:
        return {one["metadata"]["name"]: one for one in self.plane.api.list(VERSION, "Application")}

    def sync(self, name: str) -> None:
        """What a person's click does, also outside of maintenance windows."""
        application = self.applications()[name]
        options = application["spec"]["syncPolicy"]["syncOptions"]
        operation = {"initiatedBy": {"username": "acceptance"}, "sync": {"prune": False, "syncOptions": options}}
        assert self.plane.api.merge(application, {"operation": operation}).accepted

    def refresh(self, *names: str) -> None:
        """What the repository's webhook does."""
        for application in self.applications().values():
            if not names or application["metadata"]["name"] in names:
                self.plane.api.merge(
                    application, {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}}
                )

    def synced(self, revision: str, *names: str) -> bool:
        """Are these (or all) applications synced to that commit? Raises AssertionError with the one that is not."""
        for name, one in self.applications().items():
            if names and name not in names:
                continue
            sync = one.get("status", {}).get("sync", {})
            told = one.get("status", {}).get("operationState", {}).get("message", "")
            conditions = [c["message"] for c in one.get("status", {}).get("conditions", ())]
            assert sync.get("status") == "Synced", f"{name}: {sync.get('status')} {told} {conditions} {unsynced(one)}"
            assert sync.get("revision") == revision, f"{name}: at another commit"
            assert "operation" not in one, f"{name}: an operation waits"
            assert one["status"].get("operationState", {}).get("phase") == "Succeeded", f"{name}: {told}"
        return True


def unsynced(application: dict[str, Any]) -> list[str]:
    resources = application.get("status", {}).get("resources", ())
    return [f"{r['kind']}/{r['name']}" for r in resources if r.get("status") not in ("Synced", None)][:5]


@pytest.fixture(scope="module")
def world(control_planes: ControlPlanes, processes: Processes) -> Iterator[World]:
    plane = control_planes.start(CLUSTER, groups=["argoproj.io"])
    control_planes.add_controllers(plane)
    control_planes.add_scheduler(plane)
    control_planes.add_kubelets(plane)
    add_namespaces(plane)
    add_nodes(plane, nodes_of(fleet.cluster_input(CLUSTER)))
    folder = control_planes.folder / "argo-cd"
    folder.mkdir()
    (item,) = [i for i in fleet.every("Application", cluster=CLUSTER) if i.name == f"{CLUSTER}-platform"]
    with Repository(folder, item.manifest["spec"]["source"]["repoURL"]) as repository, Operators(plane.api):
        _configure(plane, repository)
        _start(plane, processes, folder)
        yield World(plane, repository)


def _configure(plane: ControlPlane, repository: Repository) -> None:
    """What the installation of Argo CD brings, and the cluster's registration by name."""
    part = {"app.kubernetes.io/part-of": "argocd"}
    certificate = {"git.provider.example": repository.authority.certificate.read_text()}
    settings = {
        "argocd-cm": {"timeout.reconciliation": "600s"}, "argocd-rbac-cm": {}, "argocd-cmd-params-cm": {},
        "argocd-ssh-known-hosts-cm": {}, "argocd-gpg-keys-cm": {}, "argocd-tls-certs-cm": certificate,
    }  # fmt: skip
    for name, data in settings.items():
        _make(plane, "ConfigMap", name, part, {"data": data})
    _make(plane, "Secret", "argocd-secret", part, {"data": {"server.secretkey": _encoded("acceptance")}})
    config = {"bearerToken": plane.api.token, "tlsClientConfig": {"caData": _encoded(plane.api.authority.read_text())}}
    data = {"name": CLUSTER, "server": plane.api.server, "config": json.dumps(config)}
    labels = {"argocd.argoproj.io/secret-type": "cluster"}
    _make(
        plane, "Secret", f"cluster-{CLUSTER}", labels, {"data": {key: _encoded(value) for key, value in data.items()}}
    )


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _make(plane: ControlPlane, kind: str, name: str, labels: dict[str, str], rest: dict[str, Any]) -> None:
    metadata = {"name": name, "namespace": "argocd", "labels": labels}
    answer = plane.api.create({"apiVersion": "v1", "kind": kind, "metadata": metadata, **rest})
    assert answer.accepted, answer.message


def _start(plane: ControlPlane, processes: Processes, folder: Path) -> None:
    scripts = folder / "bin"
    scripts.mkdir()
    for name in ("git-verify-wrapper.sh", "gpg-wrapper.sh"):
        shutil.copy(ARGO_CD.asset(f"hack/{name}"), scripts / name)
        (scripts / name).chmod(0o755)
    redis, repo, metrics = free_port(), free_port(), free_port()
    processes.start("argo-cd-redis", [REDIS.path(), "--port", str(redis), "--save", ""], ready=listens(redis), environment=libraries(),
                    folder=folder)  # fmt: skip
    for name in ("tls", "plugin", "gpg", "ssh"):
        (folder / f"app-{name}").mkdir()
    (folder / "app-tls/git.provider.example").write_bytes((folder / "tls/ca.crt").read_bytes())
    common = {
        "PATH": f"{scripts}:/usr/local/bin:/usr/bin:/bin", "ARGOCD_TLS_DATA_PATH": str(folder / "app-tls"),
        "ARGOCD_SSH_DATA_PATH": str(folder / "app-ssh"), "ARGOCD_GNUPGHOME": str(folder / "app-gpg"), "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_PLUGINSOCKFILEPATH": str(folder / "app-plugin"), "KUBECONFIG": str(plane.kubeconfig),
    }  # fmt: skip
    binary = ARGO_CD.binary()
    kubernetes = ["--kubeconfig", str(plane.kubeconfig), "--namespace", "argocd"]
    processes.start(
        "argo-cd-repo-server",
        [binary, "--address", "127.0.0.1", "--port", str(repo), "--metrics-address", "127.0.0.1", "--metrics-port", str(free_port()),
         "--disable-tls", "--client-ca-path", "", "--redis", f"127.0.0.1:{redis}"],
        environment={**common, "ARGOCD_BINARY_NAME": "argocd-repo-server"}, ready=listens(repo),
    )  # fmt: skip
    processes.start(
        "argo-cd-controller",
        [binary, *kubernetes, "--repo-server", f"127.0.0.1:{repo}", "--repo-server-plaintext", "--redis", f"127.0.0.1:{redis}",
         "--metrics-port", str(metrics), "--app-resync", "600"],
        environment={**common, "ARGOCD_BINARY_NAME": "argocd-application-controller"}, ready=listens(metrics),
    )  # fmt: skip


@pytest.fixture(scope="module")
def revision(world: World) -> str:
    """The fleet's first commit, brought in by the platform's own Application and nothing else by hand."""
    head = world.repository.head()
    for kind in ("AppProject", "Application"):
        (item,) = [i for i in fleet.every(kind, cluster=CLUSTER) if i.name == f"{CLUSTER}-platform"]
        assert (answer := world.plane.api.apply(item.manifest)).accepted, answer.message
    wanted = {item.name for item in fleet.every("Application", cluster=CLUSTER)}
    wait_for("Applications made", lambda: wanted <= world.applications().keys(), 120, every=1)
    for name in sorted(wanted - {f"{CLUSTER}-platform"}, key=lambda name: (name.endswith("-app"), name)):
        _bring(world, name, head)
    return head


def _bring(world: World, name: str, head: str) -> None:
    """Until synced; where a maintenance window is closed, by a person's click."""

    def question() -> bool:
        application = world.applications()[name]
        state = application.get("status", {}).get("operationState", {})
        waits = not application.get("operation") and state.get("phase") != "Running"
        # Just after a sync the comparison may still be the old one; a second click would run the hooks again.
        done = state.get("phase") == "Succeeded" and state.get("syncResult", {}).get("revision") == head
        if waits and not done and application.get("status", {}).get("sync", {}).get("status") == "OutOfSync":
            world.sync(name)
        return world.synced(head, name)

    wait_for(f"{name} synced", question, 150, every=1)


CELL = {"metadata": {"name": "cell", "namespace": "argocd"}, "spec": {"destination": {"namespace": "cell"}}}
READY = {"health": {"status": "Healthy"}, "sync": {"status": "Synced"}}
HEALTHS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("Progressing", "argoproj.io/v1alpha1 Application", CELL),
    ("Healthy", "argoproj.io/v1alpha1 Application", {**CELL, "status": READY}),
    ("Progressing", "argoproj.io/v1alpha1 Application", {**CELL, "status": {**READY, "operationState": {"phase": "Running"}}}),
    ("Degraded", "argoproj.io/v1alpha1 Application", {**CELL, "status": {**READY, "operationState": {"phase": "Failed"}}}),
    ("Progressing", "postgresql.cnpg.io/v1 Database", {"metadata": {"name": "a", "generation": 1}}),
    ("Progressing", "postgresql.cnpg.io/v1 Database",
     {"metadata": {"name": "a", "generation": 2}, "status": {"applied": True, "observedGeneration": 1}}),
    ("Healthy", "postgresql.cnpg.io/v1 DatabaseRole",
     {"metadata": {"name": "a", "generation": 2}, "status": {"applied": True, "observedGeneration": 2}}),
)  # fmt: skip
"""(what Argo CD says, what it is, its content)."""


def test_what_later_waves_wait_for_is_not_healthy_too_early(tmp_path: Path, tally: Tally) -> None:
    (item,) = [i for i in fleet.every("ConfigMap", cluster=CLUSTER) if i.name == "argocd-cm"]
    settings, one = tmp_path / "argocd-cm.yaml", tmp_path / "object.yaml"
    settings.write_text(yaml.safe_dump(item.manifest))
    command = [ARGO_CD.binary(), "admin", "settings", "resource-overrides", "health", str(one)]
    for status, what, content in HEALTHS:
        version, kind = what.split()
        one.write_text(yaml.safe_dump({"apiVersion": version, "kind": kind, **content}))
        environment = {**os.environ, "ARGOCD_BINARY_NAME": "argocd"}
        done = subprocess.run(
            [*command, "--argocd-cm-path", str(settings)], env=environment, capture_output=True, text=True, check=False
        )
        tally.check(f"STATUS: {status}" in done.stdout, f"{what} {content}: {done.stdout}{done.stderr}")


def test_everything_is_synced(world: World, revision: str, tally: Tally) -> None:
    for name, application in world.applications().items():
        status = application["status"]
        tally.check(
            status["sync"]["status"] == "Synced" and status["sync"]["revision"] == revision,
            f"{name}: {unsynced(application)}",
        )
        phase = status["operationState"]["phase"]
        tally.check(phase == "Succeeded", f"{name}: {phase} {status['operationState'].get('message')}")
    for item in fleet.tree(CLUSTER):
        if not item.is_hook:
            tally.check(world.plane.api.get(item.manifest).accepted, f"{item} is not in the cluster")


def test_stays_in_sync(world: World, revision: str, tally: Tally) -> None:
    """Defaults and the autoscaler's replicas are no difference: refreshed hard, all stay Synced."""
    for deployment in workloads(world.plane.api, "Deployment"):
        if deployment["metadata"]["name"] == "odoo-web":  # the autoscaler's; the others' replicas are ours
            world.plane.api.merge(deployment, {"spec": {"replicas": deployment["spec"]["replicas"] + 1}}, "scale")
    for application in world.applications().values():
        world.plane.api.merge(application, {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}})

    def refreshed() -> bool:
        return all(
            "argocd.argoproj.io/refresh" not in one["metadata"].get("annotations", {})
            for one in world.applications().values()
        )

    wait_for("refreshed", refreshed, 120, every=1)
    for name, application in world.applications().items():
        tally.check(application["status"]["sync"]["status"] == "Synced", f"{name}: {unsynced(application)}")


def test_migration_before_deployment(world: World, revision: str, tally: Tally) -> None:
    """PreSync hooks in their order, and only then the new Pods."""
    for name, application in world.applications().items():
        if not name.endswith("-app"):
            continue
        result = application["status"]["operationState"]["syncResult"]
        hooks = [r for r in result["resources"] if r.get("hookType") == "PreSync" and r["kind"] == "Job"]
        names = [r["name"] for r in hooks]
        tally.check(names == ["odoo-backup", "odoo-migration"], f"{name}: hooks {names}")
        tally.check(
            all(r["hookPhase"] == "Succeeded" for r in hooks), f"{name}: {[(r['name'], r['hookPhase']) for r in hooks]}"
        )
        namespace = application["spec"]["destination"]["namespace"]
        jobs = {job["metadata"]["name"]: job for job in world.plane.api.list("batch/v1", "Job", namespace)}
        done = jobs["odoo-migration"]["status"]["completionTime"]
        for deployment in workloads(world.plane.api, "Deployment"):
            if deployment["metadata"]["namespace"] == namespace:
                made = deployment["metadata"]["creationTimestamp"]
                tally.check(
                    made >= done, f"{name}: {deployment['metadata']['name']} made {made}, migration done {done}"
                )


def test_a_promotion_moves_only_apps(world: World, revision: str, tally: Tally) -> None:
    """Another image digest, as a release promotion renders it: infra, cells and platform have nothing to do."""
    digests = set()
    for path in (world.repository.work / "rendered" / CLUSTER).rglob("app/*.yaml"):
        text = path.read_text()
        digests |= set(re.findall(r"odoo/odoo:\S+@sha256:[0-9a-f]{64}", text))
        path.write_text(re.sub(r"(odoo/odoo:\S+@sha256:)[0-9a-f]{64}", r"\g<1>" + "a" * 64, text))
    assert digests
    head = world.repository.commit("promote a release")
    started = {name: one["status"]["operationState"]["startedAt"] for name, one in world.applications().items()}
    world.refresh()
    apps = [name for name in world.applications() if name.endswith("-app")]
    others = [name for name in world.applications() if name not in apps]
    wait_for("others look at the commit", lambda: world.synced(head, *others), 120, every=1)
    for name in apps:
        _bring(world, name, head)
    for name, one in world.applications().items():
        state = one["status"]["operationState"]
        moved = state["startedAt"] != started[name] and not _healed(state, apps)
        tally.check(moved == (name in apps), f"{name}: {_last_sync(state) if moved else 'did not move'}")


def _healed(state: dict[str, Any], apps: list[str]) -> bool:
    """Did an Application's last sync only apply the same Applications again, by itself?

    The operation of a person's click stands in the Application that it syncs; the Application that holds this one may
    look just then, take it for a difference, and apply what is there already.
    """
    resources = state["operation"]["sync"].get("resources", ())
    return bool(resources) and all(one["kind"] == "Application" and one["name"] in apps for one in resources)


def _last_sync(state: dict[str, Any]) -> str:
    """Who began an Application's last sync, and of which resources (none: of all)."""
    operation = state["operation"]
    resources = [f"{one['kind']}/{one['name']}" for one in operation["sync"].get("resources", ())]
    return f"moved by {operation['initiatedBy']}, to {operation['sync'].get('revision')}, {resources}"


def test_projects_keep_applications_in(world: World, revision: str, tally: Tally) -> None:
    """An Application that points out of its project is refused; with the project opened it is not."""
    api = world.plane.api
    (victim, *_) = sorted(name for name in world.applications() if name.endswith("-app"))
    original = next(i.manifest for i in fleet.every("Application", cluster=CLUSTER) if i.name == victim)
    other = next(name for name in fleet.instances(CLUSTER) if name != original["spec"]["destination"]["namespace"])
    manual = fleet.changed(original, lambda one: one["spec"].update(syncPolicy={}))

    def fate(name: str, change: Any) -> str:
        rogue = fleet.changed(manual, change)
        rogue["metadata"] = {"name": name, "namespace": "argocd"}
        assert (answer := api.apply(rogue)).accepted, answer.message
        return wait_for(f"a word about {name}", lambda: _judged(api.get(rogue).body), 60, every=0.5)

    ways = {
        "another-namespace": (
            lambda one: one["spec"]["destination"].update(namespace=other),
            "do not match any of the allowed destinations",
        ),
        "another-cluster": (lambda one: one["spec"]["destination"].update(name="in-cluster"), "destination"),
        "another-repository": (
            lambda one: one["spec"]["source"].update(repoURL="https://evil.example/x.git"),
            "not permitted in project",
        ),
    }
    tally.control(fate("rogue-control", lambda _: None) == "fine", "the same Application as rendered")
    for name, (change, told) in ways.items():
        answer = fate(f"rogue-{name}", change)
        tally.attack(told in answer, f"{name}: {answer}")
    answer = _kinds(world, original, other)
    tally.attack("not permitted in project" in answer, f"a Role and another tenant's objects in the folder: {answer}")
    project = next(i.manifest for i in fleet.every("AppProject", cluster=CLUSTER) if i.name == victim)
    opened = fleet.changed(
        project, lambda one: one["spec"]["destinations"].append({"name": CLUSTER, "namespace": other})
    )
    assert api.apply(opened).accepted
    api.delete(
        {
            "apiVersion": VERSION,
            "kind": "Application",
            "metadata": {"name": "rogue-another-namespace", "namespace": "argocd"},
        }
    )
    free = fate("rogue-opened", ways["another-namespace"][0])
    tally.without_protection(free == "fine", f"with its project opened: {free}")
    assert api.apply(project).accepted
    for one in api.list(VERSION, "Application"):
        if one["metadata"]["name"].startswith("rogue-"):
            api.delete(one)


def _judged(application: dict[str, Any]) -> str:
    status = application.get("status", {})
    errors = [c["message"] for c in status.get("conditions", ()) if c["type"].endswith("Error")]
    if errors:
        return " ".join(errors)
    return "fine" if status.get("sync", {}).get("status") in ("Synced", "OutOfSync") else ""


def _kinds(world: World, original: dict[str, Any], other: str) -> str:
    """Sync a folder that holds what the project does not list: a Role, and a ConfigMap for a neighbour."""
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "sneaked"}, "rules": []}
    crossing = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "sneaked", "namespace": other}}
    folder = world.repository.work / original["spec"]["source"]["path"]
    (folder / "sneaked.yaml").write_text(yaml.safe_dump_all([role, crossing]))
    name = original["metadata"]["name"]
    world.repository.commit("sneak a Role in")
    world.refresh(name)

    def noticed() -> bool:
        return any("sneaked" in one for one in unsynced_names(world.applications()[name])) or bool(_errors(world, name))

    wait_for("the commit noticed", noticed, 60, every=0.5)
    if not _errors(world, name):
        world.sync(name)
    told = wait_for("a word about the Role", lambda: _errors(world, name) or _message(world, name), 90, every=0.5)
    (folder / "sneaked.yaml").unlink()
    head = world.repository.commit("take it out")
    world.refresh(name)
    present = world.plane.api.get({**crossing}).accepted
    wait_for("clean again", lambda: world.applications()[name]["status"]["sync"].get("revision") == head, 60, every=0.5)
    return "a neighbour's object was made" if present else told


def unsynced_names(application: dict[str, Any]) -> list[str]:
    return [r["name"] for r in application.get("status", {}).get("resources", ())]


def _errors(world: World, name: str) -> str:
    return " ".join(
        c["message"] for c in world.applications()[name]["status"].get("conditions", ()) if c["type"].endswith("Error")
    )


def _message(world: World, name: str) -> str:
    state = world.applications()[name]["status"].get("operationState", {})
    results = state.get("syncResult", {}).get("resources", ())
    told = " ".join(r.get("message", "") for r in results if r.get("status") == "SyncFailed")
    return told if state.get("phase") in ("Failed", "Error") else ""


def test_a_lost_file_loses_no_data(world: World, revision: str, tally: Tally) -> None:
    """Somebody removes an instance's folder from rendered/: its namespace and database stay."""
    namespace = sorted(fleet.instances(CLUSTER))[0]
    tenant, _, environment = namespace.rpartition("-")
    path = world.repository.work / "rendered" / CLUSTER / environment / tenant / "infra"
    kept = [
        i for i in fleet.tree(CLUSTER) if i.namespace == namespace and i.kind in ("Cluster", "Database", "DatabaseRole")
    ]
    kept += [i for i in fleet.every("Namespace", cluster=CLUSTER) if i.name == namespace]
    lost = next(i for i in fleet.every("PodMonitor", cluster=CLUSTER, namespace=namespace))
    for file in path.iterdir():
        if file.name.split("_")[0].split(".")[0] in ("cluster", "database", "databaserole", "namespace", "podmonitor"):
            file.unlink()
    head = world.repository.commit("lose files")
    name = f"{namespace}-infra"
    world.refresh(name)
    wait_for(
        "the commit noticed",
        lambda: world.applications()[name]["status"]["sync"].get("revision") == head,
        60,
        every=0.5,
    )
    application = world.applications()[name]
    operation = {
        "initiatedBy": {"username": "acceptance"},
        "sync": {"prune": True, "syncOptions": application["spec"]["syncPolicy"]["syncOptions"]},
    }
    assert world.plane.api.merge(application, {"operation": operation}).accepted
    wait_for("what may go has gone", lambda: not world.plane.api.get(lost.manifest).accepted, 90, every=0.5)
    tally.control(True, f"{lost} was pruned")
    for item in kept:
        body = world.plane.api.get(item.manifest).body
        alive = body.get("kind") == item.kind and "deletionTimestamp" not in body.get("metadata", {})
        tally.attack(alive, f"{item} was deleted with its file")
