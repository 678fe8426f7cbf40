"""Kinds of objects that the templates of a tree make, read from the templates: what Argo CD's projects must permit."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from tenantry.render.registry import COMPONENTS, TREE_COMPONENTS, TREES, Tree

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_HEAD = re.compile(r"^apiVersion: (?:([\w.-]+)/)?\w+\nkind: (\w+)$", re.MULTILINE)
_IMPORT = re.compile(r'{% import "(macros/\w+\.j2)" as (\w+)(?: with context)? %}')

Kind = tuple[str, str]
"""(API group, kind); the core group is empty."""


@cache
def kinds_of(*trees: Tree) -> tuple[Kind, ...]:
    """Kinds that the trees can hold for any tenant, sorted."""
    names = [template.name for tree in trees for template in TREES[tree]]
    for tree in trees:
        for component in TREE_COMPONENTS[tree]:
            names += [f"components/{component.name}/{name}" for name in COMPONENTS[component.name]]
    return tuple(sorted({kind for name in names for kind in _made_by(name)}))


@cache
def _made_by(name: str) -> frozenset[Kind]:
    """Kinds in a template, and in the macros that it calls. Raises ValueError for a template that shows none."""
    source = (_TEMPLATES / f"{name}.yaml.j2").read_text(encoding="utf-8")
    found = set(_HEAD.findall(source))
    for path, alias in _IMPORT.findall(source):
        macros = (_TEMPLATES / path).read_text(encoding="utf-8")
        for called in set(re.findall(rf"\b{alias}\.(\w+)\(", source)):
            body = re.search(rf"{{%-? macro {called}\(.*?{{%-? endmacro %}}", macros, re.DOTALL)
            found.update(_HEAD.findall(body[0]) if body else ())
    if not found:
        raise ValueError(f"the template {name} shows no apiVersion and kind, one line each")
    return frozenset(found)
