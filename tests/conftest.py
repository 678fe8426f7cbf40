"""Hermetic tests: no home, no real git identity, a small fleet in a temporary folder, the engine built once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import platformdirs
import pytest

from mutation import TIMES
from tenantry.commands import scaffold
from tenantry.engine import build as engine_build
from tenantry.engine.kustomize import Engine

REPOSITORY = Path(__file__).resolve().parent.parent
hypothesis.settings.register_profile("repeatable", derandomize=True)
if TIMES == 1:
    # The same examples on each machine: a change is judged by what it did. `make fuzz` looks for new ones.
    hypothesis.settings.load_profile("repeatable")

CACHE = platformdirs.user_cache_dir()
"""Where Go programs are cached; building them again in each test's empty home would take minutes."""
MODULES = os.environ.get("GOMODCACHE") or str(Path(os.environ.get("GOPATH") or Path.home() / "go") / "pkg/mod")
"""Where Go's modules are cached, for the same reason."""


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that forgets to isolate itself finds an empty home, without the user's git settings."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", CACHE)
    monkeypatch.setenv("GOMODCACHE", MODULES)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Test")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "test@provider.example")


@pytest.fixture(scope="session")
def engine_program() -> Path:
    """The engine and the policy engine, built if necessary; without Go the tests fail, they are never skipped."""
    engine_build.ensure(engine_build.POLICY_ENGINE, lambda _: None)
    return engine_build.ensure(engine_build.ENGINE, lambda _: None)


@pytest.fixture(scope="module")
def parser(engine_program: Path) -> Iterator[Engine]:
    """An engine for all tests of a module, for tests that send many requests and leave no state in it."""
    with Engine(engine_program) as running:
        yield running


@pytest.fixture
def engine(engine_program: Path) -> Iterator[Engine]:
    with Engine(engine_program) as running:
        yield running


@dataclass(frozen=True)
class Ran:
    """The result of a command."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(engine_program: Path) -> Callable[..., Ran]:
    """Run the command line as a user does, in a separate process."""

    def call(*arguments: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "tenantry", *map(str, arguments)],
            cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """A fleet as `tenantry init` creates it, with two tenants."""
    root = tmp_path / "fleet"
    scaffold.new_fleet(root)
    add_tenant(root, "acme", "shared", "euw1-shared-a", users=24)
    add_tenant(root, "northwind", "segmented", "euw1-seg-a", users=120, staging="euw1-seg-np")
    return root


def add_tenant(root: Path, name: str, tier: str, cell: str, *, users: int, staging: str = "") -> Path:
    """Write a plain tenant; `staging` is the cell of its staging environment."""
    text = f"""\
apiVersion: tenantry.io/v1alpha1
kind: Tenant
metadata:
  name: {name}
spec:
  displayName: {name.title()}
  tier: {tier}
  owner: {{team: accounts, contact: accounts@provider.example}}
  classification:
    dataSensitivity: internal
    customization: low
    integration: low
    availability: {"high" if tier == "segmented" else "standard"}
    obligations: [gdpr]
  residency: [eu-west, eu-central]
  users: {users}
  channel: standard
  environments:
    production: {{cell: {cell}, hosts: [erp.{name}.example]}}
"""
    if staging:
        text += f"    staging: {{cell: {staging}}}\n"
    path = root / f"tenants/{name}.yaml"
    path.write_text(text)
    return path


def tree(root: Path) -> dict[str, bytes]:
    """Every generated file below a fleet, by path."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for folder in ("base", "overlays", "rendered")
        for path in sorted((root / folder).rglob("*"))
        if path.is_file()
    }
