"""CustomResourceDefinitions that a tree brings: its objects are judged by them, and they themselves are judged too."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from tenantry.core.findings import ToolError
from tenantry.core.manifest import FieldProblem, Manifest
from tenantry.engine.kustomize import Engine
from tenantry.verify.folder import GAVE_UP, ReadManifests, revive

DEFINITION = ("apiextensions.k8s.io", "CustomResourceDefinition")
_AT_ONCE = 20
"""Definitions in one request; each has at most 3 MiB."""


def read_defined(engine: Engine, read: Callable[[], ReadManifests]) -> ReadManifests:
    """What `read` gives; read once more by the definitions in it, if there are any, with what is wrong with these."""
    if engine.has_definitions:  # of a tree before
        engine.define(())
    folder = read()
    found = [m for m in folder.manifests if m.kind == DEFINITION and m.version == "v1"]
    if not found:
        return folder
    told = dict(zip(map(_place, found), _define(engine, found), strict=True))
    folder = read()
    folder.manifests = [
        dataclasses.replace(m, syntax=(*m.syntax, *told[_place(m)])) if _place(m) in told else m
        for m in folder.manifests
    ]
    return folder


def _place(manifest: Manifest) -> tuple[str, int, tuple[int, ...]]:
    return manifest.file, manifest.document, manifest.items


def _define(engine: Engine, found: Sequence[Manifest]) -> list[tuple[FieldProblem, ...]]:
    told: list[tuple[FieldProblem, ...]] = []
    usable: list[Manifest] = []
    for start in range(0, len(found), _AT_ONCE):
        group = found[start : start + _AT_ONCE]
        try:
            told += engine.define([m.value for m in group], keep=bool(usable))
            usable += group
        except ToolError as error:
            revive(engine, error)
            for manifest in group:  # one of them; find out which
                told.append(_define_one(engine, manifest, usable))
    return told


def _define_one(engine: Engine, manifest: Manifest, usable: list[Manifest]) -> tuple[FieldProblem, ...]:
    try:
        (told,) = engine.define([manifest.value], keep=True)
    except ToolError as error:
        revive(engine, error)
        return (FieldProblem((), "unjudged", f"{GAVE_UP}: {error.message}"),)
    usable.append(manifest)
    return told
