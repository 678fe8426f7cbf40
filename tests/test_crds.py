"""The operators' schemas are those of the versions that `make crds` names; `.ci/run` also makes them anew."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

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
    wanted = {*regenerate.MODULES, f"{regenerate.MONITORING}@{regenerate.MONITORING_VERSION}"}
    kinds = [kind for file in Path(CRDS / "data").glob("*.json") for kind in json.loads(file.read_text())]
    assert {kind["source"] for kind in kinds} == wanted


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
