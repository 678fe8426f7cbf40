"""A restore goes one step a change, and its entry stays: each way to leave a step out, or to use an archive twice, is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from change.test_guards import Edit, codes, guarded, lay
from conftest import REPOSITORY
from tenantry.core.findings import Finding
from tenantry.runtime.cache import Store

TENANT, CELL = "tenants/northwind-partners.yaml", "platform/cells/euw1-shared-a.yaml"
AFTER, KEPT = "2027-01-05", "2026-12-29"
Judge = Callable[..., list[Finding]]


def entry(
    step: str, way: str = "beside", generation: int = 2, source: int = 1, kept: str = KEPT, day: str = "2026-12-28"
) -> str:
    return (
        f'{{generation: {generation}, source: {source}, way: {way}, step: {step}, targetTime: "{day}T10:15:00Z", '
        f'reason: An import went wrong, keepSourceUntil: "{kept}"}}'
    )


def at(*entries: str) -> list[Edit]:
    """Edits by which a tenant's own server and a cell's have these restores."""
    restores = f"restores: [{', '.join(entries)}]"
    return [
        Edit(TENANT, "production: {cell: euw1-seg-a, ", f"production: {{cell: euw1-seg-a, {restores}, "),
        Edit(CELL, "spec:\n", f"spec:\n  {restores}\n"),
    ]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """What the guards say of a change from some edits to others."""

    def between(before: Sequence[Edit], after: Sequence[Edit], as_of: str = AFTER) -> list[Finding]:
        base = lay(tmp_path / "base", before) if before else REPOSITORY
        return guarded(base, lay(tmp_path / "fleet", after), Store(), as_of)

    return between


BESIDE = ["recover", "switch", "done"]
IN_PLACE = ["save", "recover", "switch", "done"]


@pytest.mark.parametrize(("way", "steps"), [("beside", BESIDE), ("in-place", IN_PLACE), ("beside", ["recover", "dropped"]), ("in-place", ["save", "dropped"]), ("beside", ["recover", "switch", "recover", "switch"])])  # fmt: skip
def test_each_step_follows_the_one_before_it(tmp_path: Path, way: str, steps: list[str]) -> None:
    states = [[], *(at(entry(step, way)) for step in steps)]
    folders = [lay(tmp_path / str(number), edits) for number, edits in enumerate(states)]
    for before, after in pairwise(folders):
        assert [(f.code, f.message) for f in guarded(before, after, Store(), AFTER)] == []


@pytest.mark.parametrize(("way", "before", "after"), [
    ("beside", "recover", "done"), ("beside", "switch", "dropped"), ("beside", "done", "recover"), ("beside", "done", "dropped"),
    ("beside", "dropped", "recover"), ("in-place", "save", "switch"), ("in-place", "recover", "done"),
    ("in-place", "recover", "save"), ("in-place", "recover", "dropped"), ("in-place", "switch", "recover"),
])  # fmt: skip
def test_no_step_is_left_out(judge: Judge, way: str, before: str, after: str) -> None:
    found = judge(at(entry(before, way)), at(entry(after, way)))
    said = f"its restore to generation 2 would go from '{before}' to '{after}' in one change"
    assert [(f.code, f.message) for f in found] == [
        ("B013", f"northwind-partners-production: {said}"), ("B013", f"cell 'euw1-shared-a': {said}"),
    ]  # fmt: skip


WRONG: dict[str, tuple[list[str], list[str], str]] = {
    "it begins in the middle": ([], [entry("switch")], "a restore beside begins with the step 'recover'"),
    "nothing was saved before": ([], [entry("recover", "in-place")], "a restore in-place begins with the step 'save'"),
    "it is forgotten": ([entry("recover")], [], "the restore to generation 2 would be forgotten, and its archive used again"),
    "it is forgotten when it is over": ([entry("done")], [], "the restore to generation 2 would be forgotten, and its archive used again"),
    "a generation is used again": ([entry("dropped", generation=3)], [entry("dropped", generation=3), entry("recover")], "generation 2 is below 3, which is used up"),
    "it goes to another moment": ([entry("recover")], [entry("recover", day="2026-12-27")], "generation 2 would come from elsewhere than it did"),
    "it comes from another archive": ([entry("dropped"), entry("recover", generation=3)], [entry("dropped"), entry("recover", generation=3, source=2)], "generation 3 would come from elsewhere than it did"),
    "two begin at once": ([], [entry("dropped"), entry("recover", generation=3)], "2 restores would begin in one change"),
    "what served before goes earlier": ([entry("switch")], [entry("switch", kept="2026-12-01")], "what served before generation 2 is kept until 2026-12-29, not 2026-12-01"),
    "no backup reaches so far back": ([], [entry("recover", day="2026-11-20")], "2026-11-20T10:15:00Z is 46 days ago, and backups are kept for "),
    "beside what is gone": ([entry("recover", "in-place")], [entry("dropped", "in-place"), entry("recover", generation=3)], "what served before is gone, so nothing can be beside it"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_restore_stays_what_it_was_reviewed_as(judge: Judge, name: str) -> None:
    before, after, message = WRONG[name]
    found = judge(at(*before) if before else [], at(*after) if after else [])
    for whose in ("northwind-partners-production", "cell 'euw1-shared-a'"):
        assert any(f.code == "B013" and f.message.startswith(f"{whose}: {message}") for f in found), found


def test_a_recovery_in_place_to_the_wrong_moment_is_given_up_for_another(judge: Judge) -> None:
    again = [entry("dropped", "in-place"), entry("recover", "in-place", generation=3)]
    assert codes(judge(at(entry("recover", "in-place")), at(*again))) == []


@pytest.mark.parametrize(("day", "found"), [("2026-12-29", [f"B013 {TENANT}", f"B013 {CELL}"]), ("2026-12-30", [])])
def test_what_served_before_leaves_after_its_day(judge: Judge, day: str, found: list[str]) -> None:
    assert codes(judge(at(entry("switch")), at(entry("done")), day)) == found


def test_the_major_stays_during_a_restore(judge: Judge) -> None:
    """Beside the guard on majors (B004), which lets a later one pass."""
    later = [
        Edit("platform/cells/euw1-seg-a.yaml", "postgresqlMajor: 17", "postgresqlMajor: 18"),
        Edit(CELL, "major: 17", "major: 18"),
    ]
    found = [(f.code, f.message) for f in judge(at(entry("recover")), [*at(entry("recover")), *later])]
    said = "PostgreSQL would change its major during a restore, and reads no archive of another"
    assert {("B013", f"northwind-partners-production: {said}"), ("B013", f"cell 'euw1-shared-a': {said}")} <= set(found)


SHARED = "tenants/smith-advisory.yaml"


def taken(step: str, cell: str = "recover") -> list[Edit]:
    """Edits by which a tenant's database is taken out of its cell's restored server."""
    one = f'{{generation: 2, source: 2, way: database, step: {step}, reason: A table was dropped, keepSourceUntil: "{KEPT}"}}'
    own = [Edit(SHARED, "{cell: euw1-shared-a", f"{{cell: euw1-shared-a, restores: [{one}]")] if step else []
    return [*own, *([Edit(CELL, "spec:\n", f"spec:\n  restores: [{entry(cell)}]\n")] if cell else [])]


@pytest.mark.parametrize("states", [
    [taken(""), taken("copy"), taken("switch"), taken("switch", "dropped"), taken("done", "dropped")],
    [taken(""), taken("copy"), taken("dropped"), taken("dropped", "dropped")],
    [taken(""), taken("copy"), taken("switch"), taken("copy"), taken("switch")],
])  # fmt: skip
def test_one_database_goes_its_way_beside_its_cell(tmp_path: Path, states: list[list[Edit]]) -> None:
    folders = [lay(tmp_path / str(number), edits) for number, edits in enumerate(states)]
    for before, after in pairwise(folders):
        assert [(f.code, f.message) for f in guarded(before, after, Store(), AFTER)] == []


DATABASE: dict[str, tuple[list[Edit], list[Edit], list[str]]] = {
    "from a server that nobody has seen": ([], taken("copy"), ["B013"]),
    "used before it was compared": (taken(""), taken("switch"), ["B003", "B013"]),
    "forgotten, and its old one used": (taken("switch"), taken(""), ["B003", "B013"]),
    "ended before it was used": (taken("copy"), taken("done"), ["B003", "B013"]),
}


@pytest.mark.parametrize("name", DATABASE)
def test_one_database_is_not_used_before_it_was_looked_at(judge: Judge, name: str) -> None:
    before, after, found = DATABASE[name]
    assert sorted(code.partition(" ")[0] for code in codes(judge(before, after))) == found
