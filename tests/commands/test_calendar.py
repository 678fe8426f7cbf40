"""What ends when: dates, who is hit, and what has no date."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from conftest import REPOSITORY, Ran

Run = Callable[..., Ran]
TODAY = ("--as-of", "2026-11-24")


def ends(run: Run, root: Path, *more: str) -> dict[str, dict[str, object]]:
    ran = run("calendar", "--format", "json", "-C", root, *more)
    assert ran.code == 0, ran.err
    return {f"{end['product']} {end['series']}": end for end in json.loads(ran.out)["ends"]}


def test_what_ends_first_stands_first(run: Run) -> None:
    ran = run("calendar", "-C", REPOSITORY, *TODAY)
    assert ran.code == 0, ran.err
    dated = [line.split()[0] for line in ran.out.partition("\n\n")[0].splitlines()[1:]]
    assert dated == sorted(dated) and dated
    assert "2027-09-30  310   Odoo 17.0, extended" in ran.out
    assert "Without a date\n  CloudNativePG 1.30: until about three months after" in ran.out


def test_those_who_are_hit_are_named(run: Run) -> None:
    found = ends(run, REPOSITORY, *TODAY)
    assert found["Odoo 17.0"]["tenants"] == ["evergreen-legal"]
    assert found["Odoo 17.0"]["releases"] == ["odoo-17.0-20261005"]
    assert found["Odoo 17.0"]["days"] == 310
    assert found["Odoo 17.0"]["extended"] is True
    assert "globex-eu" in found["Kubernetes 1.36"]["tenants"]  # type: ignore[operator]
    assert "euc1-globex" in found["Kubernetes 1.36"]["clusters"]  # type: ignore[operator]
    assert "euw1-shared-a" in found["PostgreSQL 17"]["cells"]  # type: ignore[operator]


def test_the_last_day_is_within(run: Run) -> None:
    """90 days before 2027-09-30 is 2027-07-02."""
    assert "Odoo 18.0" in ends(run, REPOSITORY, "--as-of", "2027-07-02", "--within", "90")
    earlier = ends(run, REPOSITORY, "--as-of", "2027-07-01", "--within", "90")
    assert earlier.keys() == {"Kubernetes 1.36"}


def test_a_series_that_nobody_knows_has_no_date(run: Run, fleet: Path) -> None:
    for file in (fleet / "platform/clusters").glob("*.yaml"):
        file.write_text(file.read_text().replace('kubernetesVersion: "1.36"', 'kubernetesVersion: "1.32"'))
    found = ends(run, fleet, *TODAY)["Kubernetes 1.32"]
    assert (found["ends"], found["days"]) == (None, None) and found["rule"]
    assert "Kubernetes 1.32: this generator knows no date of it" in run("calendar", "-C", fleet, *TODAY).out


def test_a_quiet_time_is_said(run: Run, fleet: Path) -> None:
    ran = run("calendar", "-C", fleet, "--within", "0", "--as-of", "2026-01-01")
    assert (ran.code, ran.out) == (0, "nothing is out of support within 0 days of 2026-01-01\n")


def test_what_is_over_is_said(run: Run, tmp_path: Path) -> None:
    for folder in ("platform", "policies", "tenants", "tiers"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    file = tmp_path / "platform/releases/odoo-17.0-20261005.yaml"
    file.write_text(file.read_text().replace('  extendedSupport: "2027-09-30"\n', ""))
    assert "2026-09-30  over  Odoo 17.0" in run("calendar", "-C", tmp_path, *TODAY).out
    assert ends(run, tmp_path, *TODAY)["Odoo 17.0"]["days"] == -55
    said = run("check", "-C", tmp_path, *TODAY).out
    assert (
        "platform/releases/odoo-17.0-20261005.yaml:7:16: F046 warning: support for Odoo 17.0 ended on 2026-09-30"
        in said
    )


def test_a_warning_comes_90_days_before(run: Run) -> None:
    """90 days before 2027-06-28 is 2027-03-30, the day before an exception of the example ends."""
    assert "F046" not in run("check", "-C", REPOSITORY, "--as-of", "2027-03-29").out
    ran = run("check", "-C", REPOSITORY, "--as-of", "2027-03-30")
    assert ran.code == 0
    assert "support for Kubernetes 1.36 ends in 90 days, on 2027-06-28" in ran.out
