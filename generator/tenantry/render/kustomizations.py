"""Bases and overlays: which files, and what an overlay changes in its base.

An overlay is computed, not written: the same template is rendered for the reference instance (that is the base)
and for the instance, and the overlay holds the difference. So base plus overlay can give nothing else than what
the template says for that instance.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tenantry.core.findings import ObjectId
from tenantry.render.files import expand, own_words, parse_object, render_text
from tenantry.render.patches import Patch, change, deletion, says_order
from tenantry.render.registry import COMPONENTS, TREE_COMPONENTS, TREES, Context, ObjectTemplate, Tree


@dataclass(frozen=True)
class Base:
    """A folder below base/: its files (path below base/ -> text), its objects and its components."""

    path: str
    files: Mapping[str, str]
    objects: Mapping[ObjectId, Mapping[str, Any]]
    components: tuple[str, ...]


def folders_used(base: Base) -> list[str]:
    """Folders, below the root, that an overlay on this base may name."""
    return [f"base/{base.path}", *(f"base/components/{name}" for name in COMPONENTS)] if base.path else []


def object_id(value: Mapping[str, Any]) -> ObjectId:
    group = value["apiVersion"].rpartition("/")[0]
    return ObjectId(group, value["kind"], value["metadata"].get("namespace", ""), value["metadata"]["name"])


def render_component(name: str, context: Context) -> dict[str, str]:
    """Files of one component, for everyone the same."""
    folder = f"components/{name}"
    files = {f"{folder}/{stem}.yaml": render_text(f"{folder}/{stem}", context) for stem in COMPONENTS[name]}
    files[f"{folder}/kustomization.yaml"] = kustomization_text([f"{stem}.yaml" for stem in COMPONENTS[name]])
    return files


def render_base(path: str, tree: Tree, context: Context) -> Base:
    """A tier's base for one tree, rendered for the reference instance."""
    files: dict[str, str] = {}
    objects: dict[ObjectId, Mapping[str, Any]] = {}
    for entry in TREES[tree]:
        if entry.keep == "base":
            for file, more in expand(entry, context):
                text = render_text(entry.name, more)
                files[f"{path}/{file}"] = text
                value = parse_object(text, entry.name)
                objects[object_id(value)] = value
    components = tuple(c.name for c in TREE_COMPONENTS[tree] if c.when(context))
    up = posixpath.relpath(".", path)
    resources = [f"{up}/components/{name}" for name in components] + sorted(posixpath.basename(f) for f in files)
    files[f"{path}/kustomization.yaml"] = kustomization_text(resources)
    return Base(path, files, objects, components)


EMPTY_BASE = Base("", {}, {}, ())
"""For trees of which nothing is common."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """One overlay's files (name -> text): its kustomization, and the objects that have no base.

    `standard` are the objects of `standard_objects`, but for those of components, as the same templates gave them.
    """

    files: Mapping[str, str]
    standard: Sequence[Mapping[str, Any]]


def render_overlay(path: str, tree: Tree, context: Context, base: Base) -> Overlay:
    """Render the tree's templates once, for its files and for what its objects will be compared with."""
    files: dict[str, str] = {}
    patches: list[Patch] = []
    standard: list[Mapping[str, Any]] = []
    left = dict(base.objects)
    for entry in TREES[tree]:
        for file, more in expand(entry, context):
            text = render_text(entry.name, more)
            value = parse_object(text, entry.name, own_words(more)) if _is_standard(tree, entry) else None
            if value is not None:
                standard.append(value)
            original = left.pop(object_id(value), None) if value is not None and entry.keep == "base" else None
            if value is None or original is None:
                files[file] = text
            else:
                patches += change(original, value)
    patches += [deletion(value) for value in left.values()]
    up = posixpath.relpath(".", f"overlays/{path}")
    wanted = [c.name for c in TREE_COMPONENTS[tree] if c.when(context)]
    patches += [p for name in base.components if name not in wanted for p in _delete_component(name, context)]
    resources = [f"{up}/base/{base.path}"] if base.path else []
    resources += [f"{up}/base/components/{name}" for name in wanted if name not in base.components]
    resources += sorted(files)
    files["kustomization.yaml"] = kustomization_text(
        resources, context.get("namespace"), context.get("labels"), patches
    )
    return Overlay(files, standard)


Components = Mapping[str, Sequence[Mapping[str, Any]]]
"""Objects of each component."""


def component_objects(context: Context) -> Components:
    """What is the same for everyone; of the context only the platform is looked at."""
    found = {}
    for component, stems in COMPONENTS.items():
        names = [f"components/{component}/{stem}" for stem in stems]
        found[component] = [parse_object(render_text(name, {"platform": context["platform"]}), name) for name in names]
    return found


def expected_objects(tree: Tree, context: Context, components: Components) -> Iterator[Mapping[str, Any]]:
    """What the templates alone say, without base, overlay or Kustomize."""
    yield from standard_objects(tree, context, components)
    for entry in TREES[tree]:
        if not _is_standard(tree, entry):
            yield from _made(entry, context)


def standard_objects(tree: Tree, context: Context, components: Components) -> Iterator[Mapping[str, Any]]:
    """As `expected_objects`, without what is written for each instance."""
    yield from objects_of_components(tree, context, components)
    for entry in TREES[tree]:
        if _is_standard(tree, entry):
            yield from _made(entry, context)


def objects_of_components(tree: Tree, context: Context, components: Components) -> Iterator[Mapping[str, Any]]:
    """Objects of the components that a tree takes here."""
    for component in TREE_COMPONENTS[tree]:
        if component.when(context):
            yield from components[component.name]


def other_identities(tree: Tree, context: Context, seen: dict[str, ObjectId]) -> Iterator[ObjectId]:
    """Of the other objects. Their names are the namespace's, or the same for everyone with a server of that name, so a
    template is only rendered when it is not among the `seen`."""
    namespace = context.get("namespace") or ""
    for entry in TREES[tree]:
        if _is_standard(tree, entry) or not entry.when(context):
            continue
        server = context.get("server")
        key = f"{entry.name} {server.name}" if server is not None else entry.name
        if key not in seen:
            made = object_id(next(_made(entry, context)))
            seen[key] = replace(made, name="" if made.name == namespace else made.name)
        found = seen[key]
        here = "" if found.kind == "Namespace" else namespace
        yield ObjectId(found.group, found.kind, here, found.name or namespace)


def _is_standard(tree: Tree, entry: ObjectTemplate) -> bool:
    return entry.keep == "base" or entry.each is not None or tree in (
        "delivery", "cell", "platform", "argocd", "charts",
    )  # fmt: skip


def _made(entry: ObjectTemplate, context: Context) -> Iterator[Mapping[str, Any]]:
    for _, more in expand(entry, context):
        yield parse_object(render_text(entry.name, more), entry.name, own_words(more))


def _delete_component(name: str, context: Context) -> Iterator[dict[str, Any]]:
    for stem in COMPONENTS[name]:
        full = f"components/{name}/{stem}"
        yield deletion(parse_object(render_text(full, context), full))


def kustomization_text(
    resources: list[str],
    namespace: str | None = None,
    labels: Mapping[str, str] | None = None,
    patches: list[Patch] | None = None,
) -> str:
    patches = sorted(patches or [], key=lambda patch: (patch["kind"], patch["name"]))
    context = {
        "resources": resources,
        "namespace": namespace,
        "labels": labels or {},
        "patches": patches,
        "ordered": says_order(patches),
    }
    return render_text("kustomization", context)
