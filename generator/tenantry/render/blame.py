"""From a value in a rendered object back to the line that decided it.

Found by experiment, not by guess: each value that the object's template can see is changed in turn, the template is
rendered again, and the value that makes the field change is the one to blame.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from tenantry.core.findings import ObjectId
from tenantry.core.manifest import Manifest, Path, Problem, dig
from tenantry.inputs.fleet import Fleet
from tenantry.model.cell import Cell
from tenantry.model.cluster import Cluster
from tenantry.model.convert import to_camel_case
from tenantry.model.platform import Platform
from tenantry.model.release import Release
from tenantry.model.tenant import Tenant
from tenantry.model.tier import Tier
from tenantry.render.environment import source_of
from tenantry.render.files import expand, parse_object, render_text
from tenantry.render.kustomizations import object_id
from tenantry.render.registry import COMPONENTS, TREE_COMPONENTS, TREES, Context, ObjectTemplate
from tenantry.render.units import Unit
from tenantry.resolve.instance import Instance

_ENTRIES = (Tenant, Tier, Release, Cell, Cluster, Platform)
_MOST_FINDINGS = 10
"""Findings of one run that are followed back by experiment, which takes up to a second each; the rest get the template."""

Trail = tuple[str, ...]
"""Names of attributes, from an argument of a context down."""


@dataclass(frozen=True, slots=True)
class Source:
    """What made a rendered field: a template's line, and the input line that decided the value (or nothing)."""

    template: str
    line: int
    decided_by: tuple[str, ...] = ()

    def __str__(self) -> str:
        inputs = f"decided by {' and '.join(self.decided_by)}" if self.decided_by else "the same for everyone"
        return f"{inputs}, template {self.template}:{self.line}"


class Blamer:
    """Follows fields of the fleet's rendered objects back. `units` are all of the fleet."""

    def __init__(self, fleet: Fleet, units: Iterable[Unit]) -> None:
        self._fleet = fleet
        self._units = {unit.path: unit for unit in units}
        self._asked = 0
        self._templates = lru_cache(maxsize=4)(self._find_templates)

    def __call__(self, manifest: Manifest, problem: Problem) -> str:
        self._asked += 1
        source = self.source(manifest, problem.path, experiment=self._asked <= _MOST_FINDINGS)
        return str(source) if source else ""

    def source(self, manifest: Manifest, path: Path, *, experiment: bool = True) -> Source | None:
        """Where a field comes from; None for an object that no template makes."""
        unit = self._units.get(manifest.file.removeprefix("rendered/").rpartition("/")[0])
        if unit is None:
            return None
        found = self._templates(unit.path).get(_bare(manifest.identity))
        if found is None:
            return None
        name, entry, suffix = found
        line = _template_line(name, path)
        decided = self._experiment(unit, entry, suffix, path) if experiment and entry is not None else ()
        return Source(f"templates/{name}.yaml.j2", line, decided)

    def _find_templates(self, path: str) -> dict[ObjectId, tuple[str, ObjectTemplate | None, str]]:
        """Object -> its template, the registry's line (none for components), and its file name."""
        unit = self._units[path]
        context = unit.context()
        found: dict[ObjectId, tuple[str, ObjectTemplate | None, str]] = {}
        for component in TREE_COMPONENTS[unit.tree]:
            for stem in COMPONENTS[component.name]:
                name = f"components/{component.name}/{stem}"
                found[_bare(object_id(parse_object(render_text(name, context), name)))] = name, None, ""
        for entry in TREES[unit.tree]:
            for file, more in expand(entry, context):
                identity = _bare(object_id(parse_object(render_text(entry.name, more), entry.name)))
                found[identity] = entry.name, entry, file
        return found

    def _experiment(self, unit: Unit, entry: ObjectTemplate, file: str, path: Path) -> tuple[str, ...]:
        original = _value(entry, file, unit.context(), path)
        decided: dict[str, None] = {}
        for place, context in self._changed_contexts(unit):
            try:
                if _value(entry, file, context, path) != original:
                    decided[place] = None
            except Exception:  # noqa: S112 - a context that can't be, which may break templates anywhere: it says nothing
                continue
            if len(decided) == 2:
                break
        return tuple(decided)

    def _changed_contexts(self, unit: Unit) -> Iterator[tuple[str, Context]]:
        """(input place, context with the value that stands there changed)."""
        make = unit.context
        assert isinstance(make, partial)
        for index, argument in enumerate(make.args):
            if not dataclasses.is_dataclass(argument) or isinstance(argument, type):
                continue
            for trail, changed in _variants(argument, 0):
                place = self._place(argument, trail)
                if place:
                    arguments = (*make.args[:index], changed, *make.args[index + 1 :])
                    try:
                        yield place, make.func(*arguments)
                    except Exception:  # noqa: S112 - as in _experiment
                        continue

    def _place(self, argument: object, trail: Trail) -> str:
        """File and line of the input that gives the attribute at the end of a trail."""
        if isinstance(argument, Instance) and trail[0] == "settings":
            origin = argument.origin(".".join(trail[1:]))
            return str(self._fleet.origin_place(origin)) if origin else ""
        if isinstance(argument, Instance) and trail[0] in ("hosts", "state", "environment", "names"):
            return str(self._fleet.place(argument.tenant))
        entry, rest = argument, trail
        while rest and not isinstance(entry, _ENTRIES):
            entry, rest = getattr(entry, rest[0]), rest[1:]
        if not isinstance(entry, _ENTRIES):
            return ""
        return str(self._fleet.place(entry, *map(to_camel_case, rest)))


def _variants(value: Any, depth: int) -> Iterator[tuple[Trail, Any]]:
    """The dataclass with one value in it changed, for each of its values; the resolved ones first."""
    fields = [f.name for f in dataclasses.fields(value) if f.name != "origins"]
    for name in sorted(fields, key=lambda name: name != "settings"):
        inner = getattr(value, name)
        if dataclasses.is_dataclass(inner) and depth < 6:
            for trail, changed in _variants(inner, depth + 1):
                yield (name, *trail), dataclasses.replace(value, **{name: changed})
            continue
        other = _other(inner)
        if other is not None:
            yield (name,), dataclasses.replace(value, **{name: other})


def _other(value: Any) -> Any:
    """Another value of the same type; None when there is no telling."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return value + 0.5
        case str():
            return f"{value}x"
        case (first, *rest):
            return (_changed_entry(first), *rest)
    return None


def _changed_entry(entry: Any) -> Any:
    if dataclasses.is_dataclass(entry) and not isinstance(entry, type):
        return next((changed for _, changed in _variants(entry, 5)), entry)
    return _other(entry)


def _value(entry: ObjectTemplate, file: str, context: Context, path: Path) -> Any:
    for name, more in expand(entry, context):
        if name == file:
            return dig(parse_object(render_text(entry.name, more), entry.name), *path)
    return None


def _bare(identity: ObjectId) -> ObjectId:
    """The identity as templates write it; overlays add the namespace."""
    return dataclasses.replace(identity, namespace="")


@lru_cache(maxsize=64)
def _lines(name: str) -> tuple[str, ...]:
    return tuple(source_of(f"{name}.yaml.j2").splitlines())


def _template_line(name: str, path: Path) -> int:
    """The line on which the last key of the path is found, its keys looked for in turn."""
    lines = _lines(name)
    line = 0
    for step in path:
        if not isinstance(step, str):
            continue
        found = next((n for n in range(line, len(lines)) if f"{step}:" in lines[n]), None)
        if found is None:
            break
        line = found
    return line + 1
