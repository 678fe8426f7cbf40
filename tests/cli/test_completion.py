"""A shell completes names of what is there: entries of the fleet, codes and controls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import REPOSITORY, Ran

Run = Callable[..., Ran]


@pytest.fixture
def completed(run: Run) -> Callable[[str], list[str]]:
    """What bash offers for the last word of a command line."""

    def ask(line: str, cwd: Path = REPOSITORY) -> list[str]:
        words = line.split(" ")
        ran = run(cwd=cwd, env={
            "_TENANTRY_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1),
        })  # fmt: skip
        return [answer.removeprefix("plain,") for answer in ran.out.splitlines() if answer]

    return ask


@pytest.mark.parametrize(("line", "offered"), [
    ("tenantry explain smi", ["smith-advisory"]),
    ("tenantry explain F00", [f"F00{number}" for number in range(1, 10)]),
    ("tenantry explain NET-01", ["NET-01"]),
    ("tenantry move smith", ["smith-advisory"]),
    ("tenantry move acme --cell euw1-sh", ["euw1-shared-a", "euw1-shared-b", "euw1-shared-np"]),
    ("tenantry move acme --cluster euw1-a", ["euw1-a"]),
    ("tenantry new tenant x --tier s", ["segmented", "shared"]),
    ("tenantry promote e", ["early"]),
    ("tenantry promote early odoo-19", ["odoo-19.0-20261102"]),
    ("tenantry restore smith", ["smith-advisory"]),
    ("tenantry restore euw1-shared-a", ["euw1-shared-a"]),
    ("tenantry runbook acme data", ["database-down"]),
    ("tenantry suspend nobody", []),
])  # fmt: skip
def test_names_are_completed(completed: Callable[[str], list[str]], line: str, offered: list[str]) -> None:
    assert completed(line) == offered


def test_another_fleet_is_looked_at_when_one_is_named(
    completed: Callable[..., list[str]], fleet: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    assert completed(f"tenantry -C {fleet} move nor", tmp_path / "elsewhere") == ["northwind"]
    assert completed("tenantry move nor", tmp_path / "elsewhere") == []
