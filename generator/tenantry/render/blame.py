"""From a value in a rendered object back to the lines that decided it.

Found by experiment, not by guess: each input value that the object's unit can see is changed in turn, the unit is made
again, and the lines whose change makes the field change are the ones that decide it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from tenantry.core.findings import Cause, Place, RelatedPlace
from tenantry.core.manifest import Manifest, Path, Problem, dig
from tenantry.inputs.fleet import Fleet
from tenantry.render.alternatives import InputChange
from tenantry.render.completion import added, completed
from tenantry.render.made import MadeObject, bare, made_objects
from tenantry.render.registry import Context
from tenantry.render.trace import TemplateLine, trace
from tenantry.render.trials import IMPOSSIBLE, Trials
from tenantry.render.units import Unit

_MOST_FINDINGS = 10
"""Findings of one run that are followed back by experiment, which takes up to a second each; the rest get the template."""
_IN_A_HINT = 2
"""Input lines that a finding names."""
_MOST_UNITS = 50
"""Units whose values are compared when no input was found to decide a value."""
_GONE = object()


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a rendered object; `text` is line `text_line` (from 1) of its value, where that is a block of text.

    `alone` asks for the line of a mapping or a list, without what it holds.
    """

    path: Path
    text: str = ""
    text_line: int = 0
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """What made a rendered field: what wrote it, and the input lines that decided the value, nearest first.

    `written_by` is a template with its line, or the overlay whose labels or namespace Kustomize adds. `varies` is True
    for a field without causes that may be another one elsewhere in the fleet: no experiment was made, or none found why.
    `foreign` is True for a field that the template does not write at all; then its file alone is named.
    """

    written_by: str
    decided_by: tuple[Place, ...] = ()
    written_at: RelatedPlace | None = None
    varies: bool = False
    foreign: bool = False

    @property
    def from_template(self) -> bool:
        return self.written_by.startswith("templates/")

    def __str__(self) -> str:
        made = f"{'template' if self.from_template else 'made by'} {self.written_by}"
        if self.decided_by:
            return f"decided by {' and '.join(map(str, self.decided_by))}, {made}"
        return made if self.varies else f"the same for everyone, {made}"

    @property
    def cause(self) -> Cause:
        """The source as a finding has it."""
        inputs = tuple(RelatedPlace("input", place) for place in self.decided_by)
        return Cause(str(self), inputs if self.written_at is None else (*inputs, self.written_at))


class Blamer:
    """Follows fields of the fleet's rendered objects back. `units` are all of the fleet."""

    def __init__(self, fleet: Fleet, units: Iterable[Unit]) -> None:
        self._fleet = fleet
        self._units = {unit.path: unit for unit in units}
        self._asked = 0
        self._objects = lru_cache(maxsize=4)(lambda path: made_objects(self._units[path]))

    def __call__(self, manifest: Manifest, problem: Problem) -> Cause:
        self._asked += 1
        most = _IN_A_HINT if self._asked <= _MOST_FINDINGS else 0
        source = self.source(manifest, Field(problem.path), most)
        return source.cause if source else Cause()

    def source(self, manifest: Manifest, field: Field, most: int | None = None) -> Source | None:
        """Where a field comes from, with at most so many causes; None for an object that no template makes."""
        unit = self._units.get(manifest.file.removeprefix("rendered/").rpartition("/")[0])
        made = self._objects(unit.path).get(bare(manifest.identity)) if unit else None
        if unit is None or made is None:
            return None
        view = View(made, unit.context(), field)
        written_by, written_at = _writer(unit, view)
        if most == 0 or view.original is _GONE:
            return Source(written_by, written_at=written_at, varies=True, foreign=view.original is _GONE)
        causes = tuple(islice(_causes(self._fleet, unit, view), most))
        return Source(written_by, causes, written_at, varies=not causes and self._varies(unit, view))

    def _varies(self, unit: Unit, view: View) -> bool:
        """Whether the object has another value in one of the units that are looked at."""
        others = (other for other in self._units.values() if other.tree == unit.tree and other.path != unit.path)
        return any(view.differs(other.context()) for other in islice(others, _MOST_UNITS))


def _writer(unit: Unit, view: View) -> tuple[str, RelatedPlace]:
    """What wrote a field, in words and as a place."""
    part = view.added
    if part:
        overlay = f"overlays/{unit.path}/kustomization.yaml"
        return f"Kustomize, by the {part} in {overlay}", RelatedPlace("overlay", Place(overlay))
    line = view.template
    return str(line), RelatedPlace("template", Place(f"templates/{line.file}", line.line, int(line.line > 0)))


def _causes(fleet: Fleet, unit: Unit, view: View) -> Iterator[Place]:
    """Places of inputs that decide a field, those that say its very value first."""
    trials = Trials(fleet, unit, view.unchanged)
    found: set[Place] = set()
    for change in sorted(trials.changes(), key=lambda change: not _says(change.before, view.original)):
        place = trials.place(change)
        if place in found:
            continue
        try:
            context = trials.context(change)
            decides = context is not None and view.differs(context, change)
        except IMPOSSIBLE:
            continue
        if decides:
            found.add(place)
            yield place


class View:
    """Looks at one field of an object, as a unit's context makes it and as others do."""

    def __init__(self, made: MadeObject, context: Context, field: Field) -> None:
        self._made, self._field = made, field
        here = made.context(context)
        assert here is not None
        self._trace = trace(made.entry.name, here)
        self._overlay = _overlay(context)
        self._text = made.text(here)
        self._parsed = made.parsed(self._text)
        self._object = completed(self._parsed, *self._overlay)
        self.original = self._look(self._object)

    def at(self, field: Field) -> View:
        """The same object, looked at elsewhere."""
        other = copy.copy(self)
        other._field = field
        other.original = other._look(self._object)
        return other

    @property
    def added(self) -> str:
        """`labels` or `namespace` for what Kustomize adds by them, else empty."""
        return added(self._parsed, *self._overlay, self._field.path)

    @property
    def template(self) -> TemplateLine:
        return self._trace.line(self._field.path, self._field.text_line)

    def differs(self, context: Context, change: InputChange | None = None) -> bool:
        """Whether the object is there with another value."""
        here = self._made.context(context, change)
        overlay = _overlay(context)
        if here is None or (overlay == self._overlay and self._trace.same(here)):
            return False
        text = self._made.text(here)
        if overlay == self._overlay and text == self._text:
            return False
        found = self._look(completed(self._made.parsed(text), *overlay))
        return type(found) is not type(self.original) or bool(found != self.original)

    def unchanged(self, context: Context) -> bool:
        """Whether the object is there with the same value."""
        return self._made.context(context) is not None and not self.differs(context)

    def _look(self, value: Any) -> Any:
        found = _counterpart(value, self._object, self._field.path)
        if self._field.text and isinstance(found, str):
            return self._field.text if self._field.text in found.split("\n") else _GONE
        return bool(found) if self._field.alone and isinstance(found, (dict, list)) else found


def _counterpart(value: Any, original: Any, path: Path) -> Any:
    """What stands in `value` where `path` leads in `original`; entries of lists are known by name, or by themselves."""
    for step in path:
        if isinstance(step, int) and isinstance(original, list) and isinstance(value, list):
            at = _entry(value, original, step) if step < len(original) else len(value)
            value = value[at] if at < len(value) else _GONE
        else:
            value = value.get(step, _GONE) if isinstance(value, dict) else _GONE
        original = dig(original, step)
    return value


def _entry(value: list[Any], original: list[Any], index: int) -> int:
    """Where an entry of the original list is now; past the end when it is gone."""
    wanted = original[index]
    if isinstance(wanted, dict):
        name = wanted.get("name")
        known = [
            i
            for i, item in enumerate(value)
            if name is not None and isinstance(item, dict) and item.get("name") == name
        ]
        if known:
            return index if index in known else known[0]
    elif wanted in value:
        return value.index(wanted)
    return index if len(value) == len(original) else len(value)


def _says(before: Any, original: Any) -> bool:
    """Whether an input value stands in the field as it is."""
    if isinstance(before, str) and isinstance(original, str):
        return len(before) > 3 and before in original
    return type(before) is type(original) and bool(before == original)


def _overlay(context: Context) -> tuple[Mapping[str, str], str | None]:
    """Labels and namespace that an overlay adds."""
    return context["labels"], context.get("namespace")
