"""Renders and builds units; the next ones are rendered while the engine builds the previous ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from tenantry.core.file_names import file_name
from tenantry.core.findings import Finding, Place
from tenantry.core.manifest import Manifest
from tenantry.core.paths import folder_of, name_of, overlay_folder, rendered_folder
from tenantry.engine.kustomize import BuildError, Engine
from tenantry.prove.template_conformance import Conformance, Templates
from tenantry.publish.bases import Bases
from tenantry.render.kustomizations import Overlay, folders_used, render_overlay
from tenantry.render.registry import Context
from tenantry.render.units import Unit

RENDERED_HEADER = (
    "# Made by tenantry from {path}; do not edit. Change tenants/, tiers/ or platform/, then 'tenantry render'.\n"
)
_IN_FLIGHT = 32
"""Builds requested before their answers are read: enough to keep the engine busy, few enough to keep memory flat."""


@dataclass(frozen=True, slots=True)
class Built:
    """The result of one unit."""

    unit: Unit
    files: Mapping[str, Mapping[str, bytes]]
    """Contents by folder and name."""
    objects: Mapping[str, Manifest]
    """By the path of their file, relative to the root."""
    findings: Sequence[Finding]
    compared: Conformance | None
    """None when Kustomize rejected the overlay."""

    def text(self, file: str) -> str:
        """The new content of a rendered file of the unit."""
        return self.files[folder_of(file)][name_of(file)].decode()


@dataclass(frozen=True, slots=True)
class _Started:
    unit: Unit
    context: Context
    overlay: Overlay
    answer: Future[Any]


def build(engine: Engine, units: Iterable[Unit], bases: Bases, templates: Templates) -> Iterator[Built]:
    """The result of each unit, in order; `engine` already has the files of the bases."""
    waiting: deque[_Started] = deque()
    for unit in units:
        base, context = bases.base(unit.base), unit.context()
        overlay = render_overlay(unit.path, unit.tree, context, base)
        folder = overlay_folder(unit.path)
        given = {f"{folder}/{name}": text for name, text in overlay.files.items()}
        waiting.append(_Started(unit, context, overlay, engine.build(folder, given, folders_used(base))))
        if len(waiting) >= _IN_FLIGHT:
            yield _finish(engine, waiting.popleft(), templates)
    while waiting:
        yield _finish(engine, waiting.popleft(), templates)


def _finish(engine: Engine, started: _Started, templates: Templates) -> Built:
    unit = started.unit
    try:
        objects = engine.objects(started.answer)
    except BuildError as error:
        return Built(unit, {}, {}, [_refused(unit, error)], None)
    header, folder = RENDERED_HEADER.format(path=overlay_folder(unit.path)), rendered_folder(unit.path)
    rendered: dict[str, bytes] = {}
    placed: dict[str, Manifest] = {}
    findings: list[Finding] = []
    for manifest, text in objects:
        name = file_name(manifest.identity)
        if name in rendered:
            findings.append(_twice(unit, manifest))
        rendered[name] = (header + text).encode()
        placed[f"{folder}/{name}"] = replace(manifest, file=f"{folder}/{name}", line=2)
    by_identity = {manifest.identity: manifest for manifest in placed.values()}
    compared = templates.compare_built(unit, started.context, started.overlay.standard, by_identity.get)
    overlay = {name: text.encode() for name, text in started.overlay.files.items()}
    return Built(unit, {overlay_folder(unit.path): overlay, folder: rendered}, placed, findings, compared)


def _refused(unit: Unit, error: BuildError) -> Finding:
    message = f"Kustomize rejects the overlay: {error}"
    hint = "a template produces invalid input for Kustomize; please report it"
    return Finding("K001", Place(overlay_folder(unit.path)), message, hint, tenant=unit.tenant)


def _twice(unit: Unit, manifest: Manifest) -> Finding:
    message, hint = f"{manifest.identity} is generated twice", "two templates produce the same object"
    place = Place(overlay_folder(unit.path))
    return Finding("K002", place, message, hint, tenant=unit.tenant, object=manifest.identity)
