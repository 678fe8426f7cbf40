"""Autoscalers: pkg/apis/autoscaling/validation of Kubernetes 1.37, and KEDA's webhook v2.21.0."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, digits, entries, items, mapping
from tenantry.verify import values


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


def scaled_object(manifest: Manifest) -> Iterator[Problem]:
    spec = manifest.spec
    low, high = spec.get("minReplicaCount", 0), spec.get("maxReplicaCount", 100)
    if isinstance(low, int) and isinstance(high, int) and low > high:
        yield Problem("V047", ("spec", "minReplicaCount"), f"minReplicaCount {low} is over maxReplicaCount {high}")
    idle = spec.get("idleReplicaCount")
    if isinstance(idle, int) and isinstance(low, int) and idle >= low:
        yield Problem("V047", ("spec", "idleReplicaCount"), f"must be below minReplicaCount {low}")
    if not items(spec.get("triggers")):
        yield Problem("V047", ("spec", "triggers"), "a trigger is needed")
    for index, trigger in entries(spec.get("triggers")):
        if trigger.get("type") == "cron":
            yield from _cron(mapping(trigger.get("metadata")), ("spec", "triggers", index, "metadata"))


def _cron(content: object, path: Path) -> Iterator[Problem]:
    metadata = mapping(content)
    zone = metadata.get("timezone")
    if not isinstance(zone, str) or not values.is_time_zone(zone):
        yield Problem("V041", (*path, "timezone"), f"'{zone}' is no time zone")
    if metadata.get("start") == metadata.get("end"):
        yield Problem("V047", (*path, "end"), "start and end are the same")
    for name in ("start", "end"):
        if name not in metadata:
            yield Problem("V047", path, f"a cron trigger needs '{name}'")
    if digits(str(metadata.get("desiredReplicas", ""))) is None:
        yield Problem("V047", (*path, "desiredReplicas"), "a whole number is needed")
