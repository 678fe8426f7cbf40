"""Every attack in docs/explanation/security.md has a test, and the test exists."""

from __future__ import annotations

import ast
import re

import pytest

from conftest import REPOSITORY

PAGE = (REPOSITORY / "docs/explanation/security.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| attack |")
]


def functions(file: str) -> set[str]:
    """Names of the tests in a file; none when it is not there."""
    path = REPOSITORY / file
    tree = ast.parse(path.read_text()) if path.is_file() else ast.Module([], [])
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_attack_has_what_stops_it_and_a_test_that_exists(row: list[str]) -> None:
    assert len(row) == 3
    assert all(row)
    for reference in row[2].split(", "):
        test = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", reference)
        folder = re.fullmatch(r"`(tests/bad/[\w-]+)`", reference)
        assert test or folder, reference
        if test:
            assert test[2] in functions(test[1]), reference
        if folder:
            assert (REPOSITORY / folder[1] / "expect.txt").is_file(), reference


def test_no_attack_stands_there_twice_and_each_part_has_some() -> None:
    attacks = [row[0] for row in ROWS]
    assert len(attacks) == len(set(attacks))
    parts = re.split(r"^## (\d+)\. .*$", PAGE, flags=re.MULTILINE)[1:]
    assert parts[::2] == [str(number) for number in range(1, 12)]
    assert all("\n| attack | what stops it | test |\n|---|---|---|\n| " in text for text in parts[1::2])
