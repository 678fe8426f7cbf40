"""The operators' CustomResourceDefinitions, whole, out of their released modules."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from acceptance.harness.fleet import REPOSITORY
from acceptance.harness.programs import Say, cache
from tenantry.engine.go_toolchain import find_go

SOURCE = REPOSITORY / "generator/engine/crds/regenerate.py"
"""Names the modules: the same that `verify` judges by."""


def ensure(say: Say) -> None:
    """Read them out of their modules once for each content of SOURCE."""
    path = _path()
    if path.is_file():
        return
    say("reading the operators' CRDs out of their modules (once, a minute)")
    regenerate = _source()
    found = [
        manifest
        for _, text in regenerate.manifests(find_go())
        for manifest in yaml.load_all(text, regenerate._Loader)
        if manifest and manifest.get("kind") == "CustomResourceDefinition"
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(found))
    partial.rename(path)


def definitions() -> list[dict[str, Any]]:
    """All of them, one a name."""
    found: list[dict[str, Any]] = json.loads(_path().read_text())
    return list({manifest["metadata"]["name"]: manifest for manifest in found}.values())


def kinds() -> list[tuple[str, str]]:
    """(API group, kind) of every definition."""
    return [(crd["spec"]["group"], crd["spec"]["names"]["kind"]) for crd in definitions()]


def _path() -> Path:
    return cache() / "definitions" / f"{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]}.json"


def _source() -> ModuleType:
    spec = importlib.util.spec_from_file_location("regenerate", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
