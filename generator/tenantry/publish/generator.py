"""The whole way from input files to the wanted state of the trees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from itertools import chain, groupby
from typing import Any

from tenantry.core.file_names import file_name
from tenantry.core.findings import Finding, Place
from tenantry.core.manifest import Manifest
from tenantry.engine.kustomize import BuildError, Engine
from tenantry.engine.prestart import Ahead
from tenantry.inputs.fleet import Fleet
from tenantry.model.cluster import Cluster
from tenantry.plan.inputs import Inputs
from tenantry.publish.removals import check_removals
from tenantry.render.blame import Blamer
from tenantry.render.kustomizations import EMPTY_BASE, Base, folders_used, render_base, render_component, render_overlay
from tenantry.render.registry import COMPONENTS
from tenantry.render.units import BaseUnit, Unit, base_units, component_context, units
from tenantry.runtime import listing as trees
from tenantry.runtime.cache import Store, digest_of
from tenantry.runtime.listing import Change, Listing, names_by_cluster
from tenantry.runtime.workspace import Workspace
from tenantry.verify.incremental import ClusterFacts, GroupJudge
from tenantry.verify.judge import no_blame

Sink = Callable[[Change], Change]
"""Takes each change as it is found, and gives it back with or without its content."""

RENDERED_HEADER = (
    "# Made by tenantry from {path}; do not edit. Change tenants/, tiers/ or platform/, then 'tenantry render'.\n"
)
_IN_FLIGHT = 32
"""Builds asked for ahead of the answers: enough to keep the engine busy, few enough to keep memory flat."""


@dataclass
class Outcome:
    """What the trees need: changes to write, and what stands in the way."""

    changes: list[Change] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    units: int = 0
    built: int = 0
    objects: int = 0
    orphans: list[str] = field(default_factory=list)


class Generator:
    """Compares the trees with what the inputs give. Unchanged units are known by digest and not made again."""

    def __init__(self, space: Workspace, inputs: Inputs, ahead: Ahead, known: Store, sink: Sink) -> None:
        self.space = space
        self.root = space.root
        self.inputs = inputs
        self.ahead = ahead
        self.known = known
        self.progress = space.progress
        self.sink = sink
        self.listing: Listing = Listing()
        self.outcome = Outcome()
        self.fresh: list[tuple[str, str, tuple[str, ...]]] = []
        self._bases: dict[str, Base] = {}
        self._folders: set[str] = set()
        self._trusted: set[str] = set()
        self._judge = GroupJudge(_facts(inputs.fleet), no_blame)  # until the units are known
        self._made: dict[str, Made] = {}
        self._open: list[tuple[str, list[Unit]]] = []
        self._troubled: set[str] = set()
        self._group_of: dict[str, str] = {}

    def run(self, tenants: Sequence[str] = ()) -> Outcome:
        """Find out what must change, for the named tenants (and what they share in) or for all."""
        fleet = self.inputs.fleet
        self.listing = self.space.list()
        all_units = list(units(fleet, self.inputs.resolution.instances))
        self.outcome.units = len(all_units)
        self._judge.blame = Blamer(fleet, all_units)
        bases = list(base_units(fleet))
        self._compare_bases(bases)
        # Every unit is looked up: what is known of the ones not chosen stays known, and their files need no look inside.
        unknown = [unit for unit in all_units if not self._is_known(unit)]
        dirty = [unit for unit in unknown if not tenants or self._concerns(unit, tenants)]
        if dirty:
            groups = {unit.group for unit in dirty}
            members = [unit for unit in all_units if unit.group in groups]
            self._make(dirty, {base.path: base for base in bases}, members)
        for unit in all_units:
            self._folders.update(_folders(unit))
        self._judge_leftovers(tenants)
        return self.outcome

    def remember(self, *, written: bool) -> None:
        """Note which units are on disk as wanted: those without a change, and all once changes are written."""
        changed = set() if written else {change.file.rpartition("/")[0] for change in self.outcome.changes}
        root = str(self.root)
        for path, key, folders in self.fresh:
            if self._group_of.get(path) in self._troubled:
                continue  # judged again until nothing is found
            if not changed.isdisjoint(folders):
                continue
            for folder in folders if written else ():
                trees.list_folder(root, folder, self.listing)
            self.known.put(path, [key, self.listing.fingerprint(folders)])

    def _note(self, changes: Iterable[Change]) -> None:
        self.outcome.changes += map(self.sink, changes)

    # --- bases

    def _compare_bases(self, bases: Iterable[BaseUnit]) -> None:
        platform = self.inputs.fleet.platform
        key = digest_of(self.inputs.fleet.document(platform).digest)
        for name in COMPONENTS:
            folder = f"base/components/{name}"
            self._compare_base(folder, key, lambda name=name: render_component(name, component_context(platform)))  # type: ignore[misc]
        self._by_path = {base.path: base for base in bases}
        for base in self._by_path.values():
            self._compare_base(f"base/{base.path}", base.key, lambda base=base: self._base(base).files)  # type: ignore[misc]

    def _compare_base(self, folder: str, key: str, make: Callable[[], Mapping[str, str]]) -> None:
        self._folders.add(folder)
        entry = self.known.get(folder)
        if entry == [key, self.listing.fingerprint((folder,))]:
            self._trusted.add(folder)
            return
        wanted = {path.rsplit("/", 1)[-1]: text.encode() for path, text in make().items()}
        self._note(trees.compare(self.root, self.listing, folder, wanted))
        self.fresh.append((folder, key, (folder,)))

    def _base(self, unit: BaseUnit) -> Base:
        base = self._bases.get(unit.path)
        if base is None:
            base = self._bases[unit.path] = render_base(unit.path, unit.tree, unit.context())
        return base

    # --- units

    def _concerns(self, unit: Unit, tenants: Sequence[str]) -> bool:
        """A tenant's own units, and the cells that hold it."""
        if unit.tree != "cell":
            return unit.tenant in tenants
        instances = self.inputs.resolution.instances.values()
        cells = {i.site.cell.name for i in instances if i.tenant.name in tenants}
        return unit.path.rsplit("/", 1)[-1] in cells

    def _is_known(self, unit: Unit) -> bool:
        entry = self.known.get(unit.path)
        known = bool(entry == [unit.key, self.listing.fingerprint(_folders(unit))])
        if known:
            self._trusted.update(_folders(unit))
        return known

    def _make(self, dirty: Sequence[Unit], bases: Mapping[str, BaseUnit], members: Sequence[Unit]) -> None:
        """Render and build units, the next while earlier ones are built, and judge each group once it is whole."""
        wanted = {unit.path for unit in dirty}
        with self.ahead.engine() as engine:
            engine.store(self._shared_files(dirty, bases))
            waiting: list[tuple[Unit, Mapping[str, str], Future[Any]]] = []
            done = 0
            for group, units_of_group in groupby(members, key=lambda unit: unit.group):
                pending = list(units_of_group)
                for unit in pending:
                    if unit.path not in wanted:
                        continue
                    self.progress("rendering", done, len(dirty))
                    done += 1
                    base = self._base(bases[unit.base]) if unit.base else EMPTY_BASE
                    files = render_overlay(unit.path, unit.tree, unit.context(), base)
                    folder = f"overlays/{unit.path}"
                    given = {f"{folder}/{name}": text for name, text in files.items()}
                    waiting.append((unit, files, engine.build(folder, given, folders_used(base))))
                self._open.append((group, pending))
                while len(waiting) >= _IN_FLIGHT:
                    self._take(engine, *waiting.pop(0))
                self._judge_whole(engine, {unit.path for unit, _, _ in waiting})
            for item in waiting:
                self._take(engine, *item)
            self._judge_whole(engine, set())
            self.progress("rendering", len(dirty), len(dirty))
        self._answer()

    def _judge_whole(self, engine: Engine, waiting: set[str]) -> None:
        """Judge the groups whose units are all built; units that did not change are read from their files."""
        while self._open and not any(unit.path in waiting for unit in self._open[0][1]):
            group, pending = self._open.pop(0)
            manifests: list[Manifest] = []
            texts: dict[str, bytes] = {}
            for unit in pending:
                made = self._made.pop(unit.path, None) or self._read(engine, unit)
                manifests += made.manifests
                texts |= made.texts
            self._judge.judge(pending[0].cluster, group, manifests, lambda file, texts=texts: texts[file].decode())  # type: ignore[misc]

    def _read(self, engine: Engine, unit: Unit) -> Made:
        """Objects of a unit from its files, which are known to be current."""
        folder = _folders(unit)[1]
        names = self.listing.folders[folder].names if folder in self.listing.folders else ()
        texts = {f"{folder}/{name}": (self.root / folder / name).read_bytes() for name in names}
        started = [(file, engine.parse(text.decode(errors="replace"))) for file, text in texts.items()]
        return Made([m for file, future in started for m in engine.parsed(future, file)[0]], texts)

    def _present(self, file: str) -> str:
        """Text of a file as it lies there now; empty for one that is not yet written."""
        try:
            return (self.root / file).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def _answer(self) -> None:
        """Answer what the groups asked of each other, and forget the units of groups with findings."""
        names = names_by_cluster(self.listing, self.outcome.changes)
        has = lambda cluster, identity: file_name(identity) in names.get(cluster, ())  # noqa: E731
        by_group = self._judge.answer(has, self._present)
        self.outcome.findings += chain.from_iterable(by_group.values())
        self._troubled = set(by_group)

    def _shared_files(self, dirty: Sequence[Unit], bases: Mapping[str, BaseUnit]) -> dict[str, str]:
        files: dict[str, str] = {}
        for name in COMPONENTS:
            files |= render_component(name, component_context(self.inputs.fleet.platform))
        for path in sorted({unit.base for unit in dirty if unit.base}):
            files |= self._base(bases[path]).files
        return {f"base/{path}": text for path, text in files.items()}

    def _take(self, engine: Engine, unit: Unit, files: Mapping[str, str], started: Future[Any]) -> None:
        overlay, rendered = _folders(unit)
        try:
            objects = engine.objects(started)
        except BuildError as error:
            message = f"Kustomize refuses the overlay: {error}"
            self.outcome.findings.append(
                Finding(
                    "K001",
                    Place(overlay),
                    message,
                    "a template makes what Kustomize can't take; please report it",
                    tenant=unit.tenant,
                )
            )
            return
        wanted = self._rendered_files(unit, objects)
        texts = {f"{rendered}/{name}": content for name, content in wanted.items()}
        placed = [replace(m, file=f"{rendered}/{file_name(m.identity)}", line=2) for m, _ in objects]
        self._made[unit.path] = Made(placed, texts)
        changes = [
            *trees.compare(self.root, self.listing, overlay, {name: text.encode() for name, text in files.items()}),
            *trees.compare(self.root, self.listing, rendered, wanted),
        ]
        self._note(changes)
        self.outcome.built += 1
        self.outcome.objects += len(objects)
        self.fresh.append((unit.path, unit.key, (overlay, rendered)))
        self._group_of[unit.path] = unit.group

    def _rendered_files(self, unit: Unit, objects: Sequence[tuple[Manifest, str]]) -> dict[str, bytes]:
        """File name -> content of each object; two objects of one identity are a finding."""
        overlay, _ = _folders(unit)
        header = RENDERED_HEADER.format(path=overlay)
        wanted: dict[str, bytes] = {}
        for manifest, text in objects:
            identity = manifest.identity
            name = file_name(identity)
            if name in wanted:
                message = f"{identity} is made twice"
                self.outcome.findings.append(
                    Finding(
                        "K002",
                        Place(overlay),
                        message,
                        "two templates give the same object",
                        tenant=unit.tenant,
                        object=identity,
                    )
                )
            wanted[name] = (header + text).encode()
        return wanted

    # --- what lies there besides

    def _judge_leftovers(self, tenants: Sequence[str]) -> None:
        for path in sorted(self.listing.strangers):
            self.outcome.findings.append(_foreign(path, "is a link, a special file, or a folder in a file's place"))
        for folder in sorted(self.listing.folders.keys() - self._trusted):
            owned = folder in self._folders
            for name in self.listing.folders[folder].names:
                file = f"{folder}/{name}"
                if not trees.is_ours(self.root / file):
                    if not owned or not self._is_wanted(file):
                        self.outcome.findings.append(_foreign(file, "is not made by tenantry"))
                elif not owned:
                    self.outcome.orphans.append(file)
        if not tenants:
            self.outcome.findings += check_removals(self.root, self.inputs.fleet, self.outcome.orphans)
            self._note(Change(file, "removed") for file in self.outcome.orphans)

    def _is_wanted(self, file: str) -> bool:
        """True for a file of ours whose first line was edited away: it will be written again."""
        return any(change.file == file and change.action == "changed" for change in self.outcome.changes)


@dataclass(frozen=True, slots=True)
class Made:
    """Objects of one unit, with their files' contents by path."""

    manifests: Sequence[Manifest]
    texts: Mapping[str, bytes]


def _facts(fleet: Fleet) -> dict[str, ClusterFacts]:
    return {
        cluster.name: ClusterFacts(cluster.kubernetes_version, cluster.storage_classes.names)
        for cluster in fleet.all(Cluster).values()
    }


def _folders(unit: Unit) -> tuple[str, str]:
    return f"overlays/{unit.path}", f"rendered/{unit.path}"


def _foreign(file: str, why: str) -> Finding:
    return Finding(
        "G001",
        Place(file),
        f"{why}, so nothing in this tree is touched",
        "move it out of base/, overlays/ and rendered/",
    )
