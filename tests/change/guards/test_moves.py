"""A move goes one step a change: each way to leave one out is refused, and each step by itself passes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from change.test_guards import Edit, codes, guarded, lay
from conftest import REPOSITORY
from tenantry.core.findings import Finding
from tenantry.model.migration import MOVE_STEPS, MoveStep
from tenantry.runtime.cache import Store

FILE = "tenants/smith-advisory.yaml"
FROM, TO = "euw1-shared-a", "euw1-shared-b"
ONE, OTHER = "0a1b2c3d", "4e5f6071"
AFTER, KEPT = "2027-01-15", "2026-12-29"
AT_TARGET = ("switch", "watch", "remove")
Judge = Callable[..., list[Finding]]


def at(step: str, *, cell: str = "", to: str = TO, kept: str = KEPT, attempt: str = "") -> list[Edit]:
    """Edits by which the tenant is in a step of its move."""
    records = [
        f'{{step: {done}, date: "2026-11-29", by: A{", minutes: 12" if done == "copy" else ""}}}'
        for done in MOVE_STEPS[: MOVE_STEPS.index(step)]  # type: ignore[arg-type]
    ]
    copies = f', attempt: "{attempt}"' if attempt else ""
    move = (
        f"  migration: {{step: {step}, from: {{tier: shared, cells: {{production: {FROM}}}}}, "
        f'to: {{tier: shared, cells: {{production: {to}}}}}, keepSourceUntil: "{kept}", records: [{", ".join(records)}]{copies}}}\n'
    )
    serving = cell or (to if step in AT_TARGET else FROM)
    return [
        Edit(FILE, "  tier: shared\n", f"  tier: shared\n{move}"),
        Edit(FILE, f"production: {{cell: {FROM}", f"production: {{cell: {serving}"),
    ]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """What the guards say of a change from some edits to others."""

    def between(before: Sequence[Edit], after: Sequence[Edit], as_of: str = AFTER) -> list[Finding]:
        base = lay(tmp_path / "base", before) if before else REPOSITORY
        return guarded(base, lay(tmp_path / "fleet", after), Store(), as_of)

    return between


def test_each_step_follows_the_one_before_it(judge: Judge, tmp_path: Path) -> None:
    states = [[], *(at(step) for step in MOVE_STEPS), [Edit(FILE, f"cell: {FROM}", f"cell: {TO}")]]
    folders = [lay(tmp_path / str(number), edits) for number, edits in enumerate(states)]
    for before, after in pairwise(folders):
        assert [(f.code, f.message) for f in guarded(before, after, Store(), AFTER)] == []


@pytest.mark.parametrize("step", [step for step in MOVE_STEPS if step not in ("prepare", "remove")])
def test_the_way_back_is_open_from_each_step(judge: Judge, step: MoveStep) -> None:
    assert codes(judge(at(step), at("prepare"))) == []


def test_copies_lie_elsewhere_after_the_way_back(judge: Judge) -> None:
    assert codes(judge(at("freeze", attempt=ONE), at("prepare", attempt=OTHER))) == []


def test_copies_lie_in_one_place_on_the_way_forth(judge: Judge) -> None:
    assert codes(judge(at("copy", attempt=ONE), at("compare", attempt=ONE))) == []


def test_a_move_is_given_up_at_its_beginning(judge: Judge) -> None:
    assert codes(judge(at("prepare"), [])) == []


@pytest.mark.parametrize(("before", "after"), [
    ("prepare", "compare"), ("copy", "freeze"), ("compare", "switch"), ("freeze", "watch"), ("switch", "remove"),
    ("prepare", "switch"), ("switch", "freeze"), ("watch", "switch"), ("remove", "watch"), ("remove", "prepare"),
])  # fmt: skip
def test_no_step_is_left_out(judge: Judge, before: MoveStep, after: MoveStep) -> None:
    found = judge(at(before), at(after))
    assert f"smith-advisory: its move would go from '{before}' to '{after}' in one change" in [f.message for f in found]
    crossing = (before in AT_TARGET) != (after in AT_TARGET)
    assert sorted(f.code for f in found) == (["B003", "B012"] if crossing else ["B012"])


def test_a_changed_cell_without_its_step_is_refused(judge: Judge) -> None:
    """The file would say of itself that it is copied; only a step that was merged before counts."""
    assert codes(judge(at("freeze"), at("freeze", cell=TO))) == [f"B003 {FILE}"]


def test_a_state_that_was_never_merged_counts_for_nothing(judge: Judge) -> None:
    assert sorted(codes(judge([], at("switch")))) == [f"B003 {FILE}", f"B012 {FILE}"]


WRONG: dict[str, tuple[list[Edit], list[Edit], str]] = {
    "it begins in the middle": ([], at("copy"), "a move begins with the step 'prepare'"),
    "it is forgotten": (at("copy"), [], "its move would be forgotten in the step 'copy'"),
    "it is forgotten after the switch": (at("watch"), [], "its move would be forgotten in the step 'watch'"),
    "it leads elsewhere": (at("copy"), at("compare", to="euw1-shared-np"), "its move would lead from or to another place"),
    "copies of the attempt before": (at("freeze", attempt=ONE), at("prepare", attempt=ONE), "its copies would be taken for those of the attempt before"),
    "copies in another folder": (at("copy", attempt=ONE), at("compare", attempt=OTHER), "its copies would be looked for in another folder"),
    "copies in no folder": (at("copy", attempt=ONE), at("compare"), "its copies would be looked for in another folder"),
    "the source goes earlier": (at("watch"), at("watch", kept="2026-12-01"), "the source is kept until 2026-12-29, not 2026-12-01"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_move_stays_what_it_was_reviewed_as(judge: Judge, name: str) -> None:
    before, after, message = WRONG[name]
    assert ("B012", f"smith-advisory: {message}") in [(f.code, f.message) for f in judge(before, after)]


@pytest.mark.parametrize(("day", "found"), [("2026-12-29", [f"B012 {FILE}"]), ("2026-12-30", [])])
def test_the_source_leaves_after_its_day(judge: Judge, day: str, found: list[str]) -> None:
    assert codes(judge(at("watch"), at("remove"), day)) == found


def test_the_day_can_be_put_off(judge: Judge) -> None:
    assert codes(judge(at("watch"), at("watch", kept="2027-06-30"))) == []


@pytest.mark.parametrize("other", ['date: "2026-11-28"', 'date: "2026-11-29", by: B'])
def test_a_record_stays_as_it_was_written(judge: Judge, other: str) -> None:
    written = 'date: "2026-11-29"' if "by" not in other else 'date: "2026-11-29", by: A'
    forged = [dataclasses.replace(edit, new=(edit.new or "").replace(written, other)) for edit in at("compare")]
    assert forged != at("compare")
    assert codes(judge(at("copy"), forged)) == [f"B012 {FILE}"]


def test_a_release_is_not_promoted_with_the_switch(judge: Judge) -> None:
    promoted = Edit(
        "platform/releases/standard.yaml", "production: odoo-18.0-20261012", "production: odoo-18.0-20261109"
    )
    found = judge(at("freeze"), [*at("switch"), promoted])
    assert [(f.code, f.message) for f in found] == [
        ("B012", "smith-advisory-production would get release 'odoo-18.0-20261109' with the switch")
    ]


def test_nobody_moves_into_a_closed_cell(judge: Judge) -> None:
    closed = Edit("platform/cells/euw1-shared-b.yaml", "  cluster: euw1-a\n", "  cluster: euw1-a\n  state: closed\n")
    assert [(f.code, f.message) for f in judge([], [*at("prepare"), closed])] == [
        ("B008", "cell 'euw1-shared-b' is closed, so nothing new comes into it")
    ]


def test_who_was_promised_a_place_keeps_it_when_the_cell_closes(judge: Judge) -> None:
    closed = Edit("platform/cells/euw1-shared-b.yaml", "  cluster: euw1-a\n", "  cluster: euw1-a\n  state: closed\n")
    assert codes(judge(at("freeze"), [*at("switch"), closed])) == []


def test_a_cell_stays_while_a_move_keeps_data_in_it(tmp_path: Path) -> None:
    """The only member has moved away; its data is still there."""
    others = [
        Edit(f"tenants/{path.name}", f"cell: {FROM}", f"cell: {TO}")
        for path in (REPOSITORY / "tenants").glob("*.yaml")
        if f"cell: {FROM}" in path.read_text() and path.name != FILE.rpartition("/")[2]
    ]
    empty = Edit(f"platform/cells/{FROM}.yaml", "  cluster: euw1-a\n", "  cluster: euw1-a\n  state: decommissioned\n")
    before = lay(tmp_path / "base", [*others, empty, *at("watch")])
    after = lay(tmp_path / "fleet", [*others, empty, *at("watch"), Edit(f"platform/cells/{FROM}.yaml")])
    found = guarded(before, after, Store(), AFTER)
    assert any(f.code == "B001" and "1 instances live in it" in f.message for f in found), [f.message for f in found]
