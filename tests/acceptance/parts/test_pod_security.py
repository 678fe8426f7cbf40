"""Namespaces of tenants and cells take the Pods that we make, and no Pod that breaks out of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from acceptance.harness import fleet
from acceptance.harness.cluster import holding
from acceptance.harness.control_plane import ControlPlane, ControlPlanes
from acceptance.harness.tally import Tally

WORKLOADS = {"Deployment", "StatefulSet", "Job"}
GUARDED = {"Namespace", "ServiceAccount", "PriorityClass", "LimitRange"}


@pytest.fixture(scope="module")
def planes(control_planes: ControlPlanes) -> dict[str, ControlPlane]:
    """Every cluster with what admission looks at, and without quotas, which need a controller to speak."""
    return holding(control_planes, GUARDED)


def pod_of(workload: fleet.Rendered) -> dict[str, Any]:
    """The Pod that a workload's controller would make."""
    template = workload.manifest["spec"]["template"]
    metadata = {**template["metadata"], "name": workload.name, "namespace": workload.namespace}
    spec = {**template["spec"]}
    claims = [claim["metadata"]["name"] for claim in workload.manifest["spec"].get("volumeClaimTemplates", ())]
    volumes = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]
    if volumes:
        spec["volumes"] = [*spec.get("volumes", ()), *volumes]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _container(**security: object) -> Callable[[dict[str, Any]], object]:
    return lambda pod: pod["spec"]["containers"][0]["securityContext"].update(security)


def _volume(**source: object) -> Callable[[dict[str, Any]], object]:
    return lambda pod: pod["spec"]["volumes"].append({"name": "extra", **source})


BREAKOUTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "privileged": _container(privileged=True, allowPrivilegeEscalation=True),
    "escalation": _container(allowPrivilegeEscalation=True),
    "a capability": _container(capabilities={"drop": ["ALL"], "add": ["NET_ADMIN"]}),
    "capabilities kept": _container(capabilities={}),
    "root": _container(runAsNonRoot=False, runAsUser=0),
    "seccomp off": _container(seccompProfile={"type": "Unconfined"}),
    "the host's files": _volume(hostPath={"path": "/"}),
    "the host's network": lambda pod: pod["spec"].update(hostNetwork=True),
    "the host's processes": lambda pod: pod["spec"].update(hostPID=True, shareProcessNamespace=False),
    "the host's memory": lambda pod: pod["spec"].update(hostIPC=True),
    "a host port": lambda pod: pod["spec"]["containers"][0].update(ports=[{"containerPort": 80, "hostPort": 80}]),
}


@pytest.mark.parametrize("cluster", fleet.clusters())
def test_restricted(planes: dict[str, ControlPlane], cluster: str, tally: Tally) -> None:
    api = planes[cluster].api
    for workload in (item for item in fleet.tree(cluster) if item.kind in WORKLOADS):
        pod = pod_of(workload)
        answer = api.create(pod, dryRun="All")
        tally.control(answer.accepted and not answer.warnings, f"{workload}: {answer.message} {answer.warnings}")
        for name, change in BREAKOUTS.items():
            answer = api.create(fleet.changed(pod, change), dryRun="All")
            told = answer.status == 403 and "violates PodSecurity" in answer.message
            tally.attack(told, f"{workload}: {name}: {answer.status} {answer.message}")


def test_an_open_namespace_would_let_them_in(planes: dict[str, ControlPlane], tally: Tally) -> None:
    """The Namespace's label is the protection: without it each breakout is accepted."""
    cluster = "euw1-a"
    api = planes[cluster].api
    workload = fleet.one("Deployment", "acme-production", "odoo-web", cluster=cluster)
    namespace = fleet.one("Namespace", "", "acme-production", cluster=cluster)
    enforce = "pod-security.kubernetes.io/enforce"
    opened = api.merge(namespace.manifest, {"metadata": {"labels": {enforce: "privileged"}}})
    assert opened.accepted, opened.message
    for name, change in BREAKOUTS.items():
        answer = api.create(fleet.changed(pod_of(workload), change), dryRun="All")
        tally.without_protection(answer.accepted, f"{name}: {answer.message}")
