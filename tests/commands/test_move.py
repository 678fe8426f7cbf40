"""A move is written step by step: each an edit that the schema and the rules take, with what must be true before the next."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran, add_tenant
from tenantry.model.migration import MOVE_STEPS
from tenantry.plan.inputs import read_inputs
from tenantry.runtime.cache import Store

Run = Callable[..., Ran]
AS_OF = "2026-11-29"


def errors(fleet: Path, as_of: str = AS_OF) -> list[str]:
    return [f"{f.code} {f.message}" for f in read_inputs(fleet, as_of, Store()).findings if f.severity == "error"]


@pytest.fixture
def move(run: Run, fleet: Path) -> Callable[..., Ran]:
    return lambda *arguments, as_of=AS_OF: run("move", "acme", *arguments, "--as-of", as_of, "-C", fleet)


@pytest.fixture
def text(fleet: Path) -> Callable[[], str]:
    return lambda: (fleet / "tenants/acme.yaml").read_text()


def test_it_goes_from_step_to_step_and_ends_where_it_led(
    move: Callable[..., Ran], text: Callable[[], str], fleet: Path
) -> None:
    before = text()
    ran = move("--cell", "euw1-shared-b")
    for step in MOVE_STEPS:
        assert ran.code == 0, ran
        assert f"step: {step}, from: {{tier: shared, cells: {{production: euw1-shared-a}}}}" in text()
        served = "euw1-shared-b" if step in ("switch", "watch", "remove") else "euw1-shared-a"
        assert f"production: {{cell: {served}" in text()
        assert f"Step {step}: " in ran.out
        assert errors(fleet) == []
        more = ("--minutes", "12") if step == "copy" else ()
        ran = move("--next", "--by", "A", *more, as_of="2027-01-01")
    assert ran.out.startswith("acme has moved to tier shared, euw1-shared-b (production).\n")
    assert text() == before.replace("cell: euw1-shared-a", "cell: euw1-shared-b")


def test_records_say_who_saw_each_step_and_how_long_the_copy_took(
    move: Callable[..., Ran], text: Callable[[], str]
) -> None:
    move("--cell", "euw1-shared-b")
    move("--next", "--by", "A. Person", as_of="2026-11-30")
    ran = move("--next", "--by", "B. Person", "--minutes", "200", as_of="2026-12-01")
    assert 'records: [{step: prepare, date: "2026-11-30", by: A. Person}, ' in text()
    assert '{step: copy, date: "2026-12-01", by: B. Person, minutes: 200}]' in text()
    assert "Odoo will be down for about 200 min for the copy" in ran.out
    assert "That is more than 70 % of the window of 4 h" in ran.out


def test_the_commands_name_the_objects_of_the_move(move: Callable[..., Ran]) -> None:
    assert "--namespace euw1-shared-b-cell" in move("--cell", "euw1-shared-b").out
    shown = move()
    assert "database.postgresql.cnpg.io/acme-production" in shown.out
    assert "Look at it" not in shown.out, "nothing was written"
    assert "kubectl logs --namespace acme-production job/odoo-move" in move("--next", "--by", "A").out


@pytest.mark.parametrize("steps", range(1, 6))
def test_back_leads_to_where_the_source_serves(
    move: Callable[..., Ran], text: Callable[[], str], fleet: Path, steps: int
) -> None:
    before = text()
    move("--cell", "euw1-shared-b")
    for number in range(steps):
        move("--next", "--by", "A", *(("--minutes", "1") if number == 1 else ()))
    ran = move("--back")
    lost = "What was entered since the switch is lost." if steps >= 4 else "Nothing is lost."
    assert (ran.code, lost in ran.out) == (0, True), ran
    assert "step: prepare" in text()
    assert errors(fleet) == []
    assert "stays in tier shared, euw1-shared-a (production)" in move("--back").out
    assert text() == before


def test_the_source_is_kept_until_its_day(move: Callable[..., Ran], text: Callable[[], str]) -> None:
    move("--cell", "euw1-shared-b", "--keep-source-until", "2027-06-30")
    for number in range(5):
        move("--next", "--by", "A", *(("--minutes", "1") if number == 1 else ()))
    before = text()
    ran = move("--next", "--by", "A", as_of="2027-06-30")
    assert (ran.code, ran.err) == (
        2, "tenantry: the source of acme is kept until 2027-06-30\n  take this step on a later day\n",
    )  # fmt: skip
    assert text() == before
    assert move("--next", "--by", "A", as_of="2027-07-01").code == 0
    assert "no way back" in move("--back").err


def test_each_beginning_of_a_move_to_another_cluster_has_copies_of_its_own(
    move: Callable[..., Ran], text: Callable[[], str], fleet: Path
) -> None:
    add_tenant(fleet, "acme", "shared", "euw1-shared-a", users=40)
    before = text()
    ran = move("--cell", "euc1-seg-a", "--tier", "segmented")
    assert ran.code == 0, ran
    (first,) = re.findall(r'attempt: "?([0-9a-f]{8})', text())
    assert "kubectl --context euc1-a wait --namespace acme-production" in ran.out
    ran = move("--next", "--by", "A")
    for cluster in ("euw1-a", "euc1-a"):
        assert f"kubectl --context {cluster} wait --namespace acme-production --for=condition=complete" in ran.out
    assert first in text()
    assert errors(fleet) == []
    assert move("--back").code == 0
    (second,) = re.findall(r'attempt: "?([0-9a-f]{8})', text())
    assert first != second
    move("--back")
    assert text() == before


def test_at_the_end_people_are_told_to_delete_what_is_left_in_the_other_cluster(
    move: Callable[..., Ran], fleet: Path
) -> None:
    add_tenant(fleet, "acme", "segmented", "euw1-seg-a", users=40)
    move("--cell", "euc1-seg-a", "--keep-source-until", "2026-12-01")
    for number in range(6):
        ran = move("--next", "--by", "A", *(("--minutes", "1") if number == 1 else ()), as_of="2027-01-01")
    assert "Step remove: the source leaves the trees" in ran.out
    assert (
        "kubectl --context euw1-a delete --namespace acme-production cluster.postgresql.cnpg.io/postgresql" in ran.out
    )
    assert "kubectl --context euw1-a delete namespace acme-production" in ran.out


def test_a_tier_brings_all_environments_with_it(run: Run, fleet: Path) -> None:
    add_tenant(fleet, "medium", "shared", "euw1-shared-a", users=40, staging="euw1-shared-np")
    ran = run("move", "medium", "--tier", "segmented", "-C", fleet)
    assert ran.code == 0, ran
    text = (fleet / "tenants/medium.yaml").read_text()
    assert "to: {tier: segmented, cells: {production: euw1-seg-a, staging: euw1-seg-np}}" in text
    assert "database.postgresql.cnpg.io/odoo" in ran.out
    assert errors(fleet) == []


REFUSED = {
    "a tier that is too large": (("--tier", "segmented"), "F013 24 users do not fit tier 'segmented'"),
    "a cluster without room": (("--cluster", "euc1-a"), "no other cell of tier 'shared' in cluster 'euc1-a' takes production of acme"),
    "an unknown cell": (("--cell", "euw1-shared-x"), "there is no cell 'euw1-shared-x'"),
    "an unknown cluster": (("--cluster", "euw1-x"), "there is no cluster 'euw1-x'"),
    "an unknown tier": (("--tier", "shard"), "there is no tier 'shard'"),
    "a cell for staging": (("--cell", "euw1-shared-np"), "F005 cell 'euw1-shared-np' accepts staging and recovery, not production"),
    "an environment that is not there": (("--cell", "euw1-shared-np", "--environment", "staging"), "acme has no environment 'staging'"),
    "nowhere": (("--cell", "euw1-shared-a"), "production is in cell 'euw1-shared-a' already"),
    "on before it began": (("--next", "--by", "A"), "acme does not move"),
    "back before it began": (("--back",), "acme does not move"),
    "nobody saw it": (("--next",), "--next needs --by WHO"),
    "two ways at once": (("--next", "--by", "A", "--back"), "one of these"),
    "by without next": (("--by", "A"), "--by and --minutes belong to --next"),
    "a wrong date": (("--cell", "euw1-shared-b", "--keep-source-until", "later"), "S023"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_it_says_why_it_writes_nothing(run: Run, fleet: Path, text: Callable[[], str], name: str) -> None:
    before = text()
    arguments, why = REFUSED[name]
    ran = run("move", "acme", *arguments, "-C", fleet)
    assert (ran.code, text()) == (2, before), ran
    assert why in ran.err, ran.err


def test_a_move_begins_once_and_the_copy_is_timed(move: Callable[..., Ran]) -> None:
    move("--cell", "euw1-shared-b")
    assert "acme moves already; it is in the step 'prepare'" in move("--cell", "euw1-shared-b").err
    move("--next", "--by", "A")
    assert "say how long the copy took" in move("--next", "--by", "A").err
