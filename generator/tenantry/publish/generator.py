"""From input files to the wanted state of the generated trees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby

from tenantry.core.file_names import file_name
from tenantry.core.findings import Finding
from tenantry.core.manifest import Manifest
from tenantry.core.paths import name_of, overlay_folder, parse_unit, rendered_folder
from tenantry.engine.engines import Engines
from tenantry.engine.kustomize import Engine
from tenantry.inputs.fleet import Fleet
from tenantry.model.cluster import Cluster
from tenantry.model.policy import Policy
from tenantry.plan.inputs import Inputs
from tenantry.prove.pairs import Pair, PairObjects
from tenantry.prove.template_conformance import Conformance, Templates
from tenantry.publish.bases import Bases
from tenantry.publish.building import Built, build
from tenantry.publish.known import KnownFolders
from tenantry.publish.leftovers import foreign, left_over
from tenantry.publish.removals import check_removals
from tenantry.render.units import Unit
from tenantry.resolve.instance import with_elsewhere
from tenantry.runtime.cache import Store
from tenantry.runtime.listing import Change, Listing, files_of
from tenantry.runtime.workspace import Workspace
from tenantry.verify.incremental import ClusterFacts, GroupJudge
from tenantry.verify.judge import Blame

Sink = Callable[[Change], Change]
"""Receives each change as it is found, and returns it with or without its content."""


@dataclass
class TreeChanges:
    """What the trees need: changes to write, and findings that may prevent that."""

    changes: list[Change] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    units: int = 0
    built: int = 0
    objects: int = 0


@dataclass
class _Pair:
    """What was generated for a pair of clusters so far."""

    changes: list[Change]
    made: dict[str, Manifest] = field(default_factory=dict)
    compared: dict[str, Conformance] = field(default_factory=dict)


class Generator:
    """Compares the trees with what the inputs give. Unchanged units are recognized by digest and not rendered again.

    Unless it `proves_changes`, policies are compiled in advance only while nothing has changed.
    """

    def __init__(
        self, space: Workspace, inputs: Inputs, all_units: Sequence[Unit], listing: Listing, engines: Engines, store: Store,
        sink: Sink, *, proves_changes: bool = True,
    ) -> None:  # fmt: skip
        self.space = space
        self.inputs = inputs
        self.outcome = TreeChanges(units=len(all_units))
        self.listing = listing
        self._units = sorted(all_units, key=lambda unit: self._pair(unit))
        self._engines = engines
        self._known = KnownFolders(space.root, store, self.listing)
        self._sink = sink
        self._proves_changes = proves_changes
        self._troubled: set[str] = set()

    def run(self, tenants: Sequence[str], templates: Templates, blame: Blame) -> Iterator[PairObjects]:
        """Find out what must change, for the named tenants (and what they share) or for all.

        Yields each pair of clusters for which something was built, while its objects are in memory; `outcome` is
        complete when the iterator is exhausted.
        """
        bases = Bases(self.inputs.fleet)
        self._note(bases.changes(self._known))
        # Every unit is looked up, so that units outside the selection stay known and their files need not be read.
        unknown = [unit for unit in self._units if not self._known.holds(unit.path, unit.key, _folders(unit))]
        dirty = {unit.path for unit in unknown if not tenants or self._concerns(unit, tenants)}
        folders = bases.folders.union(*map(_folders, self._units))
        orphans = [] if tenants else list(left_over(self._known, folders))
        self.outcome.findings += check_removals(self.space.root, self.inputs.fleet, orphans)
        removals = self._note(Change(file, "removed") for file in orphans)
        if dirty:
            judge = GroupJudge(_facts(self.inputs.fleet), blame)
            yield from self._make(dirty, bases, templates, judge, removals)
        self.outcome.findings += foreign(self._known, folders, self.outcome.changes)

    def remember(self, waiting: Sequence[Change], listing: Listing) -> None:
        """Record which units are up to date on disk, from the current `listing`: those without a `waiting` change."""
        self._known.remember(waiting, self._troubled, listing)

    def _note(self, changes: Iterable[Change]) -> list[Change]:
        noted = list(map(self._sink, changes))
        self.outcome.changes += noted
        return noted

    def _pair(self, unit: Unit) -> Pair:
        return self.inputs.fleet.all(Cluster)[unit.cluster].pair

    def _concerns(self, unit: Unit, tenants: Sequence[str]) -> bool:
        """A tenant's own units, and the cells that host it."""
        if unit.tree != "cell":
            return unit.tenant in tenants
        instances = self.inputs.resolution.instances.values()
        own = [i for i in with_elsewhere(instances) if i.tenant.name in tenants]
        cells = {place.site.cell.name for i in own for place in (i, i.beside) if place is not None}
        return parse_unit(unit.path).cell in cells

    def _make(
        self, dirty: set[str], bases: Bases, templates: Templates, judge: GroupJudge, removals: Sequence[Change]
    ) -> Iterator[PairObjects]:
        """Build the units, and check each group in which a unit was built, with the others as they are on disk."""
        engine = self._engines.engine
        if self._proves_changes:
            self._compile()
        wanted = [unit for unit in self._units if unit.path in dirty]
        engine.store(bases.files(unit.base for unit in wanted))
        built = build(engine, wanted, bases, templates)
        groups = {unit.group for unit in wanted}
        members = [unit for unit in self._units if unit.group in groups]
        for pair, of_pair in groupby(members, key=self._pair):
            made = _Pair(list(removals))
            for _, of_group in groupby(of_pair, key=lambda unit: unit.group):
                self._make_group(engine, list(of_group), dirty, built, made, judge)
            files = files_of(pair, self.listing, made.changes)
            self._answer(judge, files)
            yield PairObjects(pair, files, made.changes, made.made, made.compared)
        self.space.progress("rendering", len(dirty), len(dirty))

    def _make_group(
        self,
        engine: Engine,
        units: Sequence[Unit],
        dirty: set[str],
        built: Iterator[Built],
        pair: _Pair,
        judge: GroupJudge,
    ) -> None:
        objects: dict[str, Manifest] = {}
        maker: dict[str, Built] = {}
        for unit in units:
            if unit.path not in dirty:
                objects |= self._read(engine, unit)
                continue
            self.space.progress("rendering", self.outcome.built, len(dirty))
            one = next(built)
            pair.changes += self._take(one)
            objects |= one.objects
            maker |= dict.fromkeys(one.objects, one)
            if one.compared is not None:
                pair.compared[unit.path] = one.compared
        pair.made |= objects

        def content(file: str) -> str:
            return maker[file].text(file) if file in maker else self._present(file)

        judge.judge(units[0].cluster, units[0].group, list(objects.values()), content)

    def _take(self, built: Built) -> list[Change]:
        self.outcome.findings += built.findings
        if built.compared is None:
            return []
        unit = built.unit
        self.outcome.built += 1
        self.outcome.objects += len(built.objects)
        self._known.note(unit.path, unit.key, _folders(unit), unit.group)
        found = (self._known.compare(folder, files) for folder, files in built.files.items())
        changes = self._note(chain.from_iterable(found))
        if not self.outcome.changes:
            self._compile()  # what is up to date so far may well be proved
        return changes

    def _compile(self) -> None:
        self._engines.compile([policy.value() for policy in self.inputs.fleet.all(Policy).values()])

    def _read(self, engine: Engine, unit: Unit) -> dict[str, Manifest]:
        """Objects of a unit from its files, which are known to be up to date."""
        folder = rendered_folder(unit.path)
        names = self.listing.folders[folder].names if folder in self.listing.folders else ()
        files = [f"{folder}/{name}" for name in names]
        started = [(file, engine.parse(self._present(file))) for file in files]
        return {file: manifest for file, answer in started for manifest in engine.parsed(answer, file)[0]}

    def _present(self, file: str) -> str:
        """Text of a file as it is on disk; empty for one that is not yet written."""
        try:
            return (self.space.root / file).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def _answer(self, judge: GroupJudge, files: Mapping[str, Sequence[str]]) -> None:
        """Check what the groups of a pair require of each other, and forget the units of groups with findings."""
        names = {cluster: {name_of(file) for file in there} for cluster, there in files.items()}
        by_group = judge.answer(lambda cluster, identity: file_name(identity) in names.get(cluster, ()), self._present)
        self.outcome.findings += chain.from_iterable(by_group.values())
        self._troubled.update(by_group)


def _facts(fleet: Fleet) -> dict[str, ClusterFacts]:
    return {
        cluster.name: ClusterFacts(cluster.kubernetes_version, cluster.storage_classes.names)
        for cluster in fleet.all(Cluster).values()
    }


def _folders(unit: Unit) -> tuple[str, str]:
    return overlay_folder(unit.path), rendered_folder(unit.path)
