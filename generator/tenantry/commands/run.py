"""A run over a fleet, shared by `check` and `render`: inputs, necessary changes, proofs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from tenantry.core.findings import Finding
from tenantry.core.paths import GENERATED_TREES
from tenantry.engine.engines import Engines
from tenantry.plan.inputs import read_inputs
from tenantry.prove.cache import Proofs
from tenantry.prove.template_conformance import Templates
from tenantry.publish.generator import Generator, Sink, TreeChanges
from tenantry.render.blame import Blamer
from tenantry.render.units import units
from tenantry.runtime.listing import Change, Listing
from tenantry.runtime.workspace import Workspace


@dataclass(frozen=True)
class Made:
    """The changes that the trees need, and the proofs of their future content."""

    run: Run
    generator: Generator
    proofs: Proofs

    @property
    def outcome(self) -> TreeChanges:
        """Changes and findings of the trees."""
        return self.generator.outcome

    @property
    def counts(self) -> dict[str, int]:
        """What was read, built and changed, for the report."""
        actions = Counter(change.action for change in self.outcome.changes)
        made = self.outcome
        return {
            **self.run.counts,
            "units": made.units, "units_built": made.built, "objects_built": made.objects,
            **{f"files_{action}": actions[action] for action in ("added", "changed", "removed")},
        }  # fmt: skip

    def remember(self, waiting: Sequence[Change] = ()) -> None:
        """Save to the caches what is known about the trees on disk; `waiting` are changes that were not written."""
        written = bool(self.outcome.changes) and not waiting
        listing = self.run.list_trees().result() if written else self.generator.listing
        self.generator.remember(waiting, listing)
        self.proofs.remember(listing)
        self.run.documents.save()
        self.run.known.save()


class Run:
    """A run over a fleet: its inputs, what is known from earlier runs, and the engines.

    `listing` is that of the generated trees, if it was begun before.
    """

    def __init__(self, space: Workspace, engines: Engines, listing: Future[Listing] | None = None) -> None:
        self.space = space
        self.engines = engines
        self._listing = listing or self.list_trees()  # while the inputs are read
        self.documents, self.known = space.store("documents"), space.store("units")
        self.inputs = read_inputs(space.root, space.as_of, self.documents)

    def list_trees(self) -> Future[Listing]:
        """Start listing the generated trees."""
        return self.engines.begin_listing(self.space.root, GENERATED_TREES)

    @property
    def counts(self) -> dict[str, int]:
        inputs = self.inputs
        return {"tenants": len(inputs.fleet.entries["Tenant"]), "instances": len(inputs.resolution.instances)}

    def make(
        self,
        sink: Sink,
        tenants: Sequence[str] = (),
        staged: Callable[[str], Path | None] = lambda _: None,
        blocked: Callable[[TreeChanges], bool] | None = None,
    ) -> Made:
        """Find what must change, and prove each pair of clusters while its objects are in memory.

        `staged` returns the path of a file's content that is not yet in place. An outcome that is `blocked` or has
        errors is not proved, because those must be fixed first.
        """
        inputs, space = self.inputs, self.space
        all_units = list(units(inputs.fleet, inputs.resolution.instances))
        blame = Blamer(inputs.fleet, all_units)
        templates = Templates(inputs.fleet.platform, all_units)
        listing = self._listing.result()
        generator = Generator(
            space, inputs, all_units, listing, self.engines, self.known, sink, proves_changes=blocked is None
        )

        def content(file: str) -> str:
            return (staged(file) or space.root / file).read_text(encoding="utf-8", errors="replace")

        proofs = Proofs(space, inputs, self.known, self.engines, generator.listing, templates, blame, content)
        for objects in generator.run(tenants, templates, blame):
            outcome = generator.outcome
            wanted = not has_error(outcome.findings) and not (blocked and blocked(outcome))
            if wanted and proofs.needs(objects.pair, outcome.changes):
                proofs.take(objects)
            del objects  # before those of the next pair are built
        return Made(self, generator, proofs)


def has_error(findings: Iterable[Finding]) -> bool:
    """Whether a finding is an error, not only a warning."""
    return any(finding.severity == "error" for finding in findings)
