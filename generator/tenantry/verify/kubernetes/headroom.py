"""Quotas that hold what runs, and nothing beside it: updates, autoscalers and Jobs then wait for room that never comes.

A Deployment that may lack no Pod makes the new one first (pkg/controller/deployment/rolling.go of Kubernetes 1.37).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal

from tenantry.core.manifest import Manifest, Problem, digits, how_many, items, mapping
from tenantry.verify import values
from tenantry.verify.index import Index
from tenantry.verify.kubernetes.capacity import QUOTA_NAMES, how_many_pods, needed, of_pod, shown
from tenantry.verify.kubernetes.disruption import scaler_of
from tenantry.verify.registration import references_of

_Extra = tuple[Manifest, str, dict[str, Decimal]]
"""Whose, for what, and how much of what a quota counts."""


@references_of("", "ResourceQuota")
def headroom(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """What does not fit beside all that is there anyway."""
    if index.partial or items(manifest.spec.get("scopes")) or manifest.spec.get("scopeSelector"):
        return
    steady = index.once(needed).get(manifest.identity.namespace, {})
    extras = list(_extras(index, manifest.identity.namespace))
    for name, hard in mapping(manifest.spec.get("hard")).items():
        key, allowed = QUOTA_NAMES.get(name, name), values.quantity(hard)
        there = steady.get(key, Decimal(0))
        if allowed is None or there > allowed:
            continue
        for workload, what, amounts in extras:
            total = there + amounts.get(key, Decimal(0))
            if total > allowed:
                message = f"{what} of {workload.identity} needs {shown(name, total)} together with what runs, so it waits for ever"
                yield Problem("V053", ("spec", "hard", name), message, f"allow {shown(name, total)} or more", "warning")
                break


def _extras(index: Index, namespace: str) -> Iterator[_Extra]:
    for deployment in _of(index, "apps", "Deployment", namespace):
        if how_many_pods(index, deployment) and _makes_first(index, deployment):
            yield deployment, "an update", _times(index, deployment, 1)
    for kind in ("Deployment", "StatefulSet"):
        for workload in _of(index, "apps", kind, namespace):
            scaler = scaler_of(index, workload)
            if scaler is not None:
                most = how_many(scaler.spec.get("maxReplicas", scaler.spec.get("maxReplicaCount")))
                yield (
                    workload,
                    "the autoscaler's maximum",
                    _times(index, workload, most - how_many_pods(index, workload)),
                )
    for kind in ("CronJob", "Job"):
        for job in _of(index, "batch", kind, namespace):
            yield job, "a Pod", _times(index, job, 1)


def _of(index: Index, group: str, kind: str, namespace: str) -> list[Manifest]:
    return index.once(_workloads).get((group, kind, namespace), [])


def _workloads(index: Index) -> dict[tuple[str, str, str], list[Manifest]]:
    """By group, kind and namespace."""
    found: dict[tuple[str, str, str], list[Manifest]] = {}
    for group, kind in (("apps", "Deployment"), ("apps", "StatefulSet"), ("batch", "CronJob"), ("batch", "Job")):
        for manifest in index.of(group, kind):
            found.setdefault((group, kind, manifest.identity.namespace), []).append(manifest)
    return found


def _times(index: Index, workload: Manifest, count: int) -> dict[str, Decimal]:
    return {"pods": Decimal(count), **{name: amount * count for name, amount in of_pod(index, workload)}}


def _makes_first(index: Index, deployment: Manifest) -> bool:
    """Whether none of the old Pods may go before a new one is ready."""
    strategy = mapping(deployment.spec.get("strategy"))
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return False
    update = mapping(strategy.get("rollingUpdate"))
    replicas = how_many_pods(index, deployment)
    surge = _share(update.get("maxSurge", "25%"), replicas, up=True)
    return _share(update.get("maxUnavailable", "25%"), replicas, up=False) == 0 and surge > 0


def _share(value: object, replicas: int, *, up: bool) -> int:
    if isinstance(value, int):
        return value
    percent = digits(str(value).removesuffix("%")) or 0
    return math.ceil(replicas * percent / 100) if up else replicas * percent // 100
