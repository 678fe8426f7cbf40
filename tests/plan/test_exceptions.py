"""An exception is announced before it ends, and its end stops its own tenant only."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran
from tenantry.plan.inputs import read_inputs
from tenantry.runtime.cache import Store

Run = Callable[..., Ran]


@pytest.fixture
def excepted(run: Run, fleet: Path) -> Path:
    """A fleet in which acme uses an exception from EDGE-04 until the end of January."""
    tenant = fleet / "tenants/acme.yaml"
    tenant.write_text(tenant.read_text() + "  overrides: {loginRequestsPerSecond: {value: 5, reason: One address.}}\n")
    ran = run(
        "new", "exception", "login", "-C", fleet, "--tenant", "acme", "--control", "EDGE-04", "--reason", "One address.",
        "--owner", "a@provider.example", "--approver", "b@provider.example", "--expires", "2027-01-31",
        "--compensating-control", "Logins are counted.", "--as-of", "2026-11-26",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert run("render", "-C", fleet, "--as-of", "2026-11-26").code == 0
    return fleet


@pytest.mark.parametrize(
    ("day", "code", "severity", "words"),
    [
        ("2026-12-31", "", "", ""),
        ("2027-01-01", "F029", "warning", "ends in 30 days, on 2027-01-31"),
        ("2027-01-30", "F029", "warning", "ends in 1 day, on 2027-01-31"),
        ("2027-01-31", "F029", "warning", "ends today"),
        ("2027-02-01", "F028", "error", "ended on 2027-01-31"),
    ],
)
def test_it_is_announced_for_thirty_days(day: str, code: str, severity: str, words: str, excepted: Path) -> None:
    inputs = read_inputs(excepted, day, Store(None))
    assert inputs.usable
    found = [(f.code, f.severity, f.place.line, f.tenant, f.message) for f in inputs.findings]
    message = f"the exception of acme from EDGE-04 {words}"
    assert found == ([(code, severity, 13, "acme", message)] if code else [])


def test_on_the_day_only_its_tenant_fails(run: Run, excepted: Path) -> None:
    checked = run("check", "-C", excepted, "--as-of", "2027-02-01", "--format", "json")
    assert checked.code == 1
    found = json.loads(checked.out)["findings"]
    assert {finding["tenant"] for finding in found} == {"acme"}
    assert {finding["code"] for finding in found} == {"F028", "EDGE-04"}
    other = excepted / "tenants/northwind.yaml"
    other.write_text(other.read_text().replace("users: 120", "users: 130"))
    rendered = run("render", "-C", excepted, "--as-of", "2027-02-01")
    assert rendered.code == 1
    assert "Wrote " in rendered.out
    assert run("render", "northwind", "-C", excepted, "--as-of", "2027-02-01").code == 1
    again = run("check", "-C", excepted, "--as-of", "2027-02-01", "--format", "json")
    assert {finding["code"] for finding in json.loads(again.out)["findings"]} == {"F028", "EDGE-04"}


def test_another_error_still_stops_everything(run: Run, excepted: Path) -> None:
    other = excepted / "tenants/northwind.yaml"
    other.write_text(other.read_text().replace("users: 120", "users: 9999"))
    ran = run("render", "-C", excepted, "--as-of", "2027-02-01")
    assert ran.code == 1
    assert "Nothing was written." in ran.out


def test_a_tenant_that_is_stopped_is_not_asked_to_remove_its_exception(run: Run, excepted: Path) -> None:
    assert run("set", "acme", "spec.state=offboarding", "-C", excepted).code == 0
    ran = run("render", "-C", excepted, "--as-of", "2026-11-26")
    assert ran.code == 0
    assert "F023" not in ran.out


def test_of_two_for_the_same_the_used_one_is_not_to_be_removed(run: Run, excepted: Path) -> None:
    text = (excepted / "policies/exceptions/login.yaml").read_text()
    (excepted / "policies/exceptions/second.yaml").write_text(text.replace("name: login", "name: second"))
    ran = run("render", "-C", excepted, "--as-of", "2026-11-26")
    assert ran.code == 0
    assert ran.out.count("F023") == 1
    assert (
        "second.yaml:8:12: F023 warning: exception 'login' lifts the same control for the same tenant (keep one of the two)"
        in ran.out
    )
