"""A patch turns its base into the wanted object when Kustomize applies it, whatever native object both are."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from conftest import REPOSITORY
from mutation import TIMES
from tenantry.core.findings import ToolError
from tenantry.engine.kustomize import Engine
from tenantry.engine.protocol import BuildError
from tenantry.render.environment import yaml_text
from tenantry.render.kustomizations import kustomization_text
from tenantry.render.merge_keys import is_native
from tenantry.render.patches import change
from tenantry.verify import native

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


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=400 * TIMES)
@given(st.sampled_from(NATIVES), st.integers(0, 2**32))
def test_any_base_and_its_patch_give_the_wanted_object(parser: Engine, original: dict[str, Any], seed: int) -> None:
    base, wanted = pair(original, Random(seed))
    assume(readable(parser, base, wanted))
    patched = kustomization_text(["object.yaml"], patches=list(change(base, wanted)))
    assert built(parser, base, patched) == built(parser, wanted, kustomization_text(["object.yaml"])), patched


def patches_of_the_fleet() -> list[tuple[dict[str, Any], str]]:
    files = sorted((REPOSITORY / "overlays").rglob("kustomization.yaml"))
    texts = (yaml.load(file.read_text(), Loader=yaml.CSafeLoader) for file in files)
    return [(patch, patch["patch"]) for text in texts for patch in text.get("patches", [])]


def test_the_fleet_has_json_patches_for_custom_resources_alone_each_operation_with_the_name_of_its_field() -> None:
    seen = {"strategic": 0, "json": 0}
    for patch, text in patches_of_the_fleet():
        value = yaml.load(text, Loader=yaml.CSafeLoader)
        if isinstance(value, dict):
            seen["strategic"] += 1
            assert "$patch" in value or is_native(value["apiVersion"].rpartition("/")[0]), text
            continue
        seen["json"] += 1
        assert not is_native(patch["target"].get("group", "")), text
        lines = text.splitlines()
        assert len(lines) == 2 * len(value)
        for comment, operation in zip(lines[::2], value, strict=False):
            last = operation["path"].rpartition("/")[2].replace("~1", "/").replace("~0", "~")
            assert comment.startswith("# ")
            assert comment.endswith((f".{last}", f"[{last}]")), (comment, operation)
    assert seen["strategic"] > 100
    assert seen["json"] > 50


def test_each_base_can_be_deployed_by_itself(parser: Engine) -> None:
    """Kustomize builds it without an overlay, and no schema refuses what comes out."""
    folders = {path.parent for path in (REPOSITORY / "base").rglob("kustomization.yaml")}
    files = {
        str(path.relative_to(REPOSITORY)): path.read_text() for folder in folders for path in folder.glob("*.yaml")
    }
    schemas = native.schemas("1.34")
    for folder in sorted(str(folder.relative_to(REPOSITORY)) for folder in folders):
        for manifest, _ in parser.objects(parser.build(folder, files)):
            if schemas.knows(manifest.identity.group, manifest.version, manifest.identity.kind):
                assert not list(schemas.problems(manifest)), manifest.identity
            else:
                assert manifest.verdict is not None
                assert not manifest.verdict.problems, manifest.identity
            assert not manifest.syntax, manifest.identity
