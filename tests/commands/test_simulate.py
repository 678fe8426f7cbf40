"""A simulation as text, as JSON and as a page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from conftest import REPOSITORY, Ran

Run = Callable[..., Ran]


def test_a_loss_is_said_with_numbers_room_and_commands(run: Run) -> None:
    ran = run("simulate", "region-loss", "eu-west", "-C", REPOSITORY)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("region-loss eu-west: euw1-a, euw1-globex\n")
    row = next(line for line in ran.out.splitlines() if "globex-eu-production" in line)
    assert row.split()[:3] == ["1", "globex-eu-production", "dedicated"] and row.split()[-8:] == [
        "1",
        "of",
        "5",
        "min",
        "35",
        "of",
        "60",
        "min",
    ]
    assert "without end of 480 min, not kept" in ran.out
    assert "  euc1-a/euc1-seg-a: 4 of 8 instances\n" in ran.out
    assert "  tenantry runbook globex-eu region-lost\n" in ran.out


def test_json_and_the_page_say_the_same(run: Run) -> None:
    found = json.loads(run("simulate", "region-loss", "eu-west", "--format", "json", "-C", REPOSITORY).out)
    assert found["ok"] is False and found["loss"]["clusters"] == ["euw1-a", "euw1-globex"]
    by_name = {one["instance"]: one for one in found["courses"]}
    assert by_name["acme-production"]["rto_minutes"]["value"] is None
    assert by_name["globex-eu-production"]["rto_minutes"]["value"] == 35
    assert by_name["globex-eu-production"]["commands"] == [
        ["tenantry", "failover", "globex-eu", "--to", "euc1-globex", "--lost", "--reason", "REASON"],
        ["tenantry", "runbook", "globex-eu", "region-lost"],
    ]
    page = run("simulate", "region-loss", "eu-west", "--format", "markdown", "-C", REPOSITORY).out
    assert page.startswith("# region-loss eu-west: euw1-a, euw1-globex\n")
    assert "| 1 | globex-eu-production | dedicated |" in page and "## Room after it\n" in page


def test_a_tree_that_is_not_there_is_no_answer(run: Run, fleet: Path) -> None:
    ran = run("simulate", "region-loss", "eu-west", "-C", fleet)
    assert ran.code == 2 and "rendered/ has no objects of cluster 'euw1-a'" in ran.err
    ran = run("simulate", "region-loss", "mars", "-C", fleet)
    assert ran.code == 2 and "there is no region 'mars'" in ran.err
    ran = run("simulate", "region-loss", "eu-west", "--format", "sarif", "-C", fleet)
    assert ran.code == 2 and "it writes json, markdown and text" in ran.err
