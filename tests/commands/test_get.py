"""`tenantry get`"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import REPOSITORY, Ran

Run = Callable[..., Ran]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["acme", "spec.users"], "24  tenants/acme.yaml:17:10\n"),
        (["tenant/acme", "spec.residency[1]"], "eu-central  tenants/acme.yaml:16:24\n"),
        (["tenants/acme.yaml", "spec.owner.team"], "accounts-emea  tenants/acme.yaml:9:17\n"),
        (["acme", "spec.state"], "active  not set; the default\n"),
        (["acme", "spec.maintenance"], "[]  not set; the default\n"),
        (["acme", "spec.customer"], "-  not set\n"),
        (["tier/shared", "spec.users"], "spec.users.min  5   tiers/shared.yaml:23:16\nspec.users.max  50  tiers/shared.yaml:23:24\n"),
        (["channel/standard", "spec.takesNewTenants"], "true  not set; the default\n"),
        (["release/odoo-18.0-20261012", "spec.odooVersion"], "18.0  platform/releases/odoo-18.0-20261012.yaml:7:16\n"),
        (["platform", "spec.prices.cpuCore"], "18  platform/platform.yaml:135:14\n"),
        (["cluster/euw1-a", "spec.region"], "eu-west  platform/clusters/euw1-a.yaml:8:11\n"),
        (["cell/euw1-shared-a", "spec.capacity.users"], "1000  platform/cells/euw1-shared-a.yaml:12:12\n"),
        (["exception/iberia-travel-login-rate", "spec.control"], "EDGE-04  policies/exceptions/iberia-travel-login-rate.yaml:8:12\n"),
    ],
)  # fmt: skip
def test_a_field_of_any_kind_and_where_it_stands(arguments: list[str], expected: str, run: Run) -> None:
    ran = run("get", *arguments, "-C", REPOSITORY)
    assert (ran.code, ran.out) == (0, expected), ran.err


def test_without_a_field_all_are_shown(run: Run) -> None:
    lines = run("get", "acme", "-C", REPOSITORY).out.splitlines()
    assert lines[0].split() == ["apiVersion", "tenantry.io/v1alpha1", "tenants/acme.yaml:2:13"]
    assert ["spec.environments.production.hosts", "[erp.acme.example]", "tenants/acme.yaml:20:46"] in map(
        str.split, lines
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["euw1-shared-a"], "there is no tenant 'euw1-shared-a'\n  name it cell/euw1-shared-a\n"),
        (["standard"], "there is no tenant 'standard'\n  name it release/standard or imagecontract/standard or channel/standard\n"),
        (["acm", "spec"], "there is no tenant 'acm'\n  did you mean 'acme'? files in tenants/: acme, "),
        (["acme", "spec.usres"], "'spec' has no field 'usres'\n  did you mean 'users'?"),
        (["acme", "users"], "there is no field 'users'\n  did you mean 'spec.users'?"),
        (["acme", "spec.users.x"], "'spec.users' has no field 'x'\n  'spec.users' is a single value"),
        (["acme", "spec.residency.x"], "'spec.residency' is a list\n  name an item: spec.residency[0]"),
        (["acme", "spec.users[0]"], "'spec.users' is not a list"),
        (["acme", "spec..x"], "'spec..x' is not the path of a field\n  write it like spec.users"),
        (["tnant/acme"], "there is no kind 'tnant'\n  did you mean 'tenant'? kinds: "),
        (["channel/odoo-18.0-20261012"], "'platform/releases/odoo-18.0-20261012.yaml' is a release, not a channel\n  name it release/NAME"),
        (["../x.yaml"], "'../x.yaml' is not an input file"),
        (["tenant/../acme"], "there is no kind 'tenant/..'"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_answered_with_what_is(arguments: list[str], message: str, run: Run) -> None:
    ran = run("get", *arguments, "-C", REPOSITORY)
    assert ran.code == 2
    assert message in ran.err


def test_json_holds_the_value_itself(run: Run) -> None:
    answer = json.loads(run("get", "acme", "spec.users", "--format", "json", "-C", REPOSITORY).out)
    assert answer["values"] == [
        {"path": "spec.users", "value": 24, "place": "tenants/acme.yaml:17:10", "default": False}
    ]


def test_a_file_that_can_t_be_read_is_reported(run: Run, fleet: Path) -> None:
    (fleet / "tenants/acme.yaml").write_text("a: [b\n")
    ran = run("get", "acme", "-C", fleet)
    assert ran.code == 1
    assert "tenants/acme.yaml:1:4: S004 opens a bracket that is not closed" in ran.out
