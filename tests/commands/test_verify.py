"""What a person sees of a breach: place, control, object, sentence, and the input and template lines behind it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran

Run = Callable[..., Ran]
ACME = "rendered/euw1-a/production/acme"
CELL = "rendered/euw1-a/cells/euw1-shared-a"


@pytest.fixture
def made(run: Run, fleet: Path) -> Path:
    assert run("render", "-C", fleet).code == 0
    return fleet


BREACHES = [
    (
        f"{ACME}/app/deployment.apps_acme-production_odoo-web.yaml", "path: /web/health", "path: /",
        ["SUP-05", "livenessProbe.httpGet.path: it was changed; the templates say '/web/health'", "deployment-odoo-web.yaml.j2"],
    ),
    (
        f"{ACME}/app/configmap_acme-production_odoo-migration-scripts.yaml", "refuse_default_password(cursor)\n", "pass\n",
        ["IAM-09", "data[migrate.py]: the migration never calls refuse_default_password()", "hook-configmap-scripts.yaml.j2"],
    ),
    (
        f"{ACME}/infra/networkpolicy.networking.k8s.io_acme-production_odoo-database.yaml",
        "kubernetes.io/metadata.name: euw1-shared-a-cell", "tenantry.io/tier: shared",
        ["NET-02", "acme-production/odoo-web ->", "the other end is still closed", "tenants/acme.yaml:19:24", "networkpolicy-odoo-database.yaml.j2:"],
    ),
    (
        f"{CELL}/cluster.postgresql.cnpg.io_euw1-shared-a-cell_postgresql.yaml", "hostssl sameuser", "hostssl postgres,sameuser",
        ["DATA-02", "spec.postgresql.pg_hba[0]", "postgresql-cluster.yaml.j2:"],
    ),
    (
        f"{CELL}/objectstore.barmancloud.cnpg.io_euw1-shared-a-cell_postgresql.yaml", "retentionPolicy: 14d", "retentionPolicy: 3d",
        ["BKP-04", "kept for 3 days; 14 days are promised", "tiers/shared.yaml:", "macros/postgresql.j2:"],
    ),
    (
        f"{ACME}/infra/externalsecret.external-secrets.io_acme-production_redis-user.yaml", "tenants/acme/", "tenants/northwind/",
        ["IAM-07", "reads 'tenants/northwind/production/redis'", "tenants/acme.yaml:", "macros/secrets.j2:"],
    ),
    (
        f"{ACME}/app/ingressroute.traefik.io_acme-production_odoo-websocket.yaml", "Host(`erp.acme.example`)", "Host(`erp.northwind.example`)",
        ["EDGE-01", "matches the host 'erp.northwind.example', which is northwind-production's", "tenants/acme.yaml:", "ingressroute-websocket.yaml.j2:"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "said"), BREACHES, ids=[b[3][0] for b in BREACHES])
def test_a_breach_leads_to_the_object_and_to_who_decided_it(
    run: Run, made: Path, file: str, old: str, new: str, said: list[str]
) -> None:
    path = made / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    ran = run("verify", "-C", made, made / "rendered")
    assert ran.code == 1
    told = [line for line in ran.out.splitlines() if f": {said[0]} " in line]
    assert told, ran.out
    assert all(line.startswith(f"{path}:") for line in told)
    assert any(all(part in line for part in said) for line in told), told


def test_one_clusters_folder_is_proved_alone_and_shown_below_its_own_path(run: Run, made: Path) -> None:
    fine = run("verify", "-C", made, made / "rendered/euw1-a")
    assert fine.code == 0, fine.out
    assert "every promised control holds" in fine.out
    (made / "rendered/euw1-a/platform/acme-production/schedule.velero.io_velero_acme-production.yaml").unlink()
    ran = run("verify", "-C", made, made / "rendered/euw1-a")
    assert ran.code == 1
    assert f"{made}/{ACME}/infra/namespace_acme-production.yaml:2:1: BKP-01" in ran.out


def test_a_cluster_without_objects_is_reported(run: Run, made: Path) -> None:
    shutil.rmtree(made / "rendered/euc1-a")
    ran = run("verify", "-C", made)
    assert ran.code == 1
    assert "V074" in ran.out
    assert "euc1-a" in ran.out


def test_objects_without_a_fleet_are_judged_and_it_is_said_that_nothing_was_proved(
    run: Run, made: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    ran = run("verify", made / "rendered", "-C", tmp_path / "empty")
    assert "there are no promises to check" in ran.out
    assert "NET-01: NetworkPolicies isolate the Pods of all" in ran.out
    assert "no tenants/ here, so whose a namespace" in ran.out


def test_a_report_has_controls_objectives_cost_and_assumptions_of_each_tenant(run: Run, made: Path) -> None:
    ran = run("verify", "-C", made, "--format", "json")
    report = json.loads(ran.out)
    assert {tenant["tenant"] for tenant in report["tenants"]} == {"acme", "northwind"}
    for tenant in report["tenants"]:
        assert tenant["controls"]["breached"] == []
        assert "NET-02" in tenant["controls"]["kept"]
        assert {o["objective"] for o in tenant["objectives"]} >= {"RPO in the region", "RTO", "availability"}
        assert all(o["kept"] and o["steps"] for o in tenant["objectives"])
        assert 0 < tenant["cost"]["euro"] <= tenant["cost"]["at_most"]
    assert report["assumptions"]
    markdown = run("verify", "-C", made, "--format", "markdown").out
    assert report["assumptions"][0] in markdown
    assert "acme" in markdown
