"""The patches of an overlay: for each object of its base that differs, what a kustomization.yaml says of it.

Native kinds get strategic merge patches, which name containers and variables. Custom resources get JSON patches, with
a comment above each operation that names the field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from tenantry.render.block import block_lines, ends_in_text
from tenantry.render.environment import yaml_text
from tenantry.render.merge_keys import is_native
from tenantry.render.patch import field_named, operations
from tenantry.render.strategic import same, strategic_patch

Object = Mapping[str, Any]
Patch = dict[str, Any]
"""Kind and name of its object, target (when the text does not say it), text with the indent that it has in the file."""
_INDENT = " " * 6
_ORDER = re.compile(r"^( *)- \w+: .*\n(?!\1  \S)", re.MULTILINE)
"""An entry whose first field is followed by none of its own."""


def change(base: Object, wanted: Object) -> Iterator[Patch]:
    """The patch that turns an object of the base into the wanted one; nothing when they are equal."""
    if same(base, wanted):
        return
    patch = strategic_patch(base, wanted) if is_native(_group(base)) else None
    if patch is not None:
        yield _patch(base, _strategic_lines(patch), {})
    else:
        yield _patch(base, list(_operation_lines(base, wanted)), _target(base))


def deletion(base: Object) -> Patch:
    """The patch that takes an object of the base away."""
    name = {"name": base["metadata"]["name"]}
    lines = block_lines({"$patch": "delete", "apiVersion": base["apiVersion"], "kind": base["kind"], "metadata": name})
    return _patch(base, lines, _target(base))


def _patch(base: Object, lines: list[str], target: Mapping[str, str]) -> Patch:
    text = Markup("\n".join(_INDENT + line if line else "" for line in lines))  # noqa: S704 - by yaml_text and block_lines
    return {"kind": base["kind"], "name": base["metadata"]["name"], "target": target, "text": text}


def says_order(patches: Sequence[Patch]) -> bool:
    """Whether some patch has a list entry with nothing but its key, which a reader may take for a change."""
    return any(not patch["target"] and _ORDER.search(patch["text"]) for patch in patches)


def _strategic_lines(patch: dict[str, Any]) -> list[str]:
    """Kustomize cuts space off a patch's end; a block scalar must not stand there."""
    if ends_in_text(patch):
        patch = {**{key: value for key, value in patch.items() if key != "metadata"}, "metadata": patch["metadata"]}
    return block_lines(patch, literal=not ends_in_text(patch))


def _operation_lines(base: Object, wanted: Object) -> Iterator[str]:
    for operation in operations(base, wanted):
        field = field_named(wanted, operation["path"])
        yield f"# {field if field.isprintable() else yaml_text(field)}"
        yield f"- {yaml_text(operation)}"


def _group(value: Object) -> str:
    return str(value["apiVersion"]).rpartition("/")[0]


def _target(value: Object) -> dict[str, str]:
    group, _, version = value["apiVersion"].rpartition("/")
    target = {"group": group, "version": version, "kind": value["kind"], "name": value["metadata"]["name"]}
    return {key: item for key, item in target.items() if item}
