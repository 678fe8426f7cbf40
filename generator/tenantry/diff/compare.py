"""`tenantry diff`: changes of objects between a git revision and the working tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from tenantry.core.findings import FieldChange, Finding, ObjectChange, ObjectId, Result, in_order
from tenantry.core.manifest import Manifest
from tenantry.core.paths import parse_unit, unit_of
from tenantry.diff.alike import same_changes
from tenantry.diff.fields import field_changes
from tenantry.diff.revision import Planned, changed_files
from tenantry.engine.engines import Engines

Key = tuple[str, ObjectId]
"""(cluster, identity): an object that only moves to another file stays the same object."""


def diff(root: Path, revision: str, say: Callable[[str], None], planned: Planned = MappingProxyType({})) -> Result:
    """Compare `rendered/` with a revision, as if `planned` files were written.

    Differences are not findings; files that can't be parsed are.
    """
    findings: list[Finding] = []
    before: dict[Key, Manifest] = {}
    after: dict[Key, Manifest] = {}
    pairs = list(changed_files(root, revision, planned))
    if pairs:
        with Engines(say) as engines:
            engine = engines.engine
            for pair in pairs:
                for text, state in ((pair.before, before), (pair.after, after)):
                    if text is None:
                        continue
                    manifests, problems = engine.parsed(engine.parse(text), pair.file)
                    state |= {(_cluster(pair.file), m.identity): m for m in manifests}
                    hint = "so its changes are not shown"
                    findings += [Finding("V001", problem.place, problem.message, hint) for problem in problems]
    changes = tuple(object_changes(before, after))
    actions = Counter(change.action for change in changes)
    counts = {f"objects_{action}": actions[action] for action in ("added", "changed", "removed")}
    counts["tenants"] = len({change.tenant for change in changes if change.tenant})
    return Result("diff", in_order(findings), counts, (_summary(counts, revision),), changes, same_changes(changes))


def object_changes(before: Mapping[Key, Manifest], after: Mapping[Key, Manifest]) -> Iterator[ObjectChange]:
    """Objects that differ, by cluster, tenant, unit and identity; their `file` says in which unit they lie."""
    found = []
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old is None and new is not None:
            found.append(_change("added", new))
        elif new is None and old is not None:
            found.append(_change("removed", old))
        elif old is not None and new is not None and old.value != new.value:
            fields = tuple(field_changes(old, new))
            if fields:
                found.append(_change("changed", new, fields))
    yield from sorted(found, key=lambda change: (change.cluster, change.tenant, change.unit, change.object))


def _change(action: str, manifest: Manifest, fields: tuple[FieldChange, ...] = ()) -> ObjectChange:
    unit = unit_of(manifest.file)
    tenant = str(manifest.labels.get("tenantry.io/tenant", ""))
    cluster, tree = _cluster(manifest.file), parse_unit(unit).tree
    return ObjectChange(action, manifest.identity, tenant, cluster, tree, unit, fields)  # type: ignore[arg-type]


def _cluster(file: str) -> str:
    return parse_unit(unit_of(file)).cluster


def _summary(counts: dict[str, int], revision: str) -> str:
    if not any(counts[f"objects_{action}"] for action in ("added", "changed", "removed")):
        return f"No object differs from {revision}."
    parts = [f"{counts[f'objects_{a}']} {a}" for a in ("added", "changed", "removed") if counts[f"objects_{a}"]]
    tenants = counts["tenants"]
    return f"Objects against {revision}: {', '.join(parts)}; {tenants} tenant{'' if tenants == 1 else 's'}."
