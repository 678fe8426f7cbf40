"""States of a tenant are one edit each, and every other line of the file stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from conftest import Ran

Run = Callable[..., Ran]


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines that are gone, and lines that are new."""
    one, other = before.splitlines(), after.splitlines()
    return [line for line in one if line not in other], [line for line in other if line not in one]


def test_a_tenant_is_suspended_and_comes_back(run: Run, fleet: Path) -> None:
    file = fleet / "tenants/acme.yaml"
    before = file.read_text()
    ran = run("suspend", "acme", "-C", fleet)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "acme is suspended.")
    assert changed(before, file.read_text()) == ([], ["  state: suspended"])
    assert run("resume", "acme", "-C", fleet).code == 0
    assert changed(before, file.read_text()) == ([], ["  state: active"])


def test_one_environment_is_suspended(run: Run, fleet: Path) -> None:
    assert run("suspend", "northwind", "--environment", "staging", "-C", fleet).code == 0
    assert "staging: {cell: euw1-seg-np, state: suspended}" in (fleet / "tenants/northwind.yaml").read_text()
    ran = run("suspend", "acme", "--environment", "staging", "-C", fleet)
    assert (ran.code, ran.err) == (2, "tenantry: acme has no environment 'staging'\n  it has production\n")


def test_offboarding_says_when_and_by_whom_and_can_be_taken_back(run: Run, fleet: Path) -> None:
    file = fleet / "tenants/acme.yaml"
    before = file.read_text()
    more = ("--delete-after", "2027-01-31", "--approver", "A", "--reason", "contract ended")
    ran = run("offboard", "acme", *more, "-C", fleet)
    assert ran.code == 0, ran
    assert "tenants/acme.yaml can be deleted after 2027-01-31, in another change" in ran.out
    text = file.read_text()
    assert "  state: offboarding\n" in text
    assert 'deleteAfter: "2027-01-31"' in text
    assert run("render", "-C", fleet).code == 0
    assert run("resume", "acme", "-C", fleet).code == 0
    assert changed(before, file.read_text()) == ([], ["  state: active"])


def test_a_wrong_date_changes_nothing(run: Run, fleet: Path) -> None:
    before = (fleet / "tenants/acme.yaml").read_text()
    ran = run("offboard", "acme", "--delete-after", "soon", "--approver", "A", "--reason", "B", "-C", fleet)
    assert ran.code == 2
    assert "tenants/acme.yaml was not changed, for it would not be right" in ran.err
    assert (fleet / "tenants/acme.yaml").read_text() == before


def test_a_name_is_shown_and_the_id_stays(run: Run, fleet: Path) -> None:
    ran = run("rename", "acme", 'Acme: the "Group"', "-C", fleet)
    assert ran.code == 0, ran
    assert "its id stays" in ran.out
    text = (fleet / "tenants/acme.yaml").read_text()
    assert "  name: acme\n" in text
    assert run("get", "acme", "spec.displayName", "-C", fleet).out.startswith('Acme: the "Group"')


def test_only_tenants_have_these_states(run: Run, fleet: Path) -> None:
    ran = run("suspend", "cell/euw1-shared-a", "-C", fleet)
    assert (ran.code, ran.err) == (
        2,
        "tenantry: 'cell/euw1-shared-a' is not a tenant's name\n  name a tenant, such as acme\n",
    )
    ran = run("suspend", "acne", "-C", fleet)
    assert ran.code == 2
    assert "did you mean 'acme'?" in ran.err
