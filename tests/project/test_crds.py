"""The operators' schemas are those of the versions in `make crds`; `.ci/run` also regenerates them."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

from conftest import REPOSITORY

CRDS = REPOSITORY / "generator/engine/crds"


def load() -> Any:
    """The program as a module."""
    spec = importlib.util.spec_from_file_location("regenerate", CRDS / "regenerate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_schemas_come_from_the_named_versions() -> None:
    regenerate = load()
    required = (CRDS / "monitoring/go.mod").read_text()
    version = re.search(rf"^require {regenerate.MONITORING} (\S+)$", required, re.MULTILINE)
    assert version
    wanted = {*regenerate.MODULES, f"{regenerate.MONITORING}@{version[1]}"}
    kinds = [kind for file in Path(CRDS / "data").glob("*.json") for kind in json.loads(file.read_text())]
    assert {kind["source"] for kind in kinds} == wanted


def test_a_module_with_another_content_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    regenerate = load()
    monkeypatch.setattr(regenerate, "MODULES", {"example.org/crds@v1.0.0": ("h1:asReleased=", "config/")})
    go = tmp_path / "go"
    go.write_text("""#!/bin/sh\necho '{"Zip": "/nowhere.zip", "Sum": "h1:another="}'\n""")
    go.chmod(0o755)
    with pytest.raises(SystemExit, match="h1:another=, not h1:asReleased="):
        next(regenerate.manifests(str(go)))


def test_descriptions_go_and_properties_of_that_name_stay() -> None:
    regenerate = load()
    schema = {
        "description": "long",
        "properties": {"description": {"type": "string", "description": "x"}},
        "default": {"description": 1},
    }
    assert regenerate.compact(schema) == {
        "properties": {"description": {"type": "string"}},
        "default": {"description": 1},
    }
