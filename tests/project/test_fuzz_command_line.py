"""Whatever stands on the command line, it ends with an exit code of the table, in a sentence, and writes nothing elsewhere."""

from __future__ import annotations

import contextlib
import datetime
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import Ran, add_tenant
from mutation import TIMES
from tenantry.cli.main import COMMANDS, main
from tenantry.commands import scaffold
from tenantry.plan.inputs import read_inputs
from tenantry.report import WRITERS
from tenantry.runtime.cache import Store

DAY = datetime.date.today().isoformat()
SERVICE = "rendered/euw1-a/production/acme/app/service_acme-production_odoo-web.yaml"
ODD = st.one_of(
    st.text(max_size=8),
    st.sampled_from([
        "", " ", "-", "--", ".", "..", "a:²", "a:0", "x:99999999999999999999", "\n", "2099-01-01\n", "20990101", "²", "\x00", "\udcff",
        "a\udcff.yaml:1", "x" * 300, "é", "{{ x }}", "*", "~", "%s", "nul", "\x1b[2J", "0", "-1", "1e9", "true", "null", "acme", "shared",
        "gold", "standard", "nowhere", "euw1-a", "euw1-shared-a", "euw1-seg-a", "a@b.example", "F001", "NET-03", "acme-production", "HEAD",
        "HEAD~1", "/dev/null", "/dev/zero", "/dev/stdin", "/proc/self/status", "/", "rendered", "tenants", SERVICE, f"{SERVICE}:0", f"{SERVICE}:5",
        f"{SERVICE}:9999", "tenants/acme.yaml:3", "bad/latin.yaml", "bad/latin.yaml:1", "rendered/bad/latin.yaml:1", "rendered/bad/pipe.yaml:1",
        "rendered/bad/two.yaml:1", "rendered/bad/none.yaml:2", "rendered/bad/link.yaml:1", "pipe", "2026-11-24", "1.34", "9.9",
    ]),
)  # fmt: skip
"""Texts that anything may be given; writing is kept below the sandbox by `below`."""


def below(value: str) -> str:
    """A path in which a test may write: it neither starts at the root nor leads up."""
    return value.replace("..", "_").lstrip("/") or "x"


COMMON = st.one_of(
    st.tuples(st.just("--format"), st.one_of(st.sampled_from(sorted(WRITERS)), ODD)),
    st.tuples(st.just("--as-of"), ODD),
    st.tuples(st.just("--output"), ODD.map(below)),
    st.tuples(st.just("-C"), st.one_of(st.sampled_from([".", "tenants", "bad", "tenants/acme.yaml", "nowhere"]), ODD)),
    st.sampled_from([("--quiet",), ("--no-color",), ("--no-cache",), ("--help",), ("--version",), ("--unheard",)]),
)


def options(*names: str) -> st.SearchStrategy[tuple[str, ...]]:
    """Each of the named options with some value; now and then one is missing."""
    given = [st.tuples(st.just(name), ODD) for name in names]
    return st.tuples(*(st.one_of(one, one, one, st.just(())) for one in given)).map(lambda parts: sum(parts, ()))


def new(what: str, *names: str) -> st.SearchStrategy[tuple[str, ...]]:
    name = st.one_of(ODD, st.sampled_from(["contoso", "acme"]))
    return st.tuples(st.just(("new", what)), name.map(lambda n: (n,)), options(*names)).map(lambda p: sum(p, ()))


TENANT = ("--tier", "--display-name", "--users", "--channel", "--cell", "--contact")
EXCEPTION = ("--tenant", "--control", "--reason", "--compensating-control", "--owner", "--approver", "--expires")
LINES = st.one_of(
    new("tenant", *TENANT),
    st.tuples(st.just(("new", "tenant", "contoso", "--tier", "shared")), options(*TENANT[1:])).map(
        lambda p: sum(p, ())
    ),
    new("cell", "--cluster", "--tier"),
    new("exception", *EXCEPTION),
    st.tuples(st.just("explain"), ODD),
    st.tuples(st.just("explain"), ODD, st.just("--objectives")),
    st.tuples(st.just("verify"), ODD),
    st.tuples(st.just("verify"), ODD, st.just("--kubernetes"), ODD),
    st.tuples(st.just("diff"), ODD),
    st.tuples(st.just("render"), ODD),
    st.tuples(st.just("init"), ODD.map(below)),
    st.tuples(st.just("schema"), ODD),
    st.tuples(st.sampled_from(sorted(COMMANDS))),
    st.lists(ODD, max_size=3).map(tuple),
)
ARGUMENTS = st.tuples(st.lists(COMMON, max_size=1), LINES, st.lists(COMMON, max_size=2)).map(
    lambda parts: [*sum(parts[0], ()), *parts[1], *sum(parts[2], ())]
)


@dataclass(frozen=True)
class Sandbox:
    """A folder that holds a fleet and other things; nothing outside of what is named may change in it."""

    folder: Path

    @property
    def fleet(self) -> Path:
        return self.folder / "fleet"

    def inputs(self) -> set[Path]:
        """Input files of the fleet."""
        return {
            p for folder in ("tenants", "platform", "tiers", "policies") for p in (self.fleet / folder).rglob("*.yaml")
        }

    def others(self) -> dict[str, bytes]:
        """Files outside of the fleet."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file() and not path.is_symlink() and not path.is_relative_to(self.fleet)
        }


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory, engine_program: Path) -> Iterator[Sandbox]:
    box = Sandbox(tmp_path_factory.mktemp("sandbox"))
    scaffold.new_fleet(box.fleet)
    add_tenant(box.fleet, "acme", "shared", "euw1-shared-a", users=24)
    assert run(box, ["render"]).code == 0
    bad = box.fleet / "rendered/bad"
    bad.mkdir()
    (bad / "latin.yaml").write_bytes(b"a: \xe9\n")
    (bad / "two.yaml").write_text("a: 1\n---\nb: 1\n")
    (bad / "none.yaml").write_text("- 1\n- [\n")
    (bad / "link.yaml").symlink_to("/etc/hostname")
    os.mkfifo(bad / "pipe.yaml")
    os.mkfifo(box.fleet / "pipe")
    (box.fleet / "bad").symlink_to(bad)
    (box.folder / "elsewhere").mkdir()
    (box.folder / "elsewhere/kept.txt").write_text("kept\n")
    git = ["git", "-C", str(box.fleet), "-c", "user.name=Test", "-c", "user.email=test@provider.example"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "one"], check=True)
    yield box


def run(box: Sandbox, arguments: list[str], stdin: bytes = b"") -> Ran:
    """Run the command line in this process, in the fleet's folder."""
    out, err = (
        io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors=errors) for errors in ("strict", "backslashreplace")
    )
    before = Path.cwd()
    os.chdir(box.fleet)
    try:
        with (
            mock.patch.object(sys, "argv", ["tenantry", *arguments]),
            mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
            contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended,
        ):  # fmt: skip
            main()
    finally:
        os.chdir(before)
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    return Ran(int(ended.value.code or 0), *texts)


@settings(deadline=None, max_examples=60 * TIMES, suppress_health_check=list(HealthCheck))
@given(ARGUMENTS, st.sampled_from([b"", b"\xff", b"a: [", b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"]))
def test_any_arguments_end_with_a_code_of_the_table(sandbox: Sandbox, arguments: list[str], stdin: bytes) -> None:
    before, inputs = sandbox.others(), sandbox.inputs()
    ran = run(sandbox, arguments, stdin)
    assert ran.code in (0, 1, 2, 4), (arguments, ran)
    assert "Traceback" not in ran.err
    assert ran.code == 0 or ran.out or ran.err or "--output" in arguments, arguments
    assert sandbox.others() == before
    made = sandbox.inputs() - inputs
    try:
        assert not made or ran.code == 0, (arguments, made)
        assert not made or read_inputs(sandbox.fleet, DAY, Store(None)).usable, (arguments, made)
    finally:
        for path in made:
            path.unlink()
