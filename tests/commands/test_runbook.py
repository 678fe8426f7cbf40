"""A runbook as text, as JSON and as a page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran

Run = Callable[..., Ran]


def test_incidents_of_a_tenant_are_listed(run: Run, fleet: Path) -> None:
    ran = run("runbook", "northwind", "-C", fleet)
    assert ran.code == 0, ran.err
    assert "database-down" in ran.out and "called: the pager of team accounts, 12 hours a day" in ran.out
    assert "RPO 5 min, 60 min when the region is lost; RTO 240 min" in ran.out


@pytest.mark.parametrize(("tenant", "server"), [("northwind", "northwind-production"), ("acme", "euw1-shared-a-cell")])
def test_commands_have_the_real_names(run: Run, fleet: Path, tenant: str, server: str) -> None:
    text = run("runbook", tenant, "database-down", "-C", fleet).out
    command = f"kubectl cnpg status postgresql --namespace {server} --context euw1-a"
    assert f"     {command}\n" in text
    page = run("runbook", tenant, "database-down", "--format", "markdown", "-C", fleet).out
    assert page.startswith(f"# PostgreSQL is down: {tenant}-production\n")
    assert f"   ```\n   {command}\n   ```\n" in page
    document = json.loads(run("runbook", tenant, "database-down", "--format", "json", "-C", fleet).out)
    assert document["steps"][0]["commands"] == [command.split()]
    assert {
        "cluster": "euw1-a",
        "group": "postgresql.cnpg.io",
        "kind": "Cluster",
        "namespace": server,
        "name": "postgresql",
    } in document["objects"]


def test_a_restore_names_what_the_next_one_will_be_called(run: Run, fleet: Path) -> None:
    own = run("runbook", "northwind", "restore-to-a-moment", "-C", fleet).out
    assert "tenantry restore northwind-production --to MOMENT --reason REASON\n" in own
    assert "cluster.postgresql.cnpg.io/postgresql-g2 --context euw1-a\n" in own
    shared = run("runbook", "acme", "restore-to-a-moment", "-C", fleet).out
    assert "tenantry restore euw1-shared-a --to MOMENT --reason REASON\n" in shared
    assert "tenantry restore acme-production --out-of-cell --reason REASON\n" in shared
    assert "job/odoo-move --context euw1-a\n" in shared


@pytest.mark.parametrize(("given", "said"), [
    (("nobody",), "there is no tenant 'nobody'"), (("acme", "fire"), "there is no incident 'fire'"),
    (("acme", "--environment", "staging"), "acme has no staging"), (("acme", "--format", "sarif"), "it writes json, markdown and text"),
])  # fmt: skip
def test_what_is_not_there_is_refused(run: Run, fleet: Path, given: tuple[str, ...], said: str) -> None:
    ran = run("runbook", *given, "-C", fleet)
    assert ran.code == 2 and said in ran.err
