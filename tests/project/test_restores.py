"""An own server and a cell's that are restored, beside and in place: in each step, all promises are kept, and what breaks one is found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import Ran
from mutation import GONE, FileMutant, missed
from prove.test_stores import checked

Run = Callable[..., Ran]
NORTHWIND, CELL = "northwind-production", "euw1-shared-a-cell"
MOMENT = "2026-11-20T10:15:00Z"
STATES: tuple[tuple[str, str], ...] = (
    ("beside", "recover"), ("beside", "switch"), ("beside", "done"), ("beside", "dropped"),
    ("in-place", "save"), ("in-place", "recover"), ("in-place", "switch"), ("in-place", "done"),
)  # fmt: skip
AS_OF = ("--as-of", "2026-11-26")


def restore(way: str, step: str, generation: int = 2, **other: Any) -> dict[str, Any]:
    given = {"targetTime": MOMENT, "source": 1, **other}
    return {
        "generation": generation, "way": way, "step": step, "reason": "An import went wrong", "keepSourceUntil": "2026-12-31",
        **given,
    }  # fmt: skip


def put(fleet: Path, restores: list[dict[str, Any]], *, cell: bool = True) -> None:
    """Write the restores of a tenant's own server, and of a cell that other tenants share."""
    path = fleet / "tenants/northwind.yaml"
    wanted = f"production: {{cell: euw1-seg-a, restores: {json.dumps(restores)}, "
    path.write_text(path.read_text().replace("production: {cell: euw1-seg-a, ", wanted))
    if cell:
        path = fleet / "platform/cells/euw1-shared-a.yaml"
        path.write_text(f"{path.read_text()}  restores: {json.dumps(restores)}\n")


def rendered(run: Run, fleet: Path, restores: list[dict[str, Any]]) -> Path:
    put(fleet, restores)
    ran = run("render", "-C", fleet, *AS_OF)  # nothing is written when a promise is broken
    assert ran.code == 0, ran.out + ran.err
    return fleet / "rendered/euw1-a"


def value(root: Path, file: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((root / file).read_text())
    return loaded


def servers(root: Path, folder: str, namespace: str) -> dict[str, dict[str, Any]]:
    found = sorted((root / folder).glob(f"cluster.postgresql.cnpg.io_{namespace}_*.yaml"))
    return {path.stem.rpartition("_")[2]: yaml.safe_load(path.read_text())["spec"] for path in found}


FIRST, SECOND = "postgresql", "postgresql-g2"
THERE: Mapping[tuple[str, str], tuple[set[str], str]] = {
    ("beside", "recover"): ({FIRST, SECOND}, FIRST), ("beside", "switch"): ({FIRST, SECOND}, SECOND),
    ("beside", "done"): ({SECOND}, SECOND), ("beside", "dropped"): ({FIRST}, FIRST),
    ("in-place", "save"): ({FIRST}, FIRST), ("in-place", "recover"): ({SECOND}, SECOND),
    ("in-place", "switch"): ({SECOND}, SECOND), ("in-place", "done"): ({SECOND}, SECOND),
}  # fmt: skip
"""Servers in the trees, and the one that Odoo is connected to."""


@pytest.mark.parametrize(("way", "step"), STATES)
def test_every_promise_is_kept_in_every_step(run: Run, fleet: Path, way: str, step: str) -> None:
    root = rendered(run, fleet, [restore(way, step)])
    there, serving = THERE[way, step]
    for folder, namespace, archive in (
        ("production/northwind/infra", NORTHWIND, NORTHWIND), ("cells/euw1-shared-a", CELL, CELL),
    ):  # fmt: skip
        found = servers(root, folder, namespace)
        assert found.keys() == there
        names = {name: spec["plugins"][0]["parameters"]["serverName"] for name, spec in found.items()}
        assert names == {name: archive + name.removeprefix("postgresql") for name in there}
        if SECOND in there:
            recovery = found[SECOND]["bootstrap"]["recovery"]
            assert recovery["recoveryTarget"] == {"targetTime": MOMENT}
            source = {e["name"]: e["plugin"]["parameters"] for e in found[SECOND]["externalClusters"]}
            assert source == {recovery["source"]: {"barmanObjectName": "postgresql", "serverName": archive}}
        saved = root / folder / f"backup.postgresql.cnpg.io_{namespace}_before-g2.yaml"
        assert saved.exists() is (step == "save")
        rules = sorted(p.name for p in (root / folder).glob("prometheusrule*postgresql*"))
        assert len(rules) == {"production/northwind/infra": len(there) * (step != "recover" or way == "beside")}.get(
            folder, len(there) - 1
        )
    for name, space in (("northwind", ""), ("acme", f".{CELL}.svc")):
        pools = value(root, f"production/{name}/infra/configmap_{name}-production_pgbouncer.yaml")["data"]
        assert f"host={serving}-rw{space} " in pools["web.ini"]
        odoo = value(root, f"production/{name}/app/deployment.apps_{name}-production_odoo-web.yaml")["spec"]
        assert (odoo.get("replicas") == 0) is ((way, step) == ("in-place", "recover"))


def test_nobody_can_log_in_to_a_server_that_does_not_serve(run: Run, fleet: Path) -> None:
    for step, used in (("recover", FIRST), ("switch", SECOND)):
        again = fleet.parent / step
        shutil.copytree(fleet, again)
        root = rendered(run, again, [restore("beside", step)])
        for folder, namespace in (("production/northwind/infra", NORTHWIND), ("cells/euw1-shared-a", CELL)):
            roles = [yaml.safe_load(path.read_text())["spec"] for path in (root / folder).glob("databaserole*")]
            assert {role["cluster"]["name"] for role in roles} == {FIRST, SECOND}
            assert {role["cluster"]["name"] for role in roles if role["login"]} == {used}
            for name in (FIRST, SECOND):
                file = f"{folder}/networkpolicy.networking.k8s.io_{namespace}_{name}.yaml"
                assert ("odoo" in json.dumps(value(root, file)["spec"]["ingress"])) is (name == used)


def test_the_next_restore_starts_from_what_serves(run: Run, fleet: Path) -> None:
    later = restore("beside", "recover", 4, source=2, targetTime=None, backup="20261120T013000")
    del later["targetTime"]
    root = rendered(run, fleet, [restore("beside", "done"), restore("beside", "dropped", 3), later])
    found = servers(root, "production/northwind/infra", NORTHWIND)
    assert found.keys() == {SECOND, "postgresql-g4"}
    assert found["postgresql-g4"]["bootstrap"]["recovery"]["recoveryTarget"] == {
        "backupID": "20261120T013000", "targetImmediate": True,
    }  # fmt: skip
    assert found["postgresql-g4"]["externalClusters"][0]["plugin"]["parameters"]["serverName"] == f"{NORTHWIND}-g2"


_OWN = f"production/northwind/infra/cluster.postgresql.cnpg.io_{NORTHWIND}_{SECOND}.yaml"
_SHARED = f"cells/euw1-shared-a/cluster.postgresql.cnpg.io_{CELL}_{SECOND}.yaml"
_RULES = f"production/northwind/infra/prometheusrule.monitoring.coreos.com_{NORTHWIND}_{SECOND}.yaml"
_POLICY = f"production/northwind/infra/networkpolicy.networking.k8s.io_{NORTHWIND}_{SECOND}.yaml"
_ODOO = {
    "from": [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "odoo"}}}],
    "ports": [{"protocol": "TCP", "port": 5432}],
}
MUTANTS: Mapping[str, FileMutant] = {
    "writes to what it reads": (_OWN, "spec.plugins[0].parameters.serverName", NORTHWIND, "BKP-06", "reads from"),
    "writes to what the cell reads": (_SHARED, "spec.plugins[0].parameters.serverName", CELL, "BKP-06", "archives to"),
    "reads another archive": (_OWN, "spec.externalClusters[0].plugin.parameters.serverName", "acme-production", "DATA-08", "copies 'acme-production'"),
    "reads no store": (_OWN, "spec.externalClusters[0].plugin.parameters.barmanObjectName", "other", "BKP-06", "leads to no ObjectStore"),
    "has no source": (_OWN, "spec.bootstrap.recovery.source", "other", "BKP-06", "names no external cluster"),
    "is of another major": (_OWN, "spec.imageCatalogRef.major", 16, "BKP-06", "is PostgreSQL 16"),
    "goes to another moment": (_SHARED, "spec.bootstrap.recovery.recoveryTarget.targetTime", "2026-11-21T10:15:00Z", "BKP-06", "to another moment"),
    "goes to the end": (_OWN, "spec.bootstrap.recovery.recoveryTarget", GONE, "BKP-06", "to another moment"),
    "begins empty": (_OWN, "spec.bootstrap", {"initdb": {"database": "northwind_production", "owner": "northwind_production", "postInitSQL": ["REVOKE CONNECT, TEMPORARY ON DATABASE postgres FROM PUBLIC"]}}, "BKP-06", "would begin empty"),
    "archives nothing": (_OWN, "spec.plugins[0].isWALArchiver", False, "BKP-01", "archives no WAL"),
    "is reached by Odoo": (_POLICY, "spec.ingress[2]", _ODOO, "NET-08", "undeclared path"),
    "nobody hears of": (_RULES, "spec.groups[0].rules[0].expr", f'(sum(cnpg_collector_up{{namespace="{NORTHWIND}",pod=~"{FIRST}-[0-9]+"}}) or vector(0)) < 1', "OBS-02", "silent when all of its Pods are gone"),
    "has no room": (f"production/northwind/infra/resourcequota_{NORTHWIND}_quota.yaml", "spec.hard[requests.storage]", "60Gi", "RUN-05", "requests.storage"),
}  # fmt: skip
"""File below rendered/euw1-a, path, new value, control and words of the breach."""


def test_what_breaks_a_promise_in_the_middle_of_a_restore_is_found(run: Run, fleet: Path) -> None:
    root = rendered(run, fleet, [restore("beside", "recover")])
    assert missed(root, MUTANTS, lambda: checked(run, fleet, "verify")) == []


def test_a_server_that_no_restore_explains_is_found(run: Run, fleet: Path) -> None:
    root = rendered(run, fleet, [restore("beside", "recover")])
    kept = (root / _OWN).read_text()
    for file in ("tenants/northwind.yaml", "platform/cells/euw1-shared-a.yaml"):
        text = (fleet / file).read_text()
        (fleet / file).write_text(text.replace('"step": "recover"', '"step": "dropped"'))
    assert run("render", "-C", fleet, *AS_OF).code == 0
    (root / _OWN).write_text(kept)
    told = [(f["control"], f["message"]) for f in checked(run, fleet, "verify")]
    assert any(control == "DATA-08" and f"archives as '{NORTHWIND}-g2'" in message for control, message in told), told


def test_attachments_are_kept_as_long_as_the_database_that_names_them(run: Run, fleet: Path) -> None:
    path = fleet / "platform/clusters/euw1-a.yaml"
    path.write_text(path.read_text().replace("attachmentVersionsDays: 90", "attachmentVersionsDays: 20"))
    ran = run("render", "-C", fleet, *AS_OF)
    found = [line for line in ran.out.splitlines() if "BKP-04" in line]
    assert len(found) == 2 and all("northwind" in line and "are kept for 20 days" in line for line in found), ran.out
