"""A command has one engine and one policy engine, whatever it does, and leaves none behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import REPOSITORY
from tenantry.core.findings import MachineError
from tenantry.engine import build
from tenantry.engine.engines import Engines
from tenantry.engine.kustomize import Engine
from tenantry.engine.kyverno import PolicyEngine

COUNTING = """\
import atexit, subprocess, sys
sys.path.insert(0, "")
started, first = [], subprocess.Popen.__init__
def popen(self, command, *rest, **more):
    started.append(str(command[0]).rpartition("/")[2])
    first(self, command, *rest, **more)
subprocess.Popen.__init__ = popen
atexit.register(lambda: print("STARTED", sorted(name for name in started if name.startswith("tenantry-"))))
sys.argv = ["tenantry", *sys.argv[1:]]
from tenantry.cli.main import main
main()
"""
BOTH = ["tenantry-engine", "tenantry-policy-engine"]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example fleet, with its trees."""
    root = tmp_path_factory.mktemp("example")
    for name in ("platform", "tiers", "tenants", "policies", "base", "overlays", "rendered"):
        shutil.copytree(REPOSITORY / name, root / name)
    return root


@pytest.mark.parametrize(("command", "started"), [
    (["render", "--no-cache"], BOTH),
    (["check", "--no-cache"], BOTH),
    (["verify"], BOTH),
    (["explain", "smith-advisory", "--objectives"], BOTH[:1]),
])  # fmt: skip
def test_each_engine_is_started_once(
    engine_program: Path, example: Path, command: list[str], started: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COUNTING, *command, "-C", str(example)], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1] == f"STARTED {started}", done.stdout + done.stderr


def test_what_was_asked_for_twice_is_the_same_and_ends_with_the_command(engine_program: Path) -> None:
    with Engines() as running:
        assert running.engine is running.engine
        assert running.policies is running.policies
        processes = [running.engine._process, running.policies._process]
        assert [process.poll() for process in processes] == [None, None]
    assert None not in [process.poll() for process in processes]


def test_policies_that_were_compiled_ahead_are_there(engine_program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[object] = []
    monkeypatch.setattr(PolicyEngine, "load", lambda _, policies, __=(): loaded.append(policies) or ([], []))
    with Engines() as running:
        running.compile([{"kind": "a"}])
        assert running.policies.alive
    assert loaded == [[{"kind": "a"}]]


def test_an_engine_that_nobody_asks_for_is_neither_built_nor_missed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(build, "ready", lambda _: None)
    monkeypatch.setattr(build, "ensure", lambda *_: pytest.fail("it was built"))
    with Engines() as running:
        running.compile([])


def test_a_folder_that_cannot_be_looked_at_is_named(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "rendered").mkdir()
    (tmp_path / "rendered/a.yaml").write_text("")
    listing = engine.trees(tmp_path, ["rendered", "base"])
    assert (list(listing.folders), listing.folders["rendered"].names) == (["rendered"], ("a.yaml",))
    odd = os.fsdecode(b"odd\xff")
    (tmp_path / "rendered" / odd).write_text("")
    assert engine.trees(tmp_path, ["rendered"]).strangers == [f"rendered/{odd}"]
    with pytest.raises(MachineError, match=r"a.yaml.* can't be read: not a directory"):
        engine.trees(tmp_path / "rendered/a.yaml", ["b"])
