"""One tenant's database is taken out of its cell's restored server: neighbours are not touched, and what breaks a promise is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import Ran, add_tenant, tree
from mutation import FileMutant, missed
from prove.test_stores import checked, grants_are_what_is_read, use
from tenantry.core.manifest import dig

Run = Callable[..., Ran]
ACME, OTHER, CELL = "acme-production", "beta-production", "euw1-shared-a-cell"
AS_OF = ("--as-of", "2026-11-26")
OLD, NEW = "acme_production", "acme_production_d2"


def entry(step: str, way: str, **end: str) -> dict[str, Any]:
    return {
        "generation": 2, "source": 2 if way == "database" else 1, "way": way, "step": step, "reason": "A table was dropped",
        "keepSourceUntil": "2026-12-31", **end,
    }  # fmt: skip


def put(fleet: Path, step: str, cell: str = "recover") -> None:
    """Write the cell's restored server, and how far the tenant's database has come."""
    path = fleet / "platform/cells/euw1-shared-a.yaml"
    restores = [entry(cell, "beside", targetTime="2026-11-20T10:15:00Z")]
    path.write_text(f"{path.read_text().partition('  restores:')[0]}  restores: {json.dumps(restores)}\n")
    if step:
        path = fleet / "tenants/acme.yaml"
        start, _, rest = path.read_text().partition("production: {cell: euw1-shared-a, ")
        wanted = f"restores: {json.dumps([entry(step, 'database')])}, hosts:"
        path.write_text(f"{start}production: {{cell: euw1-shared-a, {wanted}{rest.partition('hosts:')[2]}")


def rendered(run: Run, fleet: Path, step: str, cell: str = "recover") -> Path:
    if not (fleet / "tenants/beta.yaml").exists():
        add_tenant(fleet, "beta", "shared", "euw1-shared-a", users=12)
    put(fleet, step, cell)
    ran = run("render", "-C", fleet, *AS_OF)
    assert ran.code == 0, ran.out + ran.err
    return fleet / "rendered/euw1-a"


def value(root: Path, file: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((root / file).read_text())
    return loaded


def logins(root: Path, server: str) -> dict[str, bool]:
    specs = [yaml.safe_load(p.read_text())["spec"] for p in (root / "cells/euw1-shared-a").glob("databaserole*")]
    return {spec["name"]: spec["login"] for spec in specs if spec["cluster"]["name"] == server}


@pytest.mark.parametrize(("step", "used", "may"), [
    ("copy", OLD, {OLD: True, NEW: True}), ("switch", NEW, {OLD: False, NEW: True}), ("done", NEW, {NEW: True}),
    ("dropped", OLD, {OLD: True}),
])  # fmt: skip
def test_every_promise_is_kept_in_every_step(run: Run, fleet: Path, step: str, used: str, may: dict[str, bool]) -> None:
    root = rendered(run, fleet, step, "recover" if step in ("copy", "switch") else "dropped")
    assert logins(root, "postgresql") == {"beta_production": True, **may}
    assert used in value(root, f"production/acme/infra/configmap_{ACME}_pgbouncer.yaml")["data"]["web.ini"]
    job = root / f"production/acme/app/job.batch_{ACME}_odoo-move.yaml"
    assert job.exists() is (step == "copy")
    migration = value(root, f"production/acme/app/job.batch_{ACME}_odoo-migration.yaml")["spec"]["template"]["spec"]
    moved = {"name": "MIGRATION_MOVED", "value": "1"} in migration["containers"][0]["env"]
    assert moved is (step == "switch"), "it must not begin with an empty database"


def test_the_job_reads_the_restored_server_and_writes_a_database_beside_the_old_one(run: Run, fleet: Path) -> None:
    root = rendered(run, fleet, "copy")
    assert logins(root, "postgresql-g2") == {"beta_production": False, OLD: True, NEW: False}
    pod = value(root, f"production/acme/app/job.batch_{ACME}_odoo-move.yaml")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["command"] == ["/bin/bash", "/etc/odoo-scripts/move.sh", "restore"]
    given = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert given["SOURCE_HOST"] == f"postgresql-g2-rw.{CELL}.svc"
    assert given["TARGET_HOST"] == f"postgresql-rw.{CELL}.svc"
    assert (given["PGDATABASE"], given["PGUSER"], given["TARGET_DATABASE"]) == (OLD, OLD, NEW)
    assert "ATTACHMENT_TARGET" not in given, "attachments are where they were"


def test_neighbours_are_not_touched(run: Run, fleet: Path) -> None:
    add_tenant(fleet, "beta", "shared", "euw1-shared-a", users=12)
    assert run("render", "-C", fleet, *AS_OF).code == 0

    def theirs() -> dict[str, bytes]:
        return {file: text for file, text in tree(fleet).items() if "beta" in file and "/cells/" not in file}

    before = theirs()
    assert before
    for step, cell in (("", "recover"), ("copy", "recover"), ("switch", "recover"), ("done", "dropped")):
        root = rendered(run, fleet, step, cell)
        assert theirs() == before
        database = value(root, f"cells/euw1-shared-a/database.postgresql.cnpg.io_{CELL}_{OTHER}.yaml")
        assert dig(database, "spec", "cluster", "name") == "postgresql"


_JOB = f"production/acme/app/job.batch_{ACME}_odoo-move.yaml"
_CONTAINER = "spec.template.spec.containers[0]"
_POLICY = f"cells/euw1-shared-a/networkpolicy.networking.k8s.io_{CELL}_postgresql-g2.yaml"
MUTANTS: Mapping[str, FileMutant] = {
    "another server": (_JOB, f"{_CONTAINER}.env[0].value", f"postgresql-rw.{CELL}.svc", "DATA-05", "SOURCE_HOST is"),
    "over the one that serves": (_JOB, f"{_CONTAINER}.env[7].value", OLD, "DATA-05", f"TARGET_DATABASE is '{OLD}'"),
    "into a neighbour's": (_JOB, f"{_CONTAINER}.env[7].value", "beta_production", "DATA-05", "TARGET_DATABASE is 'beta_production'"),
    "a neighbour's Job reads": (_POLICY, "spec.ingress[2].from[0].namespaceSelector.matchLabels[kubernetes.io/metadata.name]", OTHER, "NET-08", "the declared path"),
    "every Pod of the tenant reads": (_POLICY, "spec.ingress[2].from[0].podSelector", {"matchLabels": {"app.kubernetes.io/name": "odoo"}}, "NET-08", "undeclared path"),
    "another's password": (f"cells/euw1-shared-a/databaserole.postgresql.cnpg.io_{CELL}_{ACME}-d2.yaml", "spec.passwordSecret.name", f"database-{OTHER}", "IAM-09", f"the password of the role '{NEW}'"),
    "another's key": (f"cells/euw1-shared-a/externalsecret.external-secrets.io_{CELL}_database-{ACME}-d2.yaml", "spec.data[0].remoteRef.key", "tenants/beta/production/database", "IAM-09", "role would be that of"),
    "another owner": (f"cells/euw1-shared-a/database.postgresql.cnpg.io_{CELL}_{ACME}-d2.yaml", "spec.owner", "beta_production", "DATA-01", "owned by the role 'beta_production'"),
}  # fmt: skip
"""File below rendered/euw1-a, path, new value, control and words of the breach."""


def test_what_breaks_a_promise_in_the_middle_is_found(run: Run, fleet: Path) -> None:
    root = rendered(run, fleet, "copy")
    assert missed(root, MUTANTS, lambda: checked(run, fleet, "verify")) == []


def test_with_stores_of_their_own_nothing_more_is_read(run: Run, fleet: Path) -> None:
    use(fleet, "kubernetes")
    rendered(run, fleet, "copy")
    assert checked(run, fleet, "check") == []
    grants_are_what_is_read(run, fleet, "kubernetes")
