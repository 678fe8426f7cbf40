"""KEDA: what its webhook refuses, v2.21.0."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, digits, entries, items, mapping
from tenantry.verify import values
from tenantry.verify.registration import rule_for


@rule_for("keda.sh", "ScaledObject")
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
    kinds = {str(trigger.get("type")) for _, trigger in entries(spec.get("triggers"))}
    if low == 0 and "minReplicaCount" in spec and kinds and kinds <= {"cpu", "memory"}:
        message = "cpu and memory can't be measured of no Pod, so KEDA does not scale to 0 by them alone"
        yield Problem("V047", ("spec", "minReplicaCount"), message, "write 1, or add another trigger")
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
