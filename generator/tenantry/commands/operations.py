"""What the commands do, as functions from a fleet's folder to a result. They neither print nor exit."""

from __future__ import annotations

import dataclasses
import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tenantry.core.findings import Finding, Result, UsageError, in_order
from tenantry.engine.prestart import Ahead
from tenantry.plan.inputs import Inputs, read_inputs
from tenantry.prove.cache import Proofs
from tenantry.publish.drift import describe
from tenantry.publish.generator import Generator, Outcome
from tenantry.publish.staging import foreign_work
from tenantry.publish.writer import Publisher, interrupted
from tenantry.runtime.cache import Store
from tenantry.runtime.listing import Change
from tenantry.runtime.workspace import Workspace


class _Few:
    """Keeps the contents of the first changes, which a report can show, and drops the others'."""

    def __init__(self, limit: int = 500) -> None:
        self.left = limit

    def __call__(self, change: Change) -> Change:
        self.left -= 1
        return change if self.left >= 0 else dataclasses.replace(change, content=None)


def check(space: Workspace) -> Result:
    """Inputs right, fleet rules kept, trees current. Writes nothing but the cache."""
    documents, known = space.store("documents"), space.store("units")
    with Ahead(space.say) as ahead:
        inputs = read_inputs(space.root, space.as_of, documents)
        findings = [*inputs.findings, *_left_behind(space)]
        counts = _input_counts(inputs)
        if not inputs.usable:
            note = "The trees were not compared: the inputs must be right first."
            return Result("check", in_order(findings), counts, (note,))
        generator = Generator(space, inputs, ahead, known, _Few())
        outcome = generator.run()
    findings += [*outcome.findings, *describe(space.root, outcome.changes)]
    counts |= _outcome_counts(outcome)
    generator.remember(written=False)
    if not _has_error(findings):  # what is behind its inputs is rendered first, and proved then
        proofs = Proofs(space, inputs, known)
        findings += proofs.findings(generator.listing, ())
        proofs.remember(generator.listing)
    _save(documents, known)
    return Result("check", in_order(findings), counts, () if _has_error(findings) else (_summary(counts),))


def render(space: Workspace, publisher: Publisher, tenants: Sequence[str] = ()) -> Result:
    """Bring base/, overlays/ and rendered/ to what the inputs give; all of it or nothing.

    `publisher` holds the fleet's lock since before the trees were listed.
    """
    documents, known = space.store("documents"), space.store("units")
    with Ahead(space.say) as ahead:
        inputs = read_inputs(space.root, space.as_of, documents)
        _known_tenants(inputs, tenants)
        counts = _input_counts(inputs)
        if not inputs.usable:
            return Result("render", in_order(inputs.findings), counts, ("Nothing was written.",))
        generator = Generator(space, inputs, ahead, known, publisher.stage)
        outcome = generator.run(tenants)
    counts |= _outcome_counts(outcome)
    findings = [*inputs.findings, *outcome.findings]
    if not _has_error(findings):
        proofs = Proofs(space, inputs, known)
        found = proofs.findings(generator.listing, outcome.changes, publisher.staged)
        # With tenants chosen, only what is theirs, or shared, counts: the rest may be behind its inputs.
        findings += (f for f in found if not tenants or not f.tenant or f.tenant in tenants)
    if _has_error(findings):
        return Result("render", in_order(findings), counts, ("Nothing was written.",))
    publisher.commit()
    generator.remember(written=True)
    proofs.remember(generator.listing)
    _save(documents, known)
    return Result("render", in_order(findings), counts, (_written(outcome),))


def _has_error(findings: Iterable[Finding]) -> bool:
    return any(finding.severity == "error" for finding in findings)


def _save(*stores: Store) -> None:
    for store in stores:
        store.save()


def _known_tenants(inputs: Inputs, tenants: Sequence[str]) -> None:
    known = inputs.fleet.entries["Tenant"]
    for name in tenants:
        if name not in known and f"tenants/{name}.yaml" not in inputs.fleet.broken:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean '{close[0]}'?" if close else "tenants are the files in tenants/"
            raise UsageError(f"there is no tenant '{name}'", hint)


def _left_behind(space: Workspace) -> Iterator[Finding]:
    """What an interrupted run left, and what somebody put where runs work."""
    yield from foreign_work(space.root, space.state)
    yield from interrupted(space.root, space.state)


def _input_counts(inputs: Inputs) -> dict[str, int]:
    return {"tenants": len(inputs.fleet.entries["Tenant"]), "instances": len(inputs.resolution.instances)}


def _outcome_counts(outcome: Outcome) -> dict[str, int]:
    actions = Counter(change.action for change in outcome.changes)
    return {
        "units": outcome.units, "units_built": outcome.built, "objects_built": outcome.objects,
        **{f"files_{action}": actions[action] for action in ("added", "changed", "removed")},
    }  # fmt: skip


def _summary(counts: dict[str, int]) -> str:
    parts = [f"{counts[f'{word}s']} {word}{'' if counts[f'{word}s'] == 1 else 's'}" for word in ("tenant", "instance")]
    return f"{', '.join(parts)}, {counts['units']} overlays: inputs are right, trees are current."


def _written(outcome: Outcome) -> str:
    actions = Counter(change.action for change in outcome.changes)
    if not outcome.changes:
        return f"Nothing to write: {outcome.units} overlays are current."
    parts = [f"{actions[action]} {action}" for action in ("added", "changed", "removed") if actions[action]]
    return f"Wrote {len(outcome.changes)} files ({', '.join(parts)}). See them with 'git diff' or 'git status'."
