"""What the commands do, as functions from a fleet's folder to a result. They neither print nor exit."""

from __future__ import annotations

import dataclasses
import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from tenantry.core.findings import Finding, Result, UsageError, in_order
from tenantry.core.paths import TREES
from tenantry.engine.engines import Engines
from tenantry.plan.inputs import Inputs, read_inputs
from tenantry.prove.cache import Proofs
from tenantry.prove.template_conformance import Templates
from tenantry.publish.drift import describe
from tenantry.publish.generator import Generator, Outcome, Sink
from tenantry.publish.staging import foreign_work
from tenantry.publish.writer import Publisher, interrupted
from tenantry.render.blame import Blamer
from tenantry.render.units import units
from tenantry.runtime.listing import Change, Listing
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
    with Engines(space.say) as engines:
        run = Run(space, engines)
        findings = [*run.inputs.findings, *_left_behind(space)]
        if not run.inputs.usable:
            note = "The trees were not compared: the inputs must be right first."
            return Result("check", in_order(findings), run.counts, (note,))
        made = run.make(_Few(), blocked=lambda outcome: bool(outcome.changes) or _has_error(findings))
        findings += [*made.outcome.findings, *describe(space.root, made.outcome.changes)]
        if not _has_error(findings):  # what is behind its inputs is rendered first, and proved then
            findings += made.proofs.findings(made.outcome.changes)
        made.remember(made.outcome.changes)
    counts = run.counts | _outcome_counts(made.outcome)
    return Result("check", in_order(findings), counts, () if _has_error(findings) else (_summary(counts),))


def render(space: Workspace, publisher: Publisher, tenants: Sequence[str] = ()) -> Result:
    """Bring base/, overlays/ and rendered/ to what the inputs give; all of it or nothing.

    `publisher` holds the fleet's lock since before the trees were listed.
    """
    with Engines(space.say) as engines:
        run = Run(space, engines)
        _known_tenants(run.inputs, tenants)
        if not run.inputs.usable:
            return Result("render", in_order(run.inputs.findings), run.counts, ("Nothing was written.",))
        made = run.make(publisher.stage, tenants, staged=publisher.staged)
        findings = [*run.inputs.findings, *made.outcome.findings]
        if not _has_error(findings):
            found = made.proofs.findings(made.outcome.changes)
            # With tenants chosen, only what is theirs, or shared, counts: the rest may be behind its inputs.
            findings += (f for f in found if not tenants or not f.tenant or f.tenant in tenants)
        counts = run.counts | _outcome_counts(made.outcome)
        if _has_error(findings):
            return Result("render", in_order(findings), counts, ("Nothing was written.",))
        publisher.commit()
        made.remember()
    return Result("render", in_order(findings), counts, (_written(made.outcome),))


@dataclass(frozen=True)
class Made:
    """What the trees need, and the proofs of what they will hold."""

    run: Run
    generator: Generator
    proofs: Proofs

    @property
    def outcome(self) -> Outcome:
        return self.generator.outcome

    def remember(self, waiting: Sequence[Change] = ()) -> None:
        """Keep in the caches what is known of the trees as they are now; `waiting` are changes that were not written."""
        written = bool(self.outcome.changes) and not waiting
        listing = self.run.list_trees().result() if written else self.generator.listing
        self.generator.remember(waiting, listing)
        self.proofs.remember(listing)
        self.run.documents.save()
        self.run.known.save()


class Run:
    """One run over a fleet: its inputs, what is known of it from earlier runs, and the engines."""

    def __init__(self, space: Workspace, engines: Engines) -> None:
        self.space = space
        self.engines = engines
        self._listing = self.list_trees()  # beside the inputs
        self.documents, self.known = space.store("documents"), space.store("units")
        self.inputs = read_inputs(space.root, space.as_of, self.documents)

    def list_trees(self) -> Future[Listing]:
        """Begin to list the generated trees."""
        return self.engines.begin_listing(self.space.root, TREES)

    @property
    def counts(self) -> dict[str, int]:
        inputs = self.inputs
        return {"tenants": len(inputs.fleet.entries["Tenant"]), "instances": len(inputs.resolution.instances)}

    def make(
        self,
        sink: Sink,
        tenants: Sequence[str] = (),
        staged: Callable[[str], Path | None] = lambda _: None,
        blocked: Callable[[Outcome], bool] = lambda _: False,
    ) -> Made:
        """Find what must change, and prove each pair of clusters while its objects are at hand.

        `staged` says where the content of a file lies that is not yet in its place. What is `blocked`, or has errors,
        is not proved: something else comes first.
        """
        inputs, space = self.inputs, self.space
        all_units = list(units(inputs.fleet, inputs.resolution.instances))
        blame = Blamer(inputs.fleet, all_units)
        templates = Templates(inputs.fleet.platform, all_units)
        generator = Generator(space, inputs, all_units, self._listing.result(), self.engines, self.known, sink)

        def content(file: str) -> str:
            return (staged(file) or space.root / file).read_text(encoding="utf-8", errors="replace")

        proofs = Proofs(space, inputs, self.known, self.engines, generator.listing, templates, blame, content)
        for objects in generator.run(tenants, templates, blame):
            outcome = generator.outcome
            wanted = not _has_error(outcome.findings) and not blocked(outcome)
            if wanted and proofs.needs(objects.pair, outcome.changes):
                proofs.take(objects)
        return Made(self, generator, proofs)


def _has_error(findings: Iterable[Finding]) -> bool:
    return any(finding.severity == "error" for finding in findings)


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
