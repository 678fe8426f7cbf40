"""Small trees with one fault each, or none: each fault is told at its field, and what only looks like it passes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran
from tenantry.engine.kustomize import Engine
from verify.case_answers import ANSWERS, CASES, told

FILES = sorted(CASES.glob("*.yaml"))
EXPECTED: dict[str, list[str]] = json.loads(ANSWERS.read_text())
UNCHECKED = "V067"
"""Told of what another tree may hold."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_case_gets_its_answer(parser: Engine, file: Path) -> None:
    assert told(parser, file) == EXPECTED[file.stem]


def test_every_answer_has_its_case() -> None:
    assert sorted(EXPECTED) == sorted(file.stem for file in FILES)


@pytest.mark.parametrize("file", [f for f in FILES if f.stem.startswith("own-")], ids=lambda file: file.stem)
def test_faults_are_found_and_look_alikes_pass(file: Path) -> None:
    told_of = [line for line in EXPECTED[file.stem] if UNCHECKED not in line.split(": ")[0]]
    if file.stem.endswith("-passes"):
        assert told_of == []
    else:
        assert EXPECTED[file.stem] != []


@pytest.mark.parametrize("name", ["kyverno-vp-broken", "traefik-priority-shadows-guard", "velero-ttl-under-interval"])
def test_the_command_asks_the_operators_parsers(name: str, run: Callable[..., Ran], tmp_path: Path) -> None:
    shutil.copy(CASES / f"{name}.yaml", tmp_path)
    ran = run("verify", tmp_path, "--format", "json", cwd=tmp_path)
    shown = [f"{f['severity']} {f['code']} {f['line']}: {f['message']}" for f in json.loads(ran.out)["findings"]]
    assert shown == EXPECTED[name]
