"""How the effects of a kind are registered, and what they are judged by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from tenantry.change.building import Key
from tenantry.core.changes import Effect, Risk
from tenantry.core.findings import FieldChange, ObjectChange
from tenantry.core.manifest import Manifest
from tenantry.core.wording import first_few

_LONGEST = 80
"""Characters of a value in a sentence."""
_METADATA: Mapping[str, tuple[Risk, str]] = {
    "pod-security.kubernetes.io/": ("isolation", "what Pods may do in the namespace"),
    "argocd.argoproj.io/sync-options": ("data", "whether Argo CD may delete it"),
    "helm.sh/resource-policy": ("data", "whether it may be deleted"),
    "cnpg.io/hibernation": ("availability", "the database is stopped or started"),
    "tenantry.io/": ("isolation", "policies and network rules select by it"),
}
"""Labels and annotations that something acts on."""


@dataclass(frozen=True)
class Scene:
    """The objects of both states, as far as they were built."""

    before: Mapping[Key, Manifest]
    after: Mapping[Key, Manifest]
    changed: Mapping[Key, ObjectChange]

    @cached_property
    def _by_namespace(self) -> Mapping[tuple[str, str], list[Manifest]]:
        found: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
        for (cluster, identity), manifest in self.after.items():
            found[cluster, identity.namespace].append(manifest)
        return found

    def neighbours(self, change: ObjectChange) -> Sequence[Manifest]:
        """Objects that will be in the same namespace."""
        return self._by_namespace.get((change.cluster, change.object.namespace), [])

    def was(self, change: ObjectChange) -> Manifest | None:
        """The object before the change."""
        return self.before.get((change.cluster, change.object))

    def will_be(self, change: ObjectChange) -> Manifest | None:
        """The object after the change."""
        return self.after.get((change.cluster, change.object))


EffectsOf = Callable[[ObjectChange, Scene], Iterator[Effect]]
EFFECTS: dict[tuple[str, str], EffectsOf] = {}


def effects_of(*kinds: tuple[str, str]) -> Callable[[EffectsOf], EffectsOf]:
    """Register what changes of these kinds, (API group, kind), mean. Raises ValueError for a kind that is known already."""

    def register(function: EffectsOf) -> EffectsOf:
        for kind in kinds:
            if kind in EFFECTS:
                raise ValueError(f"effects of {kind} are registered twice")
            EFFECTS[kind] = function
        return function

    return register


def named(change: ObjectChange) -> str:
    """The object in a sentence, without the namespace, which names an instance."""
    return f"{change.object.kind} {change.object.name}"


def below(change: ObjectChange, *prefixes: str) -> list[FieldChange]:
    """Changed fields at or below these paths."""
    return [f for f in change.fields if any(f.path == p or f.path.startswith((f"{p}.", f"{p}[")) for p in prefixes)]


def beside(change: ObjectChange, *prefixes: str) -> list[FieldChange]:
    """Changed fields that are below none of these paths."""
    inside = {f.path for f in below(change, *prefixes)}
    return [f for f in change.fields if f.path not in inside]


def said(field: FieldChange) -> str:
    """A field's change, short enough for a sentence."""
    before, after = _short(field.before), _short(field.after)
    path = field.path.removeprefix("spec.").removeprefix("template.spec.")
    return f"{path} {before} -> {after}" if before != after else f"{path} changes"


def some(fields: Sequence[FieldChange], most: int = 3) -> str:
    """The first changes, each said once, and how many more there are."""
    return first_few(list(dict.fromkeys(map(said, fields))), most, "; ")


def _short(value: Any) -> str:
    text = "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    if "@sha256:" in text and " " not in text:
        name, _, digest = text.rpartition("/")[2].partition("@sha256:")
        return f"{name}@{digest[:8]}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def of_metadata(change: ObjectChange) -> Iterator[Effect]:
    """Changed labels and annotations, the same for all objects that share them: cosmetic, unless something acts on them."""
    for field in below(change, "metadata"):
        known = next(((risk, why) for key, (risk, why) in _METADATA.items() if key in field.path), None)
        risk, why = known or ("cosmetic", "nothing acts on it")
        path = field.path.removeprefix("metadata.")
        yield Effect(risk, f"{path} {_short(field.before)} -> {_short(field.after)}: {why}")


def of_kind(
    fields: EffectsOf,
    *,
    risk: Risk = "availability",
    about: str = "",
    added: Effect | None = None,
    removed: Effect | None = None,
) -> EffectsOf:
    """Effects of a kind of which only the `fields` need thought: it is asked about changed ones beside the metadata.

    An object that comes or goes is an effect of the `risk`, unless another is given, in which `{object}` and `{name}` stand
    for it.
    """
    given = {"added": added, "removed": removed}

    def found(change: ObjectChange, scene: Scene) -> Iterator[Effect]:
        if change.action != "changed":
            effect = given[change.action] or Effect(risk, f"{{object}} is {change.action}{about}")
            what = effect.what.replace("{object}", named(change)).replace("{name}", change.object.name)
            yield replace(effect, what=what)
            return
        yield from of_metadata(change)
        inside = beside(change, "metadata")
        if inside:
            yield from fields(replace(change, fields=tuple(inside)), scene)

    return found


def changes_of(
    *kinds: tuple[str, str],
    risk: Risk = "availability",
    about: str = "",
    added: Effect | None = None,
    removed: Effect | None = None,
) -> Callable[[EffectsOf], EffectsOf]:
    """Register what changed fields of these kinds mean; the rest is as in `of_kind`."""

    def register(function: EffectsOf) -> EffectsOf:
        effects_of(*kinds)(of_kind(function, risk=risk, about=about, added=added, removed=removed))
        return function

    return register


def simple(risk: Risk, sentence: str, added: Effect | None = None) -> EffectsOf:
    """Effects of a kind whose every change is of one risk; `sentence` says what it is about."""

    def fields(change: ObjectChange, _scene: Scene) -> Iterator[Effect]:
        yield Effect(risk, f"{named(change)}: {sentence}: {some(change.fields)}")

    return of_kind(fields, risk=risk, about=f": {sentence}", added=added)


def _any(change: ObjectChange, _scene: Scene) -> Iterator[Effect]:
    yield Effect("availability", f"{named(change)} changes: {some(change.fields)}")


unknown = of_kind(_any)
"""Effects of a kind without rules of its own."""
