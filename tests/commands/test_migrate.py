"""Customers of other systems get a tier with reasons, a cell with room, and a wave."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Ran

Run = Callable[..., Ran]
HEAD = "name,displayName,users,dataSensitivity,customization,integration,availability,obligations,databaseGiB\n"
ROWS = (
    "small-books,Small Books,12,internal,none,low,standard,gdpr,4\n"
    "lawyers,Lawyers & Partners,80,confidential,moderate,low,high,gdpr client-confidentiality,60\n"
    "corner-shop,Corner Shop,8,internal,none,none,standard,,1\n"
)


def planned(run: Run, fleet: Path, rows: str, *more: str) -> Ran:
    (fleet / "customers.csv").write_text(HEAD + rows)
    return run("migrate", "plan", "customers.csv", "-C", fleet, *more)


def answer(ran: Ran) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ran.out)
    return found


def test_each_gets_the_least_expensive_tier_that_may_hold_it(run: Run, fleet: Path) -> None:
    found = answer(planned(run, fleet, ROWS, "--format", "json"))
    tiers = {one["name"]: (one["tier"], one["reasons"]) for one in found["customers"]}
    assert tiers["small-books"] == ("shared", [])
    assert tiers["lawyers"] == (
        "segmented",
        ["not shared: data 'confidential', customization 'moderate', availability 'high', obligation 'client-confidentiality', 80 users (it is for 5 to 50)"],
    )  # fmt: skip


def test_the_simple_ones_come_first_and_a_window_is_not_overfilled(run: Run, fleet: Path) -> None:
    found = answer(planned(run, fleet, ROWS, "--format", "json"))
    order = [name for wave in found["waves"] for name in wave["customers"]]
    assert order == ["corner-shop", "small-books", "lawyers"]
    many = "".join(f"shop-{number},Shop {number},8,internal,none,none,standard,,200\n" for number in range(6))
    found = answer(planned(run, fleet, many, "--format", "json"))
    assert [len(wave["customers"]) for wave in found["waves"]] == [2, 2, 2]
    assert all(wave["minutes"] <= 4 * 60 * 0.7 for wave in found["waves"])


def test_nothing_is_written_without_being_asked_and_then_the_fleet_is_right(run: Run, fleet: Path) -> None:
    ran = planned(run, fleet, ROWS)
    assert ran.code == 0, ran
    assert "Nothing was written" in ran.out
    assert not (fleet / "tenants/lawyers.yaml").exists()
    ran = planned(run, fleet, ROWS, "--write")
    assert "Wrote 3 files" in ran.out
    text = (fleet / "tenants/lawyers.yaml").read_text()
    assert "    dataSensitivity: confidential\n" in text
    assert "    obligations: [gdpr, client-confidentiality]\n" in text
    assert run("render", "-C", fleet).code == 0
    ran = planned(run, fleet, ROWS, "--write")
    assert ran.code == 1
    assert "there is a tenant 'lawyers' already" in ran.out


def test_who_has_no_place_is_named_with_the_reason(run: Run, fleet: Path) -> None:
    ran = planned(run, fleet, "giant,Giant,9000,restricted,heavy,heavy,critical,,900\n")
    assert ran.code == 1
    assert "giant: NO PLACE: no tier may hold it (not shared: data 'restricted'" in ran.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,users\na,1\n", "the table lacks the columns displayName,"),
        (HEAD, "the table has no rows"),
        (HEAD + "a,A,many,internal,none,none,standard,,1\n", "line 2: users is 'many', which is not a number"),
        (HEAD + "a,A,,internal,none,none,standard,,1\n", "line 2: users is empty"),
        (HEAD + "a,A,8,internal,none,none,standard,,1\n" * 2, "line 3: 'a' is in the table twice"),
    ],
)
def test_a_table_that_is_wrong_is_answered_with_its_line(run: Run, fleet: Path, text: str, said: str) -> None:
    (fleet / "customers.csv").write_text(text)
    ran = run("migrate", "plan", "customers.csv", "-C", fleet)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_name_that_is_none_has_no_place(run: Run, fleet: Path) -> None:
    ran = planned(run, fleet, "Not A Name,A,8,internal,none,none,standard,,1\n")
    assert ran.code == 1
    assert "'Not A Name' can't be a name" in ran.out
