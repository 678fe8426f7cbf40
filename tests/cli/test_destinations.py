"""`--format` and `--output`: several at once, each output belongs to the format before it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran

Run = Callable[..., Ran]
ERROR = (
    "::error file=tenants/acme.yaml,line=16,col=10,title=S023 Invalid value::'spec.users' is 0, but must be at least 1"
)


@pytest.fixture
def wrong(fleet: Path) -> Path:
    path = fleet / "tenants/acme.yaml"
    path.write_text(path.read_text().replace("users: 24", "users: 0"))
    return fleet


def test_several_formats_are_written_at_once(run: Run, wrong: Path) -> None:
    ran = run(
        "check", "--format", "sarif", "--output", "a.sarif", "--format", "junit", "--output", "a.xml", "--format", "github",
        cwd=wrong,
    )  # fmt: skip
    assert ran.code == 1
    assert ran.out.startswith(ERROR)
    assert json.loads((wrong / "a.sarif").read_text())["version"] == "2.1.0"
    assert (wrong / "a.xml").read_text().startswith("<?xml ")


def test_the_format_on_standard_output_may_come_first(run: Run, wrong: Path) -> None:
    ran = run("check", "--format", "github", "--format", "json", "--output", "a.json", cwd=wrong)
    assert ran.out.startswith(ERROR)
    assert json.loads((wrong / "a.json").read_text())["ok"] is False


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "--output", "a", "--format", "json"],
        ["check", "--format", "json", "--output", "a"],
        ["--format", "json", "check", "--output", "a"],
        ["--output", "a", "check", "--format=json"],
        ["--format", "text", "check", "--format", "json", "--output", "a"],
        ["--output", "b", "check", "--format", "json", "--output", "a"],
        ["--format", "sarif", "--output", "b", "check", "--format", "json", "--output", "a"],
    ],
)
def test_one_format_and_one_output_belong_together_wherever_they_stand(
    arguments: list[str], run: Run, wrong: Path
) -> None:
    ran = run(*arguments, cwd=wrong)
    assert (ran.code, ran.out) == (1, "")
    assert json.loads((wrong / "a").read_text())["version"] == 1
    assert not (wrong / "b").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "json", "--format", "text"], "json and text would both go to standard output"),
        (["--output", "a", "--format", "json", "--format", "text", "--output", "b"], "--output a belongs to no --format"),
        (["--format", "json", "--output", "a", "--output", "b"], "--output b belongs to no --format"),
        (["--output", "a", "--output", "b"], "--output a belongs to no --format"),
        (["--format", "json", "--output", "a", "--format", "text", "--output", "./a"], "two formats would be written to a"),
    ],
)  # fmt: skip
def test_what_can_not_be_written_as_asked_is_refused_before_any_work(
    arguments: list[str], message: str, run: Run, wrong: Path
) -> None:
    before = sorted(wrong.rglob("*"))
    ran = run("render", *arguments, cwd=wrong)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"tenantry: {message}\n  ")
    assert sorted(wrong.rglob("*")) == before


def test_a_command_without_findings_refuses_one_format_of_several(run: Run, tmp_path: Path) -> None:
    ran = run("explain", "F001", "--format", "json", "--output", "a", "--format", "sarif", cwd=tmp_path)
    assert (ran.code, ran.err) == (2, "tenantry: 'explain' can't write sarif\n  it writes json and text\n")
    assert list(tmp_path.iterdir()) == []


def test_an_answer_is_written_in_both_its_formats(run: Run, tmp_path: Path) -> None:
    ran = run("explain", "F001", "--format", "json", "--output", "a", "--format", "text", cwd=tmp_path)
    assert (ran.code, ran.out[:5]) == (0, "F001:")
    assert json.loads((tmp_path / "a").read_text())["code"]["id"] == "F001"


def test_paths_start_at_the_top_of_the_repository(run: Run, wrong: Path) -> None:
    subprocess.run(["git", "init", "--quiet", wrong.parent], check=True)
    ran = run("check", "--format", "github", "-C", wrong)
    assert ran.out.startswith(f"::error file={wrong.name}/tenants/acme.yaml,line=16,")
    assert run("check", "-C", wrong).out.startswith("tenants/acme.yaml:16:")


def test_a_file_that_can_not_be_written_says_so_and_nothing_else(run: Run, wrong: Path) -> None:
    ran = run("check", "--format", "github", "--format", "json", "--output", "no/such/a", cwd=wrong)
    assert (ran.code, ran.out) == (4, "")
    assert "no/such/a can't be written" in ran.err
