"""Every rendered object through a real API server: accepted strictly, kept whole, stable on a second apply."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from acceptance.harness import definitions, enumerations, fleet
from acceptance.harness.control_plane import ControlPlane, ControlPlanes, add_namespaces
from acceptance.harness.tally import Tally
from acceptance.parts.wrong_objects import CLUSTER, TWICE, WRONG, Twice, Wrong, written

FOREIGN_WARNINGS = ("resources-finalizer.argocd.argoproj.io",)
"""Argo CD fixes the name of an AppProject's finalizer; the API server would rather have a path in it."""


@pytest.fixture(scope="module")
def planes(control_planes: ControlPlanes) -> Iterator[dict[str, ControlPlane]]:
    """Every cluster of the fleet with its own state and nothing in it but the platform's namespaces."""
    found = {name: control_planes.start(name) for name in fleet.clusters()}
    for plane in found.values():
        add_namespaces(plane)
    yield found


def test_takes_every_definition(control_planes: ControlPlanes, tally: Tally) -> None:
    """All kinds of all operators in one server, as `verify` knows them."""
    plane = control_planes.start("all-kinds", groups=["*"])
    served = {(version.partition("/")[0], kind) for version, kind in plane.api.resources}
    for group, kind in definitions.kinds():
        tally.check((group, kind) in served, f"{kind}.{group} is not served")


def test_verify_knows_every_enumeration(control_planes: ControlPlanes, tally: Tally) -> None:
    """kubernetes-validate's data has none of them; the server's own OpenAPI document does."""
    api = control_planes.start("enumerations").api
    found = enumerations.of(api)
    if os.environ.get("WRITE"):
        enumerations.write(found)
    known = enumerations.known()
    for name in sorted(found.keys() | known.keys()):
        same = found.get(name) == known.get(name)
        tally.check(same, f"{name}: {known.get(name)}, not {found.get(name)}: make acceptance PART=api-server WRITE=1")


@pytest.mark.parametrize("cluster", fleet.clusters())
def test_accepts_the_fleet(planes: dict[str, ControlPlane], cluster: str, tally: Tally) -> None:
    api = planes[cluster].api
    items = fleet.tree(cluster)
    namespaces = [item for item in items if item.kind == "Namespace"]
    first = api.apply_all((item.manifest, item.content) for item in namespaces)
    first += api.apply_all((item.manifest, item.content) for item in items[len(namespaces) :])
    for item, answer in zip(items, first, strict=True):
        tally.check(answer.accepted, f"{item}: {answer.message}")
        told = [
            text
            for text in answer.warnings
            if item.kind != "AppProject" or not any(w in text for w in FOREIGN_WARNINGS)
        ]
        tally.check(not told, f"{item}: warning {told}")
        tally.check(not (lost := list(missing(item.manifest, answer.body))), f"{item}: pruned or changed: {lost}")
    second = api.apply_all((item.manifest, item.content) for item in items)
    for item, before, after in zip(items, first, second, strict=True):
        same = version(before.body) == version(after.body)
        tally.check(same, f"{item}: a second apply changes it")


def version(body: dict[str, Any]) -> object:
    return body.get("metadata", {}).get("resourceVersion")


def missing(sent: Any, kept: Any, path: str = "") -> Iterator[str]:
    """Paths whose value did not come back as it was sent; what the server added is fine."""
    if isinstance(sent, dict) and isinstance(kept, dict):
        for key, value in sent.items():
            if key in kept:
                yield from missing(value, kept[key], f"{path}.{key}")
            elif value not in (None, {}, [], "", False):
                yield f"{path}.{key}"
    elif isinstance(sent, list) and isinstance(kept, list) and len(sent) == len(kept):
        for index, (mine, theirs) in enumerate(zip(sent, kept, strict=True)):
            yield from missing(mine, theirs, f"{path}[{index}]")
    elif sent != kept:
        yield f"{path}: {sent!r} became {kept!r}"


def test_refuses_wrong_objects(planes: dict[str, ControlPlane], tmp_path: Path, tally: Tally) -> None:
    api = planes[CLUSTER].api
    for wrong in WRONG:
        original = wrong.original()
        right = api.apply(original.manifest, original.content, dry_run=True)
        tally.control(right.accepted, f"{wrong}: the object as rendered: {right.message}")
        answer = api.apply(wrong.manifest(), dry_run=True)
        refused = not answer.accepted and wrong.told.lower() in answer.message.lower()
        tally.attack(refused, f"{wrong}: {answer.status} {answer.message[:300]}")
    for twice in TWICE:
        manifest = yaml.load(twice.text(), yaml.CSafeLoader)
        answer = api.apply(manifest, twice.text().encode(), dry_run=True)
        tally.attack(not answer.accepted and twice.told in answer.message, f"{twice}: {answer.status} {answer.message}")


def test_a_lenient_server_takes_typing_errors(planes: dict[str, ControlPlane], tally: Tally) -> None:
    """Strictness is the protection: without it a misspelt field is accepted and dropped."""
    api = planes[CLUSTER].api
    for wrong in (one for one in WRONG if one.told == "field not declared"):
        manifest = wrong.manifest()
        manifest["metadata"]["name"] += "-again"
        path = api.path(manifest).rpartition("/")[0]
        strict, lenient = (
            api.request("POST", path, body=manifest, fieldValidation=how, dryRun="All") for how in ("Strict", "Ignore")
        )
        tally.attack("unknown field" in strict.message, f"{wrong}: {strict.message}")
        tally.without_protection(lenient.accepted, f"{wrong}: {lenient.message}")
        tally.control(api.get(wrong.original().manifest).accepted, f"{wrong}: the right one is there")


def test_verify_refuses_the_same(tmp_path: Path, tally: Tally) -> None:
    """Each disagreement is mended in `verify`, or has its reason beside the object."""
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda numbered: verify(tmp_path, *numbered), enumerate((*WRONG, *TWICE)))
    for wrong, (before, after) in zip((*WRONG, *TWICE), answers, strict=True):
        tally.control(not before, f"{wrong}: verify refuses the object as rendered: {before}")
        unseen = isinstance(wrong, Wrong) and bool(wrong.unseen)
        tally.attack(bool(after) != unseen, f"{wrong}: verify says {after or 'nothing'}")


def verify(folder: Path, number: int, wrong: Wrong | Twice) -> tuple[list[str], list[str]]:
    """Codes of what `tenantry verify` finds, in the tree as rendered and with the wrong object in it: errors, and fields that
    it doesn't know. Those of operators are warnings here, for without a fleet nobody says which version runs."""
    original = wrong.original()
    tree = folder / str(number)
    folder = original.path.parent
    group = folder.parent if folder.name in ("app", "infra") else folder
    shutil.copytree(group, tree)
    before = errors(tree)
    text = wrong.text() if isinstance(wrong, Twice) else written(wrong.manifest())
    (tree / original.path.relative_to(group)).write_text(text)
    return before, errors(tree)


def errors(tree: Path) -> list[str]:
    command = [sys.executable, "-m", "tenantry", "-C", str(tree), "verify", str(tree), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)["findings"]
    return [finding["code"] for finding in found if finding["severity"] == "error" or finding["code"] == "V020"]
