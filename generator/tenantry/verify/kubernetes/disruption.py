"""Drains and scaling that get in each other's way: budgets without room, counts that a sync resets, sizes without a base.

Shares of a budget are rounded up (pkg/controller/disruption); a Pod with a container that requests nothing ends the
measurement in an error (pkg/controller/podautoscaler/replica_calculator.go of Kubernetes 1.37).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fnmatch import fnmatchcase

from tenantry.core.manifest import Manifest, Path, Problem, Value, digits, entries, items, mapping, text
from tenantry.verify.index import Index, pod_specs
from tenantry.verify.kubernetes.admission import requirements
from tenantry.verify.registration import references_of
from tenantry.verify.selection import selected

_COUNTED = frozenset({("apps", "Deployment"), ("apps", "ReplicaSet"), ("apps", "StatefulSet")})
_SCALERS = (("autoscaling", "HorizontalPodAutoscaler"), ("keda.sh", "ScaledObject"))


def _scalers(index: Index) -> dict[tuple[str, str, str], Manifest]:
    """(kind, namespace, name) of a workload -> its autoscaler."""
    found: dict[tuple[str, str, str], Manifest] = {}
    for group in _SCALERS:
        for manifest in index.of(*group):
            target = mapping(manifest.spec.get("scaleTargetRef"))
            kind, name = text(target.get("kind")) or "Deployment", text(target.get("name"))
            found[kind, manifest.identity.namespace, name] = manifest
    return found


def scaler_of(index: Index, manifest: Manifest) -> Manifest | None:
    """The autoscaler of a workload."""
    identity = manifest.identity
    return index.once(_scalers).get((identity.kind, identity.namespace, identity.name))


@references_of("policy", "PodDisruptionBudget")
def drained(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A budget that allows no eviction: whoever drains a node waits for ever."""
    selector = mapping(manifest.spec.get("selector"))
    makers = {id(pods.maker): pods.maker for pods in selected(index, manifest.identity.namespace, selector)}
    if not makers or not selector:
        return
    for field in ("minAvailable", "maxUnavailable"):
        if field not in manifest.spec:
            continue
        amounts = [_replicas(index, maker) for maker in makers.values()]
        if None in amounts and manifest.spec[field] not in (0, "0%", "100%"):
            return
        total = sum(filter(None, amounts))
        share = _share(manifest.spec[field], total)
        if share is None or (total == 0 and None not in amounts):
            return
        left = total - share if field == "minAvailable" else share
        if left <= 0:
            shown = f"{field} {manifest.spec[field]} of {total}" if total else f"{field} {manifest.spec[field]}"
            message = f"{shown}: no Pod may ever be evicted, so no node with one can be drained"
            yield Problem("V053", ("spec", field), message, "run more Pods, or allow one to go", "warning")


def _replicas(index: Index, maker: Manifest) -> int | None:
    """How many Pods there are at least; None where that can't be known."""
    if maker.kind not in _COUNTED:
        return None
    scaler = scaler_of(index, maker)
    if scaler is not None:
        low = scaler.spec.get("minReplicas", scaler.spec.get("minReplicaCount", 1))
        return low if isinstance(low, int) else None
    given = maker.spec.get("replicas", 1)
    return given if isinstance(given, int) else None


def _share(value: object, total: int) -> int | None:
    """A number, or a percentage rounded up, of Pods."""
    if isinstance(value, int):
        return value
    percent = digits(str(value).removesuffix("%")) if str(value).endswith("%") else None
    return None if percent is None else math.ceil(total * percent / 100)


@references_of("apps", "Deployment", "ReplicaSet", "StatefulSet")
def replicas(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A count beside an autoscaler: each apply sets it back."""
    scaler = scaler_of(index, manifest)
    if scaler is None or manifest.spec.get("replicas") is None or _ignored(index, manifest):
        return
    message = f"{scaler.identity} sets the replicas, and each sync sets them back to {manifest.spec['replicas']}"
    yield Problem("V053", ("spec", "replicas"), message, "leave replicas out", "warning")


def _ignored(index: Index, manifest: Manifest) -> bool:
    """Whether some Application of the tree leaves the count alone."""
    for application in index.of("argoproj.io", "Application"):
        options = items(mapping(application.spec.get("syncPolicy")).get("syncOptions"))
        for _, rule in entries(application.spec.get("ignoreDifferences")):
            there = "/spec/replicas" in items(rule.get("jsonPointers")) or ".spec.replicas" in map(
                str, items(rule.get("jqPathExpressions"))
            )
            group = fnmatchcase(manifest.identity.group, text(rule.get("group")))
            fits = group and rule.get("kind") in (manifest.identity.kind, "*")
            if there and fits and "RespectIgnoreDifferences=true" in options:
                return True
    return False


@references_of("autoscaling", "HorizontalPodAutoscaler")
def measured(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A share is one of what the containers request: without a request there is none, and the autoscaler does nothing."""
    target = mapping(manifest.spec.get("scaleTargetRef"))
    namespace = manifest.identity.namespace
    scaled = index.get("apps", text(target.get("kind")), namespace, text(target.get("name")))
    if scaled is None:
        return
    for number, metric in entries(manifest.spec.get("metrics")):
        for field in ("resource", "containerResource"):
            wanted = mapping(metric.get(field))
            if mapping(wanted.get("target")).get("type") != "Utilization":
                continue
            path: Path = ("spec", "metrics", number, field)
            for name in _without(index, scaled, text(wanted.get("name")), text(wanted.get("container"))):
                message = f"the container '{name}' of {scaled.identity} requests no {wanted.get('name')}, so there is no share of it to measure"
                yield Problem("V047", path, message, "the autoscaler does nothing until every container has a request")


@references_of("keda.sh", "ScaledObject")
def triggered(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """The same for KEDA's triggers by cpu and memory, of which it makes an autoscaler."""
    target = mapping(manifest.spec.get("scaleTargetRef"))
    kind = text(target.get("kind")) or "Deployment"
    scaled = index.get("apps", kind, manifest.identity.namespace, text(target.get("name")))
    for number, trigger in entries(manifest.spec.get("triggers")) if scaled is not None else []:
        resource, metadata = text(trigger.get("type")), mapping(trigger.get("metadata"))
        if (
            scaled is None
            or resource not in ("cpu", "memory")
            or trigger.get("metricType", "Utilization") != "Utilization"
        ):
            continue
        for name in _without(index, scaled, resource, text(metadata.get("containerName"))):
            message = f"the container '{name}' of {scaled.identity} requests no {resource}, so there is no share of it to measure"
            yield Problem("V047", ("spec", "triggers", number), message, "set a request for every container")


def _without(index: Index, scaled: Manifest, resource: str, only: str) -> Iterator[str]:
    for _, _, spec in pod_specs(scaled):
        for container in _lasting(spec):
            name = text(container.get("name"))
            needed = requirements(index, scaled.identity.namespace, container)["requests"]
            if (not only or name == only) and resource not in needed:
                yield name


def _lasting(spec: Value) -> Iterator[Value]:
    """Containers that run as long as the Pod."""
    for _, container in entries(spec.get("initContainers")):
        if container.get("restartPolicy") == "Always":
            yield container
    yield from (container for _, container in entries(spec.get("containers")))
