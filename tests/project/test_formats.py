"""Every command with every format: it writes it, or ends with code 2 and a list of those that it can write."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran
from tenantry.cli.main import COMMANDS
from tenantry.report import OF_CHANGES, WRITERS
from tenantry.report.document import DOCUMENT_WRITERS

Run = Callable[..., Ran]

RESULTS: dict[str, list[str]] = {
    "render": [],
    "check": [],
    "verify": ["rendered/broken.yaml"],
    "fmt": [],
    "plan": [],
    "publish": [],
    "resolve": [],
}
DOCUMENTS: dict[str, list[str]] = {
    "init": ["made"],
    "new": ["tenant", "contoso", "--tier", "shared"],
    "schema": ["tenant"],
    "calendar": [],
    "explain": ["F001"],
    "doctor": [],
    "get": ["acme", "spec.users"],
    "set": ["acme", "spec.users=30"],
    "merge-driver": ["--install"],
    "move": ["acme", "--cell", "euw1-shared-b"],
    "restore": [
        "euw1-shared-a",
        "--to",
        "2026-11-20T10:15:00Z",
        "--reason",
        "An import went wrong",
        "--as-of",
        "2026-11-26",
    ],
    "suspend": ["acme"],
    "resume": ["acme"],
    "offboard": ["acme", "--delete-after", "2027-01-31", "--approver", "A", "--reason", "contract ended"],
    "rename": ["acme", "Acme Group"],
    "promote": [
        "standard",
        "odoo-18.0-20261109",
        "--record",
        "staging",
        "--by",
        "A",
        "--migration",
        "passed",
        "--probes",
        "passed",
    ],
}


def test_each_command_is_here() -> None:
    assert {
        *RESULTS,
        *DOCUMENTS,
        "diff",
        "erase",
        "failover",
        "migrate",
        "rollback",
        "runbook",
        "secrets",
        "simulate",
    } == set(COMMANDS)


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("command", DOCUMENTS)
def test_an_answer_is_written_or_refused_before_any_work(command: str, form: str, run: Run, fleet: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=fleet, check=True)
    before = sorted(fleet.rglob("*"))
    ran = run(command, *DOCUMENTS[command], "--format", form, "-C", fleet)
    if form not in DOCUMENT_WRITERS:
        assert (ran.code, ran.out) == (2, "")
        assert f"'{command}' can't write {form}\n  it writes json and text" in ran.err
        assert sorted(fleet.rglob("*")) == before
        return
    assert ran.code in ((0, 4) if command == "doctor" else (0,)), ran
    if form == "json":
        document = json.loads(ran.out)
        assert "$schema" in document if command == "schema" else document["command"] == command


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("command", RESULTS)
def test_findings_are_written_in_each_format(command: str, form: str, run: Run, fleet: Path) -> None:
    (fleet / "tenants/broken.yaml").write_text("a: [\n")
    (fleet / "rendered").mkdir(exist_ok=True)
    (fleet / "rendered/broken.yaml").write_text("a: [\n")
    for arguments in (["init", "--quiet"], ["add", "-A"], ["commit", "--quiet", "-m", "first"]):
        subprocess.run(["git", *arguments], cwd=fleet, check=True)
    ran = run(command, *RESULTS[command], "--format", form, "-C", fleet)
    assert "can't write" not in ran.err
    if command == "resolve":  # there is no merge
        assert ran.code == 0, ran
        return
    assert ran.code == 1, ran
    assert re.match(BEGINS[form], ran.out), ran.out
    assert "broken.yaml" in ran.out


BEGINS = {
    "text": r"\w+/broken.yaml:1:\d+: \w\d+ ", "json": r'\{\n  "version": 1,\n', "markdown": "### tenantry ", "github": "::error file=",
    "sarif": r'\{\n  "\$schema": ', "junit": r"<\?xml ", "gitlab": r'\[\n  \{\n    "description": ',
    "html": "<!doctype html>",
}  # fmt: skip


@pytest.mark.parametrize("form", WRITERS)
def test_changes_are_written_or_the_format_is_refused(form: str, run: Run, fleet: Path) -> None:
    for arguments in (["init", "--quiet"], ["add", "-A"], ["commit", "--quiet", "-m", "first"]):
        subprocess.run(["git", *arguments], cwd=fleet, check=True)
    ran = run("diff", "--format", form, "-C", fleet)
    if form in OF_CHANGES:
        assert ran.code == 0, ran
    else:
        expected = f"tenantry: 'diff' can't write {form}\n  it writes html, json, markdown and text\n"
        assert (ran.code, ran.out, ran.err) == (2, "", expected)


def test_a_code_and_a_control_are_explained_as_json(run: Run) -> None:
    assert json.loads(run("explain", "F001", "--format", "json").out)["code"]["id"] == "F001"
    assert json.loads(run("explain", "net-03", "--format", "json").out)["control"]["id"] == "NET-03"


def test_secrets_refuses_a_format_before_it_reads_anything(run: Run, fleet: Path) -> None:
    ran = run("secrets", "--format", "markdown", "-C", fleet)
    assert (ran.code, ran.err) == (2, "tenantry: 'secrets' can't write markdown\n  it writes json and text\n")
