"""Argo CD's objects: what is synced from where, into what, and when."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.change.effects.registration import Scene, below, beside, changes_of, named, said, some
from tenantry.core.changes import Effect
from tenantry.core.findings import ObjectChange


@changes_of(("argoproj.io", "AppProject"), risk="isolation", about=": what its application may touch")
def projects(change: ObjectChange, _scene: Scene) -> Iterator[Effect]:
    """Windows are when; everything else is what an application may touch."""
    for field in below(change, "spec.syncWindows"):
        yield Effect("availability", f"when changes are applied changes: {said(field)}")
    rest = [field for field in beside(change, "spec.syncWindows") if field.path != "spec.description"]
    if rest:
        yield Effect("isolation", f"{named(change)}: what its application may touch: {some(rest)}")


@changes_of(
    ("argoproj.io", "Application"), ("argoproj.io", "ApplicationSet"),
    added=Effect("availability", "Argo CD begins to apply {name}"),
    removed=Effect("data", "Argo CD no longer applies {name}"),
)  # fmt: skip
def applications(change: ObjectChange, _scene: Scene) -> Iterator[Effect]:
    """An application that is removed takes its objects along if it cascades."""
    yield Effect("availability", f"{named(change)}: how it is synced: {some(change.fields)}")
