"""Pairs of native objects of the example fleet, and what Kustomize makes of one: for the tests of patches."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

import yaml

from conftest import REPOSITORY
from tenantry.core.findings import ToolError
from tenantry.engine.kustomize import Engine
from tenantry.engine.protocol import BuildError
from tenantry.render.environment import yaml_text
from tenantry.render.kustomizations import kustomization_text
from tenantry.render.merge_keys import is_native

TEXTS = (
    "",
    "true",
    "8069",
    "~",
    "a: b",
    "# no",
    "$(HOME)",
    "one\ntwo\n",
    "one\n two",
    "one\n\n",
    " one\ntwo",
    "end \nx",
)
SCALARS: tuple[Any, ...] = (*TEXTS, True, False, 0, 1, 8072, 0.5)


def _natives() -> list[dict[str, Any]]:
    """Native objects of the example fleet, one of each name in each tier's first units."""
    found: dict[tuple[str, str, int], dict[str, Any]] = {}
    for file in sorted((REPOSITORY / "rendered").rglob("*.yaml")):
        value = yaml.load(file.read_text(), Loader=yaml.CSafeLoader)
        if is_native(value["apiVersion"].rpartition("/")[0]):
            value["metadata"].pop("namespace", None)
            found.setdefault((value["kind"], value["metadata"]["name"], len(json.dumps(value)) // 400), value)
    return list(found.values())


NATIVES = _natives()


def places(value: Any, inside: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for step, item in steps for place in ((*inside, step), *places(item, (*inside, step)))]


def mutate(value: dict[str, Any], random: Random) -> None:
    """Change one thing below the object's kind and name: mostly what a template might do, seldom what nobody would."""
    choices = [place for place in places(value) if place[0] not in ("apiVersion", "kind") and place != ("metadata",)]
    choices = [place for place in choices if place != ("metadata", "name")]
    inside = [place for place in choices if place[0] != "metadata" or len(choices) < 20]
    if not inside:
        return
    *way, step = random.choice(inside)
    holder: Any = value
    for part in way:
        holder = holder[part]
    match random.randrange(8):
        case 0:
            del holder[step]
        case 1 | 2 if isinstance(holder, list):
            random.shuffle(holder)
        case 3 | 4 if isinstance(holder, list):
            holder.insert(random.randrange(len(holder) + 1), renamed(holder[step], random))
        case 5 if isinstance(holder, dict) and holder is not value["metadata"]:
            added = random.choice([{}, [], {"x": 1}, ["x"], [{"name": "x"}], *SCALARS])
            holder[random.choice(["added", "a.b/c", "name"])] = copy.deepcopy(added)
        case 6 if isinstance(holder[step], (dict, list)):
            holder[step].clear()
        case _ if not isinstance(holder[step], (dict, list)):
            holder[step] = random.choice(SCALARS)
        case _ if random.random() < 0.1:
            holder[step] = copy.deepcopy(random.choice([{}, [], "text", None, {"name": "x"}]))


def renamed(entry: Any, random: Random) -> Any:
    """A copy of a list's entry under another name, or now and then under its own."""
    entry = copy.deepcopy(entry)
    if isinstance(entry, dict):
        for key in ("name", "mountPath", "containerPort", "port", "topologyKey"):
            if key in entry and random.random() < 0.9:
                entry[key] = entry[key] + 1 if isinstance(entry[key], int) else f"{entry[key]}x"
    return entry


def pair(original: dict[str, Any], random: Random) -> tuple[dict[str, Any], dict[str, Any]]:
    base = copy.deepcopy(original)
    for _ in range(random.randrange(3)):
        mutate(base, random)
    wanted = copy.deepcopy(base)
    for _ in range(random.randrange(1, 5)):
        mutate(wanted, random)
    return base, wanted


def built(engine: Engine, value: dict[str, Any], kustomization: str) -> Any:
    """What Kustomize makes of one object."""
    files = {"x/kustomization.yaml": kustomization, "x/object.yaml": yaml_text(value)}
    [(manifest, _)] = engine.objects(engine.build("x", files))
    return manifest.value


def readable(engine: Engine, *values: dict[str, Any]) -> bool:
    """Whether Kustomize takes the objects at all; it refuses some whose references are of a wrong type."""
    try:
        for value in values:
            built(engine, value, kustomization_text(["object.yaml"]))
    except (BuildError, ToolError):
        return False
    return True
