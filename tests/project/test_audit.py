"""`make audit` never calls something fine that it could not look at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import audit
import pytest

from conftest import REPOSITORY
from tenantry.engine import go_toolchain

KNOWN = {"name": "jinja2", "version": "2.4.1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1.6"]}]}
FINE = {"name": "click", "version": "8.5.1", "vulns": []}
WEAK = {"name": "click", "version": "8.5.1", "vulns": [{"id": "PYSEC-2", "fix_versions": []}]}
SKIPPED = {"name": "click", "skip_reason": "not found"}


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "some.lock"
    file.write_text("click==8.5.1\n")
    return file


def pip_audit(folder: Path, control: str, answer: str) -> Path:
    """A pip-audit that says `control` of the release with a known weakness, and `answer` of every lock file."""
    (folder / "control").write_text(control)
    (folder / "answer").write_text(answer)
    program = folder / "pip-audit"
    program.write_text(
        f'#!/bin/sh\necho "no route to it" >&2\ncase "$*" in *--require-hashes*) cat {folder}/answer;; *) cat {folder}/control;; esac\nexit 1\n'
    )
    program.chmod(0o755)
    return program


def said(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


@pytest.mark.parametrize(
    ("control", "answer", "code", "text"),
    [
        (said(KNOWN), said(FINE), 0, "ok          some.lock: no known vulnerability"),
        (said(KNOWN), said(WEAK), 1, "VULNERABLE  some.lock: click 8.5.1: PYSEC-2 (no fix yet)"),
        (said(KNOWN), said(FINE, SKIPPED), 4, "NOT CHECKED some.lock: click: not found"),
        (said(KNOWN), said(WEAK, SKIPPED), 1, "NOT CHECKED some.lock: click: not found"),
        (said(KNOWN), said(), 4, "NOT CHECKED some.lock: no package was looked at"),
        (said(KNOWN), "", 4, "NOT CHECKED some.lock: no route to it"),
        (said(KNOWN), "[]", 4, "NOT CHECKED some.lock: no route to it"),
        ("", said(FINE), 4, "NOT CHECKED Python packages: no route to it"),
        (said({**KNOWN, "vulns": []}), said(FINE), 4, "it knows no weakness of that release"),
        (said({"name": "jinja2", "skip_reason": "not found"}), said(FINE), 4, "jinja2==2.4.1: not found"),
    ],
)
def test_a_python_package_is_fine_only_when_a_database_that_knows_something_was_asked(
    control: str, answer: str, code: int, text: str, lock: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = pip_audit(tmp_path, control, answer)
    assert audit.report(audit.python_packages(program, (lock,))) == code
    out = capsys.readouterr().out
    assert text in out
    assert ("ok " in out) == (code == 0)


TEXT = {"path": "golang.org/x/text", "fixed": "0.3.7", "import": "golang.org/x/text/language", "symbol": "Parse"}
CALLED = {"path": "stdlib", "fixed": "99.0.0", "import": "encoding/json", "symbol": "Unmarshal"}
NOT_CALLED = {"path": "stdlib", "fixed": "99.0.0", "import": "encoding/json", "symbol": "Nothing"}


def database(folder: Path, *weaknesses: dict[str, str]) -> str:
    """URL of a vulnerability database in Go's format."""
    now = "2026-01-01T00:00:00Z"
    modules: dict[str, Any] = {}
    for number, weakness in enumerate(weaknesses):
        name = f"GO-2026-{number}"
        modules.setdefault(weakness["path"], []).append({"id": name, "modified": now, "fixed": weakness["fixed"]})
        affected = {
            "package": {"name": weakness["path"], "ecosystem": "Go"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": weakness["fixed"]}]}],
            "ecosystem_specific": {"imports": [{"path": weakness["import"], "symbols": [weakness["symbol"]]}]},
        }
        entry = {"schema_version": "1.3.1", "id": name, "modified": now, "published": now, "affected": [affected]}
        (folder / "ID").mkdir(parents=True, exist_ok=True)
        (folder / f"ID/{name}.json").write_text(json.dumps(entry))
    (folder / "index").mkdir(parents=True)
    (folder / "index/db.json").write_text(json.dumps({"modified": now}))
    index = [{"path": path, "vulns": found} for path, found in modules.items()]
    (folder / "index/modules.json").write_text(json.dumps(index))
    return f"file://{folder}"


@pytest.mark.parametrize(
    ("weaknesses", "code", "text"),
    [
        ([TEXT], 0, "ok          wire: no known vulnerability"),
        ([TEXT, CALLED], 1, "VULNERABLE  wire: stdlib v"),
        ([TEXT, NOT_CALLED], 0, "not called  wire: stdlib v"),
        ([], 4, "NOT CHECKED Go programs: the database can't be relied on"),
        ([CALLED], 4, "NOT CHECKED Go programs: the database can't be relied on"),
        (None, 4, "NOT CHECKED Go programs: "),
    ],
)
def test_a_go_program_is_fine_only_when_a_database_that_knows_something_was_asked(
    weaknesses: list[dict[str, str]] | None, code: int, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = f"file://{tmp_path}/nothing" if weaknesses is None else database(tmp_path / "database", *weaknesses)
    folders = {"wire": REPOSITORY / "generator/engine/wire"}
    assert audit.report(audit.go_programs(go_toolchain.find_go(), folders, source)) == code
    assert text in capsys.readouterr().out


def test_a_program_that_does_not_load_was_not_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = database(tmp_path / "database", TEXT)
    assert audit.report(audit.go_programs(go_toolchain.find_go(), {"gone": tmp_path / "gone"}, source)) == 4
    assert "NOT CHECKED gone: " in capsys.readouterr().out


def test_every_lock_file_is_asked_about() -> None:
    files = {file.relative_to(REPOSITORY).as_posix() for file in audit.LOCKS}
    assert files == {
        "generator/tenantry/engine/requirements-go.lock",
        *(p.name for p in REPOSITORY.glob("requirements*.lock")),
    }
