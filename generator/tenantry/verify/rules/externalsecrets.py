"""What the External Secrets webhook refuses: apis/externalsecrets/v1/externalsecret_validator.go, v1.3.2."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.manifest import Manifest, Problem, Value, entries, items, mapping
from tenantry.verify import values


def secret(manifest: Manifest) -> Iterator[Problem]:
    spec = manifest.spec
    target = mapping(spec.get("target"))
    if not items(spec.get("data")) and not items(spec.get("dataFrom")):
        yield Problem("V048", ("spec",), "data or dataFrom is needed")
    if target.get("deletionPolicy") == "Delete" and target.get("creationPolicy") in ("Merge", "None"):
        yield Problem(
            "V048",
            ("spec", "target", "deletionPolicy"),
            f"Delete does not go with creationPolicy {target['creationPolicy']}",
        )
    if target.get("deletionPolicy") == "Merge" and target.get("creationPolicy") == "None":
        yield Problem("V048", ("spec", "target", "deletionPolicy"), "Merge does not go with creationPolicy None")
    yield from _entries(spec)
    interval = spec.get("refreshInterval")
    if interval is not None and values.duration(interval) is None:
        yield Problem("V048", ("spec", "refreshInterval"), f"'{interval}' is no duration", "write it like 1h0m0s")
    if not mapping(spec.get("secretStoreRef")).get("name") and not _own_stores(manifest):
        yield Problem("V048", ("spec", "secretStoreRef"), "the name of a store is needed")


def _entries(spec: Value) -> Iterator[Problem]:
    seen = set()
    for index, entry in entries(spec.get("data")):
        key = str(entry.get("secretKey"))
        if key in seen:
            yield Problem("V048", ("spec", "data", index, "secretKey"), f"the key '{key}' is there twice")
        seen.add(key)
    for index, source in entries(spec.get("dataFrom")):
        ways = [way for way in ("extract", "find", "sourceRef") if way in source]
        if len(ways) > 1 and "sourceRef" not in ways:
            yield Problem("V048", ("spec", "dataFrom", index), "one of extract and find")
        if not ways:
            yield Problem("V048", ("spec", "dataFrom", index), "extract, find or sourceRef is needed")


def _own_stores(manifest: Manifest) -> bool:
    """Each entry can name a store, or a generator, of its own."""
    parts = [*entries(manifest.spec.get("data")), *entries(manifest.spec.get("dataFrom"))]
    return bool(parts) and all("sourceRef" in part for _, part in parts)
