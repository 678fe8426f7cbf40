"""One fault each: tests/bad/<CODE>-<slug>/ has files that replace those of a valid fleet, and the exact findings.

`expect.txt` is what `tenantry check` says, line by line. A file called `remove.txt` lists files taken away.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from conftest import REPOSITORY, add_tenant
from tenantry.commands import scaffold
from tenantry.core.codes import CODES_BY_ID
from tenantry.core.findings import in_order
from tenantry.plan.inputs import read_inputs
from tenantry.report.text import line
from tenantry.runtime.cache import Store

CASES = sorted(path for path in (REPOSITORY / "tests/bad").iterdir() if path.is_dir())
_SEEN = Store(None)
"""Files that all cases share are parsed once a process."""


def answer(case: Path, root: Path) -> str:
    scaffold.new_fleet(root)
    add_tenant(root, "acme", "shared", "euw1-shared-a", users=24)
    add_tenant(root, "northwind", "segmented", "euw1-seg-a", users=120, staging="euw1-seg-np")
    for source in (path for path in sorted(case.rglob("*")) if path.is_file()):
        target = root / source.relative_to(case)
        if source.name not in ("expect.txt", "remove.txt"):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    for name in (case / "remove.txt").read_text().split() if (case / "remove.txt").exists() else ():
        (root / name).unlink()
    _SEEN.entries = _SEEN.used
    inputs = read_inputs(root, "2026-11-23", _SEEN)
    return "".join(f"{line(finding)}\n" for finding in in_order(inputs.findings))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_a_fault_is_answered_with_its_place_and_the_way_out(case: Path, tmp_path: Path) -> None:
    given = answer(case, tmp_path / "fleet")
    assert given == (case / "expect.txt").read_text()
    code = case.name.partition("-")[0]
    assert all(text.split(": ")[1].split()[0] == code for text in given.splitlines()), "one fault, one code"
    assert code in CODES_BY_ID


def test_there_are_enough_cases_and_each_input_code_has_one() -> None:
    assert len(CASES) >= 60
    covered = {path.name.partition("-")[0] for path in CASES}
    # Read and size faults need a file system of their own: tests/project/test_hostile_files.py. Unused exceptions: tests/prove/test_policies.py.
    # Canonical form is not a rule of `check`: tests/commands/test_fmt.py. Warnings: tests/plan/test_alerting.py, test_exceptions.py, test_placeholders.py, tests/inputs/test_fleet.py.
    assert {code for code in CODES_BY_ID if code[0] in "SRF"} - covered == {
        "S001",
        "S002",
        "S029",
        "S030",
        "F023",
        "F029",
        "F031",
        "F050",
    }
