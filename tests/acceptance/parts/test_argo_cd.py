"""The real Argo CD on the fleet's repository: from a commit to Synced, in order, and no further than projects allow."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from acceptance.harness import argo_cd, fleet
from acceptance.harness.argo_cd import VERSION, ArgoCd, unsynced
from acceptance.harness.cluster import workloads
from acceptance.harness.control_plane import ControlPlanes, add_namespaces, add_nodes, nodes_of
from acceptance.harness.git_server import ADDRESS, Repository
from acceptance.harness.namespaces import name_host
from acceptance.harness.operators import Operators
from acceptance.harness.packages import REDIS
from acceptance.harness.process import Processes, wait_for
from acceptance.harness.programs import ARGO_CD
from acceptance.harness.tally import Tally

CLUSTER = "euc1-a"
CHARTS = "charts"
"""Folder of the Applications of upstream Helm charts: neither their repositories nor Helm are here."""


@pytest.fixture(scope="module")
def world(control_planes: ControlPlanes, processes: Processes) -> Iterator[ArgoCd]:
    plane = control_planes.start(CLUSTER, groups=["argoproj.io"])
    control_planes.add_controllers(plane)
    control_planes.add_scheduler(plane)
    control_planes.add_kubelets(plane)
    add_namespaces(plane)
    add_nodes(plane, nodes_of(fleet.cluster_input(CLUSTER)))
    folder = control_planes.folder / "argo-cd"
    folder.mkdir()
    (item,) = [i for i in fleet.every("Application", cluster=CLUSTER) if i.name == f"{CLUSTER}-platform"]
    with (
        Repository(folder, item.manifest["spec"]["source"]["repoURL"], without=CHARTS) as repository,
        Operators(plane.api),
    ):
        name_host(repository.host, ADDRESS)
        argo_cd.configure(plane.api, CLUSTER, repository)
        argo_cd.start(plane.api, plane.kubeconfig, processes, folder, REDIS.path())
        yield ArgoCd(plane.api, repository)


def delivered() -> list[fleet.Rendered]:
    """The cluster's objects but those of charts."""
    return [item for item in fleet.tree(CLUSTER) if item.path.parent.name != CHARTS]


@pytest.fixture(scope="module")
def revision(world: ArgoCd) -> str:
    """The fleet's first commit, brought in by the platform's own Application and nothing else by hand."""
    head = world.repository.head()
    for kind in ("AppProject", "Application"):
        (item,) = [i for i in fleet.every(kind, cluster=CLUSTER) if i.name == f"{CLUSTER}-platform"]
        assert (answer := world.api.apply(item.manifest)).accepted, answer.message
    wanted = {item.name for item in delivered() if item.kind == "Application"}
    wait_for("Applications made", lambda: wanted <= world.applications().keys(), 120, every=1)
    for name in sorted(wanted - {f"{CLUSTER}-platform"}, key=lambda name: (name.endswith("-app"), name)):
        world.bring(name, head)
    return head


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


def test_everything_is_synced(world: ArgoCd, revision: str, tally: Tally) -> None:
    for name, application in world.applications().items():
        status = application["status"]
        tally.check(
            status["sync"]["status"] == "Synced" and status["sync"]["revision"] == revision,
            f"{name}: {unsynced(application)}",
        )
        phase = status["operationState"]["phase"]
        tally.check(phase == "Succeeded", f"{name}: {phase} {status['operationState'].get('message')}")
    for item in delivered():
        if not item.is_hook:
            tally.check(world.api.get(item.manifest).accepted, f"{item} is not in the cluster")


def test_stays_in_sync(world: ArgoCd, revision: str, tally: Tally) -> None:
    """Defaults and the autoscaler's replicas are no difference: refreshed hard, all stay Synced."""
    for deployment in workloads(world.api, "Deployment"):
        if deployment["metadata"]["name"] == "odoo-web":  # the autoscaler's; the others' replicas are ours
            world.api.merge(deployment, {"spec": {"replicas": deployment["spec"]["replicas"] + 1}}, "scale")
    for application in world.applications().values():
        world.api.merge(application, {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}})

    def refreshed() -> bool:
        return all(
            "argocd.argoproj.io/refresh" not in one["metadata"].get("annotations", {})
            for one in world.applications().values()
        )

    wait_for("refreshed", refreshed, 120, every=1)
    for name, application in world.applications().items():
        tally.check(application["status"]["sync"]["status"] == "Synced", f"{name}: {unsynced(application)}")


def test_migration_before_deployment(world: ArgoCd, revision: str, tally: Tally) -> None:
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
        jobs = {job["metadata"]["name"]: job for job in world.api.list("batch/v1", "Job", namespace)}
        done = jobs["odoo-migration"]["status"]["completionTime"]
        for deployment in workloads(world.api, "Deployment"):
            if deployment["metadata"]["namespace"] == namespace:
                made = deployment["metadata"]["creationTimestamp"]
                tally.check(
                    made >= done, f"{name}: {deployment['metadata']['name']} made {made}, migration done {done}"
                )


def test_a_promotion_moves_only_apps(world: ArgoCd, revision: str, tally: Tally) -> None:
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
        world.bring(name, head)
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


def test_projects_keep_applications_in(world: ArgoCd, revision: str, tally: Tally) -> None:
    """An Application that points out of its project is refused; with the project opened it is not."""
    api = world.api
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


def _kinds(world: ArgoCd, original: dict[str, Any], other: str) -> str:
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
    present = world.api.get({**crossing}).accepted
    wait_for("clean again", lambda: world.applications()[name]["status"]["sync"].get("revision") == head, 60, every=0.5)
    return "a neighbour's object was made" if present else told


def unsynced_names(application: dict[str, Any]) -> list[str]:
    return [r["name"] for r in application.get("status", {}).get("resources", ())]


def _errors(world: ArgoCd, name: str) -> str:
    return " ".join(
        c["message"] for c in world.applications()[name]["status"].get("conditions", ()) if c["type"].endswith("Error")
    )


def _message(world: ArgoCd, name: str) -> str:
    state = world.applications()[name]["status"].get("operationState", {})
    results = state.get("syncResult", {}).get("resources", ())
    told = " ".join(r.get("message", "") for r in results if r.get("status") == "SyncFailed")
    return told if state.get("phase") in ("Failed", "Error") else ""


def test_a_lost_file_loses_no_data(world: ArgoCd, revision: str, tally: Tally) -> None:
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
    assert world.api.merge(application, {"operation": operation}).accepted
    wait_for("what may go has gone", lambda: not world.api.get(lost.manifest).accepted, 90, every=0.5)
    tally.control(True, f"{lost} was pruned")
    for item in kept:
        body = world.api.get(item.manifest).body
        alive = body.get("kind") == item.kind and "deletionTimestamp" not in body.get("metadata", {})
        tally.attack(alive, f"{item} was deleted with its file")
