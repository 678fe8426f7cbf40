"""`tenantry erase`: it begins after the approved day, records each place once, and certifies nothing that is not recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran

Run = Callable[..., Ran]
LATER = ("--as-of", "2027-02-01")
PLACES = ("database", "archive", "dumps", "attachments", "redis", "secrets", "logs", "metrics", "velero")


@pytest.fixture
def leaving(run: Run, fleet: Path) -> Path:
    """The fleet with acme, on a shared server, offboarding until 2027-01-31."""
    said = ("--delete-after", "2027-01-31", "--approver", "Head of operations", "--reason", "contract ended")
    assert run("offboard", "acme", *said, "-C", fleet).code == 0
    return fleet


def refused(ran: Ran) -> str:
    assert ran.code == 2, ran
    return ran.err.splitlines()[0].removeprefix("tenantry: ")


def test_a_tenant_that_stays_is_not_erased(run: Run, fleet: Path) -> None:
    assert refused(run("erase", "acme", "-C", fleet)) == "nobody approved that the data of acme is erased"
    assert refused(run("erase", "acne", "-C", fleet)) == "there is no tenant 'acne'"


def test_nothing_begins_before_the_day(run: Run, leaving: Path) -> None:
    text = (leaving / "tenants/acme.yaml").read_text()
    ran = run("erase", "acme", "--begin", "-C", leaving, "--as-of", "2027-01-31")
    assert refused(ran) == "the data of acme is kept until 2027-01-31"
    ran = run("erase", "acme", "--record", "dumps", "--by", "A", "-C", leaving, *LATER)
    assert refused(ran) == "acme is not being erased"
    assert (leaving / "tenants/acme.yaml").read_text() == text


def test_each_place_has_its_names_and_commands(run: Run, leaving: Path) -> None:
    ran = run("erase", "acme", "-C", leaving, "--as-of", "2027-01-31", "--format", "json")
    found = json.loads(ran.out)
    by_name = {place["place"]: place for place in found["places"]}
    assert (tuple(by_name), found["missing"]) == (PLACES, list(PLACES))
    assert by_name["database"]["where"] == ["acme_production in cell euw1-shared-a"]
    assert by_name["archive"]["kept_days"] == 14 and not by_name["archive"]["commands"]
    assert ["rclone", "purge", "store:euw1-a-files/acme/production"] in by_name["attachments"]["commands"]
    assert any("tenants/acme/production/database" in place for place in by_name["secrets"]["where"])
    assert by_name["logs"]["kept_days"] == 30
    assert found["last"] == [["kubectl", "delete", "namespace", "acme-production", "--context", "euw1-a"]]


def test_from_the_first_step_to_the_certificate(run: Run, leaving: Path) -> None:
    done = run("erase", "acme", "--begin", "-C", leaving, *LATER)
    assert done.code == 0, done
    assert refused(run("erase", "acme", "--begin", "-C", leaving, *LATER)) == "acme is being erased already"
    assert run("render", "-C", leaving, *LATER).code == 0
    cell = leaving / "rendered/euw1-a/cells/euw1-shared-a"
    database = (cell / "database.postgresql.cnpg.io_euw1-shared-a-cell_acme-production.yaml").read_text()
    role = (cell / "databaserole.postgresql.cnpg.io_euw1-shared-a-cell_acme-production.yaml").read_text()
    assert "  ensure: absent\n" in database
    assert "  login: false\n" in role and "databaseRoleReclaimPolicy: delete" in role
    ran = run("erase", "acme", "--certificate", "-C", leaving, *LATER)
    assert refused(ran) == f"nobody recorded that these were erased: {', '.join(PLACES)}"
    for place in PLACES:
        assert run("erase", "acme", "--record", place, "--by", "A. Meyer", "-C", leaving, *LATER).code == 0
    ran = run("erase", "acme", "--record", "dumps", "--by", "B", "-C", leaving, *LATER)
    assert refused(ran) == "'dumps' is recorded already"
    certified = json.loads(run("erase", "acme", "--certificate", "-C", leaving, *LATER, "--format", "json").out)
    assert [row["place"] for row in certified["erased"]] == list(PLACES)
    assert certified["nothingLeftAfter"] == "2027-03-03"  # logs and metrics: 30 days
    page = run("erase", "acme", "--certificate", "-C", leaving, *LATER, "--format", "markdown").out
    assert "| archive | base backups and WAL |" in page and "2027-02-15 (a shared server's backups" in page
    assert "kubectl delete namespace acme-production --context euw1-a" in page


def test_what_the_law_keeps_stands_in_the_certificate(run: Run, leaving: Path) -> None:
    assert run("erase", "acme", "--begin", "-C", leaving, *LATER).code == 0
    for place in PLACES:
        assert run("erase", "acme", "--record", place, "--by", "A", "-C", leaving, *LATER).code == 0
    kept = '[{"what": "invoices of the service", "until": "2037-12-31", "law": "HGB 257"}]'
    assert run("set", "acme", f"spec.offboarding.kept={kept}", "-C", leaving, *LATER).code == 0
    said = run("erase", "acme", "--certificate", "-C", leaving, *LATER)
    assert "kept until 2037-12-31: invoices of the service (HGB 257)" in said.out


@pytest.mark.parametrize("given", [("--begin", "--certificate"), ("--record", "dumps"), ("--by", "A")])
def test_options_that_do_not_go_together(run: Run, leaving: Path, given: tuple[str, ...]) -> None:
    assert run("erase", "acme", *given, "-C", leaving, *LATER).code == 2
