"""Autoscalers: pkg/apis/autoscaling/validation of Kubernetes 1.37, and KEDA's webhook v2.21.0."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.codes import Code, declare
from tenantry.core.manifest import Manifest, Path, Problem, entries, mapping, text
from tenantry.verify.index import Index, missing
from tenantry.verify.registration import references_of, rule_for

declare(
    Code("V047", "Autoscaler does not work", "Invalid bounds or windows, or two autoscalers for one workload."),
)


@rule_for("autoscaling", "HorizontalPodAutoscaler")
def horizontal(manifest: Manifest) -> Iterator[Problem]:
    spec = manifest.spec
    low, high = spec.get("minReplicas", 1), spec.get("maxReplicas")
    if isinstance(low, int) and low < 1:
        yield Problem("V047", ("spec", "minReplicas"), "at least 1 (0 needs the feature HPAScaleToZero)")
    if isinstance(low, int) and isinstance(high, int) and high < low:
        yield Problem("V047", ("spec", "maxReplicas"), f"maxReplicas {high} is below minReplicas {low}")
    for direction in ("scaleUp", "scaleDown"):
        rules = mapping(mapping(spec.get("behavior")).get(direction))
        window = rules.get("stabilizationWindowSeconds")
        path: Path = ("spec", "behavior", direction)
        if isinstance(window, int) and not 0 <= window <= 3600:
            yield Problem("V047", (*path, "stabilizationWindowSeconds"), f"{window}: 0 to 3600")
        for index, policy in entries(rules.get("policies")):
            period, value = policy.get("periodSeconds"), policy.get("value")
            if isinstance(period, int) and not 1 <= period <= 1800:
                yield Problem("V047", (*path, "policies", index, "periodSeconds"), f"{period}: 1 to 1800")
            if isinstance(value, int) and value < 1:
                yield Problem("V047", (*path, "policies", index, "value"), "more than 0")
    for index, metric in entries(spec.get("metrics")):
        target = mapping(mapping(metric.get("resource")).get("target"))
        used = target.get("averageUtilization")
        if isinstance(used, int) and used < 1:
            yield Problem("V047", ("spec", "metrics", index, "resource", "target", "averageUtilization"), "more than 0")


_SCALABLE = {"Deployment": "apps", "StatefulSet": "apps", "ReplicaSet": "apps"}


@references_of("autoscaling", "HorizontalPodAutoscaler")
@references_of("keda.sh", "ScaledObject")
def autoscaler(manifest: Manifest, index: Index) -> Iterator[Problem]:
    namespace, kind, name = target = _target(manifest)
    group = _SCALABLE.get(kind)
    path: Path = ("spec", "scaleTargetRef")
    if group is not None and name and not index.has(group, kind, namespace, name):
        yield missing(index, namespace, (*path, "name"), f"{kind} '{name}' in '{namespace}'")
    for other in index.once(_by_target).get(target, ()):
        if other.identity < manifest.identity:
            yield Problem("V047", path, f"{other.identity} scales the same {kind}", "one autoscaler a workload")


_Target = tuple[str, str, str]
"""Namespace, kind and name of what is scaled."""


def _target(manifest: Manifest) -> _Target:
    reference = mapping(manifest.spec.get("scaleTargetRef"))
    return manifest.identity.namespace, text(reference.get("kind")) or "Deployment", text(reference.get("name"))


def _by_target(index: Index) -> dict[_Target, list[Manifest]]:
    found: dict[_Target, list[Manifest]] = {}
    for manifest in (*index.of("keda.sh", "ScaledObject"), *index.of("autoscaling", "HorizontalPodAutoscaler")):
        found.setdefault(_target(manifest), []).append(manifest)
    return found
