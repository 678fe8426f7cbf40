"""Argo CD's objects: what is synced from where, into what, and when."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.change.effects.registration import Scene, below, beside, effects_of, named, of_metadata, said, some
from tenantry.core.changes import Effect
from tenantry.core.findings import ObjectChange


@effects_of(("argoproj.io", "AppProject"))
def projects(change: ObjectChange, _scene: Scene) -> Iterator[Effect]:
    """Windows are when; everything else is what an application may touch."""
    if change.action != "changed":
        yield Effect("isolation", f"{named(change)} is {change.action}: what its application may touch")
        return
    yield from of_metadata(change)
    for field in below(change, "spec.syncWindows"):
        yield Effect("availability", f"when changes are applied changes: {said(field)}")
    rest = [field for field in beside(change, "metadata", "spec.syncWindows") if field.path != "spec.description"]
    if rest:
        yield Effect("isolation", f"{named(change)}: what its application may touch: {some(rest)}")


@effects_of(("argoproj.io", "Application"), ("argoproj.io", "ApplicationSet"))
def applications(change: ObjectChange, _scene: Scene) -> Iterator[Effect]:
    """An application that is removed takes its objects along if it cascades."""
    if change.action == "removed":
        yield Effect("data", f"Argo CD no longer applies {change.object.name}")
        return
    if change.action == "added":
        yield Effect("availability", f"Argo CD begins to apply {change.object.name}")
        return
    yield from of_metadata(change)
    fields = beside(change, "metadata")
    if fields:
        yield Effect("availability", f"{named(change)}: how it is synced: {some(fields)}")
