"""Two states of a fleet -> the plan: what changes, for whom, at what risk, in which order, and who must agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from tenantry.change.approvals import approvals
from tenantry.change.building import BuiltSide, Key, build_side, differing_units, surroundings
from tenantry.change.contents import contents
from tenantry.change.effects import effects
from tenantry.change.effects.registration import Scene
from tenantry.change.figures import figures
from tenantry.change.fixed_fields import fixed_fields
from tenantry.change.folding import alike, content
from tenantry.change.instances import instance_effects
from tenantry.change.mixed import mixed
from tenantry.change.proving import Proven
from tenantry.change.side import Side
from tenantry.change.steps import steps
from tenantry.change.windows import AT_ONCE, next_window
from tenantry.core.changes import (
    ControlChange,
    CostChange,
    Effect,
    ObjectiveChange,
    Plan,
    Subject,
    SubjectChange,
    SyncedBy,
)
from tenantry.core.findings import Finding, ObjectChange
from tenantry.core.paths import parse_unit
from tenantry.diff.compare import object_changes
from tenantry.engine.kustomize import Engine
from tenantry.model import names
from tenantry.model.cell import Cell
from tenantry.model.own_names import own_names
from tenantry.resolve.instance import Instance, with_elsewhere

_PIPELINES = {"infra": "infra", "app": "app", "standby": "standby", "cell": "cell"}


@dataclass(frozen=True)
class Planned:
    """The plan, and what the build of the two states found."""

    plan: Plan
    findings: tuple[Finding, ...]


def make_plan(
    engine: Engine,
    before: Side,
    after: Side,
    inputs: tuple[str, ...],
    as_of: str,
    proven: Proven | None = None,
    since: str = "",
) -> Planned:
    """Build what differs between the states, in memory, and say what that means. `inputs` are the files that differ.

    `as_of` is a day; `since` is from when on the next window counts (`Workspace.since`), by default the start of that day.
    """
    differing = differing_units(before, after)
    old, new = (build_side(engine, side, {*differing, *surroundings(side, differing)}) for side in (before, after))
    changes = tuple(object_changes(old.objects, new.objects))
    made = _Assembly(engine, old, new, changes, as_of, since or as_of, proven)
    keyed = sorted(made.subjects(), key=lambda found: _order(found[0].subject))
    subjects = tuple(change for change, _ in keyed)
    plan = Plan(
        before.revision.title, after.revision.title, inputs, subjects, steps(subjects), approvals(after, subjects),
        alike(keyed),
    )  # fmt: skip
    refused = (finding for change in changes for finding in fixed_fields(change, new.objects))
    return Planned(plan, (*old.findings, *new.findings, *refused, *mixed(before, after, subjects)))


def _order(subject: Subject) -> tuple[str, str, str, str]:
    return subject.kind, subject.cluster, subject.cell, subject.name


class _Assembly:
    def __init__(
        self,
        engine: Engine,
        old: BuiltSide,
        new: BuiltSide,
        changes: tuple[ObjectChange, ...],
        as_of: str,
        since: str,
        proven: Proven | None,
    ) -> None:
        self._old, self._new, self._since, self._proven = old, new, since, proven
        self._before, self._after = old.side, new.side
        self._scene = Scene(old.objects, new.objects, {(c.cluster, c.object): c for c in changes})
        self._members = _members(old.side), _members(new.side)
        self._by_subject = self._grouped(changes)
        self._touched = self._differing()
        self._figures = tuple(figures(engine, built, self._touched, as_of) for built in (old, new))

    def subjects(self) -> Iterator[tuple[SubjectChange, Hashable]]:
        """One for each instance, cell and platform that something changes for, and by what it is compared with others."""
        shared = {s.name: self._effects(objects) for s, objects in self._by_subject.items() if s.kind == "cell"}
        names_of = {subject.name for subject in self._by_subject if subject.kind == "instance"} | self._touched
        for name in sorted(names_of | self._sharing(shared)):
            found = self._instance(name, shared)
            if found is not None:
                yield found
        for subject, objects in self._by_subject.items():
            if subject.kind != "instance":
                yield self._shared(subject, objects), subject

    def _grouped(self, changes: Iterable[ObjectChange]) -> Mapping[Subject, list[ObjectChange]]:
        grouped: dict[Subject, list[ObjectChange]] = defaultdict(list)
        for change in changes:
            grouped[self._subject(change)].append(change)
        return grouped

    def _subject(self, change: ObjectChange) -> Subject:
        unit = parse_unit(change.unit)
        if unit.tree == "cell":
            whose = self._member(unit.cell, change)
            return whose or Subject("cell", unit.cell, unit.cluster, cell=unit.cell)
        part = change.unit.rpartition("/")[2]
        name = f"{unit.tenant}-{unit.environment}" if unit.tenant else part
        instance = self._after.instances.get(name) or self._before.instances.get(name)
        return _of(instance) if instance is not None else Subject("platform", unit.cluster, unit.cluster)

    def _member(self, cell: str, change: ObjectChange) -> Subject | None:
        """Whose an object in a cell's namespace is, by its name: a database, its role, its password."""
        name = change.object.name.removeprefix("database-")
        found = next(
            (members[cell][name] for members in reversed(self._members) if name in members.get(cell, {})), None
        )
        return _of(found) if found is not None else None

    def _differing(self) -> set[str]:
        """Instances of which an input differs."""
        differing = {name for name in (*self._before.instances, *self._after.instances) if self._differs(name)}
        excepted = {
            name for name in self._before.instances.keys() & self._after.instances.keys()
            if self._before.exceptions(self._before.instances[name]) != self._after.exceptions(self._after.instances[name])
        }  # fmt: skip
        return differing | excepted

    def _differs(self, name: str) -> bool:
        was, will = self._before.instances.get(name), self._after.instances.get(name)
        if was is None or will is None:
            return True
        return was is not will and self._before.instance_key(was) != self._after.instance_key(will)

    def _sharing(self, shared: Mapping[str, list[Effect]]) -> set[str]:
        """Instances that notice what happens to their cell."""
        return {
            name
            for name, instance in self._after.instances.items()
            if any(_noticed(effect) for effect in shared.get(instance.site.cell.name, ()))
        }

    def _instance(self, name: str, shared: Mapping[str, list[Effect]]) -> tuple[SubjectChange, Hashable] | None:
        was, will = self._before.instances.get(name), self._after.instances.get(name)
        instance = will or was
        assert instance is not None
        subject = _of(instance)
        objects = tuple(self._by_subject.get(subject, ()))
        own = own_names(instance.names)
        neutral = [own.neutral(change) for change in objects]
        found = self._of_places(was, will, neutral) if was and will else []
        cell = instance.site.cell.name
        if was is not None and will is not None:
            found += instance_effects(self._before, self._after, was, will, self._new.objects)
            found += (replace(e, what=f"its cell: {e.what}") for e in shared.get(cell, ()) if _noticed(e))
        elif was is None:
            found.append(
                Effect("availability", "a new instance: an empty database, its own secrets, routes and backups")
            )
        else:
            found.append(
                Effect("data", "the instance is removed: Odoo, database, attachments and backups", downtime="for good")
            )
        if not found and not objects:
            return None
        nameless = tuple(dict.fromkeys(replace(effect, what=own.taken_out(effect.what)) for effect in found))
        named = tuple(replace(effect, what=own.put_back(effect.what)) for effect in nameless)
        made = SubjectChange(
            subject, "changed" if was and will else "added" if will else "removed", named, objects,
            synced_by=tuple(self._synced(instance, objects)), contents=(*self._contents(objects), *_new_records(was, will)),
            cost=self._cost(instance), objectives=tuple(self._objectives(name)), controls=self._controls(was, will),
        )  # fmt: skip
        return made, content(made, nameless, neutral, own)

    def _shared(self, subject: Subject, objects: list[ObjectChange]) -> SubjectChange:
        side = self._after
        there = [
            instance.tenant.name
            for instance in side.instances.values()
            if (
                instance.site.cell.name == subject.cell
                if subject.kind == "cell"
                else subject.cluster in _clusters(instance)
            )
        ]
        application = (
            names.cell_application(subject.name) if subject.kind == "cell" else names.platform_application(subject.name)
        )
        pipeline = "cell" if subject.kind == "cell" else "platform"
        synced = SyncedBy(application, pipeline, subject.cluster, AT_ONCE)  # type: ignore[arg-type]
        known = (self._exists(self._before, subject), self._exists(self._after, subject))
        action = "changed" if all(known) else "added" if known[1] else "removed"
        return SubjectChange(
            subject, action, tuple(dict.fromkeys(self._effects(objects))), tuple(objects),  # type: ignore[arg-type]
            affects=tuple(sorted(set(there))), synced_by=(synced,), contents=self._contents(objects),
            controls=self._breached(subject.name, ControlChange()),
        )  # fmt: skip

    @staticmethod
    def _exists(side: Side, subject: Subject) -> bool:
        if subject.kind == "cell":
            return side.fleet.find(Cell, subject.name) is not None
        return subject.cluster in side.fleet.entries["Cluster"]

    def _of_places(self, was: Instance, will: Instance, objects: Iterable[ObjectChange]) -> list[Effect]:
        """Effects, but of a place that a move makes or leaves only what data is there: the step says the rest."""
        before, after = _clusters(was), _clusters(will)
        found = []
        for change in objects:
            whole = (change.action == "added" and change.cluster in after - before) or (
                change.action == "removed" and change.cluster in before - after
            )
            found += [
                e for e in self._effects([change]) if not whole or (e.risk == "data" and change.action == "removed")
            ]
        return found

    def _effects(self, objects: Iterable[ObjectChange]) -> list[Effect]:
        return [effect for change in objects for effect in effects(change, self._scene)]

    def _contents(self, objects: Iterable[ObjectChange]) -> tuple[str, ...]:
        keys: list[Key] = [(change.cluster, change.object) for change in objects if change.action == "added"]
        return contents(self._new.objects[key] for key in keys)

    def _synced(self, instance: Instance, objects: Iterable[ObjectChange]) -> Iterator[SyncedBy]:
        window = next_window(instance, self._since)
        found = {
            "infra": instance.names.infra_application, "app": instance.names.app_application,
            "standby": instance.names.standby_application,
        }  # fmt: skip
        for tree, cluster, cell in sorted({(c.tree, c.cluster, parse_unit(c.unit).cell) for c in objects}):
            shared = names.cell_application(cell) if cell else names.platform_application(cluster)
            name = found.get(tree) or shared
            when = AT_ONCE if tree in ("cell", "platform") else window
            yield SyncedBy(name, _PIPELINES.get(tree, "platform"), cluster, when)  # type: ignore[arg-type]

    def _cost(self, instance: Instance) -> CostChange | None:
        old, new = (figures.costs.get(instance.name) for figures in self._figures)
        return None if old is None and new is None else CostChange(old, new, instance.tier.cost.max_euro)

    def _objectives(self, name: str) -> Iterator[ObjectiveChange]:
        """Objectives whose derived value or promise differs; none of what is stopped on purpose."""
        after = self._after.instances.get(name)
        if after is not None and not after.running:
            return
        old, new = ({o.objective: o for o in f.objectives.get(name, ())} for f in self._figures)
        for objective in sorted(new.keys() | old.keys()):
            was, will = old.get(objective), new.get(objective)
            known = will or was
            assert known is not None
            if (was and (was.derived, was.promised)) != (will and (will.derived, will.promised)):
                yield ObjectiveChange(
                    objective, known.unit, was.derived if was else None, will.derived if will else None, known.promised,
                    will.kept if will else False,
                )  # fmt: skip

    def _controls(self, was: Instance | None, will: Instance | None) -> ControlChange:
        def lifted(side: Side, instance: Instance | None) -> tuple[str, ...]:
            found = side.exceptions(instance).values() if instance else ()
            return tuple(sorted({exception.control for exception in found}))

        instance = will or was
        assert instance is not None
        return self._breached(instance.name, ControlChange(lifted(self._before, was), lifted(self._after, will)))

    def _breached(self, name: str, controls: ControlChange) -> ControlChange:
        if self._proven is None:
            return controls
        before, after = self._proven.before.get(name, ()), self._proven.after.get(name, ())
        return replace(controls, breached_before=before, breached_after=after)


def _members(side: Side) -> Mapping[str, Mapping[str, Instance]]:
    """Instances by cell and by the name that their objects in the cell's namespace have."""
    found: dict[str, dict[str, Instance]] = defaultdict(dict)
    for instance in with_elsewhere(side.instances.values()):
        found[instance.site.cell.name][instance.names.database_object] = instance
        if instance.beside is not None:
            found[instance.beside.site.cell.name][instance.names.database_object] = instance
    return found


def _of(instance: Instance) -> Subject:
    return Subject(
        "instance", instance.name, instance.site.cluster.name, instance.tenant.name, instance.environment,
        instance.tier.name, instance.site.cell.name,
    )  # fmt: skip


def _clusters(instance: Instance) -> set[str]:
    sites = [site for place in with_elsewhere([instance]) for site in (place.site, place.standby)]
    return {site.cluster.name for site in sites if site is not None}


def _noticed(effect: Effect) -> bool:
    """Whether those who share a cell notice an effect on it."""
    return bool(effect.restarts or effect.downtime) or effect.risk == "data"


def _new_records(was: Instance | None, will: Instance | None) -> Iterator[str]:
    """What the customer must add to the DNS of hosts that are new."""
    known = was.challenge_records if was else {}
    for host, record in (will.challenge_records if will else {}).items():
        if host not in known:
            yield f"the customer adds, before a certificate can be issued: {record}"
