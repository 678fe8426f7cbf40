"""The fleet's workloads on each cluster's pools: real controllers and scheduler, kubelets that kwok plays."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from typing import Any

import pytest

from acceptance.harness import fleet
from acceptance.harness.cluster import Objects, running, settle, workloads
from acceptance.harness.control_plane import ControlPlane, ControlPlanes, is_true
from acceptance.harness.process import wait_for
from acceptance.harness.programs import KUBERNETES
from acceptance.harness.tally import Tally

POOL, ZONE = "tenantry.io/pool", "topology.kubernetes.io/zone"
BIG = {"requests": {"cpu": "400", "memory": "900Gi"}, "limits": {"memory": "900Gi"}}
RESTARTED = "kubectl.kubernetes.io/restartedAt"


@pytest.fixture(scope="module", params=fleet.clusters())
def plane(request: pytest.FixtureRequest, control_planes: ControlPlanes) -> ControlPlane:
    """A cluster with its pools and everything but Jobs, which Argo CD makes and removes, and Argo CD's own objects."""
    cluster = str(request.param)
    return running(control_planes, cluster)


def test_everything_becomes_available(plane: ControlPlane, tally: Tally) -> None:
    settle(plane.api)
    wanted = [item for item in fleet.tree(plane.name) if item.kind in ("Deployment", "StatefulSet")]
    found = {
        (w["metadata"]["namespace"], w["metadata"]["name"])
        for k in ("Deployment", "StatefulSet")
        for w in workloads(plane.api, k)
    }
    for item in wanted:
        tally.check((item.namespace, item.name) in found, f"{item} is not there")


def test_pods_stay_in_their_pool(plane: ControlPlane, tally: Tally) -> None:
    """Where each runs is what its cell's file says; Pods sent elsewhere stay out."""
    api = plane.api
    cells = {cell["metadata"]["name"]: cell["spec"] for cell in fleet.inputs("cells")}
    pool_of = {node["metadata"]["name"]: node["metadata"]["labels"][POOL] for node in api.list("v1", "Node")}
    zone_of = {node["metadata"]["name"]: node["metadata"]["labels"][ZONE] for node in api.list("v1", "Node")}
    zones: dict[tuple[str, str], set[str]] = defaultdict(set)
    pods = api.list("v1", "Pod")
    for pod in pods:
        labels, node = pod["metadata"]["labels"], pod["spec"]["nodeName"]
        cell = cells[labels.get("tenantry.io/cell") or labels["tenantry.io/cell-services"]]
        allowed = {cell.get("nodePool"), cell.get("databaseNodePool")} - {None} or {"app", "database"}
        what = f"{pod['metadata']['namespace']}/{pod['metadata']['name']} on {node}"
        tally.check(pool_of[node] in allowed, f"{what}: not one of {sorted(allowed)}")
        zones[pod["metadata"]["namespace"], pod["metadata"]["ownerReferences"][0]["name"]].add(zone_of[node])
    for kind in ("ReplicaSet", "StatefulSet"):
        for owner in workloads(api, kind):
            wanted = min(owner["spec"]["replicas"], len(set(zone_of.values())))
            name = (owner["metadata"]["namespace"], owner["metadata"]["name"])
            tally.check(
                len(zones[name]) >= wanted, f"{name}: {owner['spec']['replicas']} replicas in zones {zones[name]}"
            )


def test_foreign_pools_are_closed(plane: ControlPlane, tally: Tally) -> None:
    """A Pod that asks for another pool's Nodes waits for ever; with that pool's taint gone it runs there."""
    api = plane.api
    nodes = api.list("v1", "Node")
    tainted = sorted({n["metadata"]["labels"][POOL] for n in nodes if n["spec"].get("taints")})
    deployments = [item for item in fleet.tree(plane.name) if item.kind == "Deployment"]
    if not deployments:
        return
    template = deployments[0].manifest["spec"]["template"]
    home = template["spec"]["nodeSelector"][POOL]

    def pod(name: str, pool: str) -> dict[str, Any]:
        metadata = {"name": name, "namespace": "mail"}
        spec = {**template["spec"], "nodeSelector": {POOL: pool}, "serviceAccountName": "default"}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}

    def fate(one: dict[str, Any]) -> str:
        status = api.get(one).body.get("status", {})
        told = [
            c.get("message", "")
            for c in status.get("conditions", ())
            if c["type"] == "PodScheduled" and c["status"] == "False"
        ]
        return "runs" if is_true({"status": status}, "Ready") else (told or [""])[0]

    wait_for("default account", lambda: api.get({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "mail"}}).accepted)  # fmt: skip
    for pool in (home, *(name for name in tainted if name != home)):
        asked = pod(f"asks-{pool}", pool)
        created = api.create(asked)
        assert created.accepted, created.message
        answer = wait_for(f"a word about {pool}", lambda one=asked: fate(one), 30)
        if pool == home:
            tally.control(answer == "runs", f"{pool}: its own pool: {answer}")
            continue
        tally.attack("untolerated taint" in answer, f"{pool}: {answer}")
        for node in (n for n in nodes if n["metadata"]["labels"][POOL] == pool):
            api.merge(node, {"spec": {"taints": []}})
        freed = wait_for("its place", lambda one=asked: fate(one) == "runs", 60)
        tally.without_protection(freed, f"{pool} without its taint")
        for node in (n for n in nodes if n["metadata"]["labels"][POOL] == pool):
            api.merge(node, {"spec": {"taints": node["spec"]["taints"]}})
    for pool in {home, *tainted}:
        api.delete(pod(f"asks-{pool}", pool), gracePeriodSeconds="0")


def test_autoscalers_find_their_targets(plane: ControlPlane, tally: Tally) -> None:
    def judged() -> bool:
        """The first look may come before the Deployment; the next one is a quarter of a minute later."""
        return all(is_true(scaler, "AbleToScale") for scaler in scalers())

    def scalers() -> Objects:
        return plane.api.list("autoscaling/v2", "HorizontalPodAutoscaler")

    wait_for("autoscalers judged", judged, 60, every=0.5)
    for scaler in scalers():
        what = f"{scaler['metadata']['namespace']}/{scaler['metadata']['name']}"
        tally.check(is_true(scaler, "AbleToScale"), f"{what}: {scaler['status']['conditions']}")
        target = scaler["spec"]["scaleTargetRef"]["name"]
        (found,) = [d for d in workloads(plane.api, "Deployment")
                    if d["metadata"]["name"] == target and d["metadata"]["namespace"] == scaler["metadata"]["namespace"]]  # fmt: skip
        names = {container["name"] for container in found["spec"]["template"]["spec"]["containers"]}
        for metric in scaler["spec"]["metrics"]:
            tally.check(metric["containerResource"]["container"] in names, f"{what}: {metric}")


def test_quota_leaves_room(plane: ControlPlane, tally: Tally) -> None:
    """At the autoscaler's most, all at once: a rolling update and the migration with its backup."""
    api = plane.api
    for scaler in (item for item in fleet.tree(plane.name) if item.kind in ("HorizontalPodAutoscaler", "ScaledObject")):
        most = scaler.manifest["spec"].get("maxReplicas") or scaler.manifest["spec"]["maxReplicaCount"]
        target = fleet.one(
            "Deployment", scaler.namespace, scaler.manifest["spec"]["scaleTargetRef"]["name"], cluster=plane.name
        )
        api.delete(scaler.manifest)
        assert api.merge(target.manifest, {"spec": {"replicas": most}}).accepted
    settle(api)
    jobs = [item for item in fleet.tree(plane.name) if item.kind == "Job"]
    for job in jobs:
        tally.check((answer := api.create(job.manifest)).accepted, f"{job}: {answer.message}")
    restart = {"spec": {"template": {"metadata": {"annotations": {RESTARTED: "2026-11-24T00:00:00Z"}}}}}
    for deployment in (item for item in fleet.tree(plane.name) if item.kind == "Deployment"):
        assert api.merge(deployment.manifest, restart).accepted
    settle(api, 180)
    for job in jobs:
        done = wait_for(f"{job} done", lambda one=job: is_true(api.get(one.manifest).body, "Complete"), 60)
        tally.check(done, f"{job}")
    refused = [
        e["message"]
        for e in api.list("v1", "Event")
        if e["reason"] == "FailedCreate" and "exceeded quota" in e["message"]
    ]
    tally.check(not refused, f"quota stood in the way: {refused[:3]}")


def test_quota_is_there(plane: ControlPlane, tally: Tally) -> None:
    """A tenant that wants more than its share is told no; without the quota it gets it."""
    api = plane.api
    for deployment in (
        item for item in fleet.tree(plane.name) if item.kind == "Deployment" and item.name == "odoo-web"
    ):
        template = deployment.manifest["spec"]["template"]
        greedy = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "greedy", "namespace": deployment.namespace},
            "spec": template["spec"],
        }
        (quota,) = fleet.every("ResourceQuota", cluster=plane.name, namespace=deployment.namespace)
        asked = fleet.changed(greedy, lambda pod: pod["spec"]["containers"][0].update(resources=BIG))
        tally.control(
            (right := api.create(greedy, dryRun="All")).accepted, f"{deployment}: one more Pod: {right.message}"
        )
        answer = api.create(asked, dryRun="All")
        tally.attack("exceeded quota" in answer.message, f"{deployment.namespace}: 900 GiB: {answer.message}")
        for kind, extra in (("LoadBalancer", "services.loadbalancers"), ("NodePort", "services.nodeports")):
            service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "exposed", "namespace": deployment.namespace},
                       "spec": {"type": kind, "ports": [{"port": 80}], "selector": {"a": "b"}}}  # fmt: skip
            answer = api.create(service, dryRun="All")
            tally.attack(extra in answer.message, f"{deployment.namespace}: a Service of type {kind}: {answer.message}")
        api.delete(quota.manifest)
        freed = wait_for("no quota", lambda pod=asked: api.create(pod, dryRun="All").accepted, 30)
        tally.without_protection(freed, f"{deployment.namespace}: 900 GiB without its quota")
        api.apply(quota.manifest, quota.content)


def test_every_node_drains(plane: ControlPlane, tally: Tally) -> None:
    """kubectl evicts through the API: budgets let each Node empty, one after the other."""
    settle(plane.api)
    used = sorted(
        {pod["spec"]["nodeName"] for pod in plane.api.list("v1", "Pod") if pod["status"]["phase"] == "Running"}
    )
    for node in used:
        done = kubectl(plane, "drain", node, "--delete-emptydir-data", "--force", "--timeout=60s")
        tally.check(done.returncode == 0, f"{node}: {done.stderr[-400:]}")
        kubectl(plane, "uncordon", node)
    settle(plane.api)


def kubectl(plane: ControlPlane, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(KUBERNETES.binary("kubectl")), f"--kubeconfig={plane.kubeconfig}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
