"""What the Prometheus operator's admission webhook refuses: pkg/admission and Prometheus' rulefmt, v0.95.1."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, mapping

_DURATION = re.compile(r"0|(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


def rules(manifest: Manifest) -> Iterator[Problem]:
    seen = set()
    for index, group in entries(manifest.spec.get("groups")):
        path: Path = ("spec", "groups", index)
        name = str(group.get("name"))
        if name in seen:
            yield Problem("V045", (*path, "name"), f"the group '{name}' is there twice")
        seen.add(name)
        for number, rule in entries(group.get("rules")):
            yield from _rule(rule, (*path, "rules", number))


def _rule(content: object, path: Path) -> Iterator[Problem]:
    rule = mapping(content)
    alert, record = rule.get("alert"), rule.get("record")
    if bool(alert) == bool(record):
        yield Problem("V045", path, "a rule has either alert or record")
    if record and not _METRIC.fullmatch(str(record)):
        yield Problem("V045", (*path, "record"), f"'{record}' is no metric name")
    for name in ("for", "keep_firing_for"):
        if name not in rule:
            continue
        if record:
            yield Problem("V045", (*path, name), f"a recording rule has no '{name}'")
        if not rule[name] or not _DURATION.fullmatch(str(rule[name])):
            yield Problem("V045", (*path, name), f"'{rule[name]}' is no duration", "write it like 5m or 1h30m")
    if record and rule.get("annotations"):
        yield Problem("V045", (*path, "annotations"), "a recording rule has no annotations")
    if rule.get("expr") in (None, ""):
        yield Problem("V045", (*path, "expr"), "an expression is needed")
    yield from _labels(rule, path)


def _labels(rule: Value, path: Path) -> Iterator[Problem]:
    for part in ("labels", "annotations"):
        for key in mapping(rule.get(part)):
            if not _LABEL.fullmatch(key) or key == "__name__":
                yield Problem("V045", (*path, part, key), f"'{key}' is no label name")
