"""Three tenants that move, to another cell and to other tiers: in each step, all promises are kept, and what breaks one is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import Ran, add_tenant
from mutation import FileMutant, missed
from prove.test_stores import checked, grants_are_what_is_read, use
from tenantry.model.migration import MOVE_STEPS, MoveStep

Run = Callable[..., Ran]
_ACME, _MEDIUM, _SHRUNK = "acme-production", "medium-production", "shrunk-production"
_CELL_A, _CELL_B = "postgresql-rw.euw1-shared-a-cell.svc", "postgresql-rw.euw1-shared-b-cell.svc"
DATABASES = {"shared": _CELL_A, "segmented": "postgresql-rw"}
"""Tier -> the server that its Pods are connected to."""
MOVES: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "acme": (
        {"tier": "shared", "cells": {"production": "euw1-shared-a"}},
        {"tier": "shared", "cells": {"production": "euw1-shared-b"}},
    ),
    "medium": (
        {"tier": "shared", "cells": {"production": "euw1-shared-a", "staging": "euw1-shared-np"}},
        {"tier": "segmented", "cells": {"production": "euw1-seg-a", "staging": "euw1-seg-np"}},
    ),
    "shrunk": (
        {"tier": "segmented", "cells": {"production": "euw1-seg-a"}},
        {"tier": "shared", "cells": {"production": "euw1-shared-a"}},
    ),
}


def put(fleet: Path, step: MoveStep) -> None:
    """Write the tenants as they are in a step."""
    add_tenant(fleet, "acme", "shared", "euw1-shared-a", users=24)
    add_tenant(fleet, "medium", "shared", "euw1-shared-a", users=40, staging="euw1-shared-np")
    add_tenant(fleet, "shrunk", "segmented", "euw1-seg-a", users=40)
    put_moves(fleet, MOVES, step)


def put_moves(
    fleet: Path, moves: Mapping[str, tuple[dict[str, Any], dict[str, Any]]], step: MoveStep, **more: Any
) -> None:
    """Let tenants move, each from one place to another."""
    records = [
        {"step": done, "date": "2026-11-26", "by": "A", "minutes": 9} for done in MOVE_STEPS[: MOVE_STEPS.index(step)]
    ]
    for name, (source, target) in moves.items():
        path = fleet / f"tenants/{name}.yaml"
        text = path.read_text().replace("availability: high", "availability: standard")  # fits every tier
        serving = target if step in ("switch", "watch", "remove") else source
        for environment, cell in serving["cells"].items():
            text = text.replace(
                f"{environment}: {{cell: {source['cells'][environment]}", f"{environment}: {{cell: {cell}"
            )
        move = {"step": step, "from": source, "to": target, "keepSourceUntil": "2026-12-31", "records": records, **more}
        tier = f"  tier: {source['tier']}\n"
        assert tier in text
        path.write_text(text.replace(tier, f"  tier: {serving['tier']}\n  migration: {json.dumps(move)}\n"))


def rendered(run: Run, fleet: Path, step: MoveStep) -> Path:
    put(fleet, step)
    ran = run("render", "-C", fleet)
    assert ran.code == 0, ran.out + ran.err
    return fleet / "rendered/euw1-a"


def value(root: Path, file: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((root / file).read_text())
    return loaded


@pytest.mark.parametrize("step", MOVE_STEPS)
def test_every_promise_is_kept_in_every_step(run: Run, fleet: Path, step: MoveStep) -> None:
    root = rendered(run, fleet, step)  # nothing is written when a promise is broken
    roles = {
        cell: root / f"cells/{cell}/databaserole.postgresql.cnpg.io_{cell}-cell_{_ACME}.yaml"
        for cell in ("euw1-shared-a", "euw1-shared-b")
    }
    login = {cell: yaml.safe_load(path.read_text())["spec"]["login"] for cell, path in roles.items() if path.exists()}
    copying, moved = step in ("copy", "compare", "freeze"), step in ("switch", "watch", "remove")
    expected = {"euw1-shared-a": not moved, "euw1-shared-b": copying or moved}
    assert login == {cell: may for cell, may in expected.items() if step != "remove" or cell == "euw1-shared-b"}
    for name in MOVES:
        app = root / f"production/{name}/app"
        pools = value(root, f"production/{name}/infra/configmap_{name}-production_pgbouncer.yaml")["data"]
        source, target = (DATABASES[tier] for tier in (place["tier"] for place in MOVES[name]))
        host = {"acme": _CELL_B}.get(name, target) if moved else source
        assert f"host={host} " in pools["web.ini"]
        job = app / f"job.batch_{name}-production_odoo-move.yaml"
        assert job.exists() is copying
        odoo = value(app, f"deployment.apps_{name}-production_odoo-web.yaml")["spec"]
        assert (odoo.get("replicas") == 0) is (step == "freeze")
        assert bool(list(app.glob("ingressroute*"))) is (step != "freeze")
    own = root / f"production/shrunk/infra/cluster.postgresql.cnpg.io_{_SHRUNK}_postgresql.yaml"
    assert own.exists() is (step != "remove")
    assert step == "remove" or "cnpg.io/hibernation" not in own.read_text(), "it is copied while Odoo is stopped"


def test_the_job_copies_to_the_place_that_the_file_names(run: Run, fleet: Path) -> None:
    root = rendered(run, fleet, "copy")
    found = {}
    for name in MOVES:
        job = value(root, f"production/{name}/app/job.batch_{name}-production_odoo-move.yaml")["spec"]["template"][
            "spec"
        ]
        (container,) = job["containers"]
        assert container["command"] == ["/bin/bash", "/etc/odoo-scripts/move.sh", "copy"]
        found[name] = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert found["acme"]["TARGET_HOST"] == "postgresql-rw.euw1-shared-b-cell.svc"
    assert "ATTACHMENT_TARGET" not in found["acme"], "the bucket is that of the cluster"
    assert found["medium"]["TARGET_HOST"] == "postgresql-rw"
    assert found["medium"]["ATTACHMENT_SOURCE"] == "euw1-a-files/medium/production"
    assert found["medium"]["ATTACHMENT_TARGET"] == "euw1-a-files--medium--production"
    assert found["shrunk"]["SOURCE_HOST"] == "postgresql-rw"
    assert found["shrunk"]["TARGET_HOST"] == _CELL_A
    assert found["shrunk"]["ATTACHMENT_SOURCE"] == "euw1-a-files--shrunk--production"
    assert found["shrunk"]["ATTACHMENT_TARGET"] == "euw1-a-files/shrunk/production"


def test_the_target_never_begins_with_an_empty_database(run: Run, fleet: Path) -> None:
    root = rendered(run, fleet, "switch")
    for name in MOVES:
        job = value(root, f"production/{name}/app/job.batch_{name}-production_odoo-migration.yaml")["spec"]["template"][
            "spec"
        ]
        assert {"name": "MIGRATION_MOVED", "value": "1"} in job["containers"][0]["env"]


_JOB = f"production/acme/app/job.batch_{_ACME}_odoo-move.yaml"
_CONTAINER = "spec.template.spec.containers[0]"
_TARGET = "cells/euw1-shared-b"
_OWN = f"production/medium/infra/cluster.postgresql.cnpg.io_{_MEDIUM}_postgresql.yaml"
MUTANTS: Mapping[str, FileMutant] = {
    "another target": (_JOB, f"{_CONTAINER}.env[2].value", "postgresql-rw.euw1-shared-np-cell.svc", "DATA-05", "TARGET_HOST is 'postgresql-rw.euw1-shared-np"),
    "without TLS": (_JOB, f"{_CONTAINER}.env[6].value", "disable", "DATA-05", "PGSSLMODE is 'disable'"),
    "another's database": (_JOB, f"{_CONTAINER}.env[5].value", "medium_production", "DATA-05", "PGDATABASE is 'medium_production'"),
    "another's role": (f"{_TARGET}/databaserole.postgresql.cnpg.io_euw1-shared-b-cell_{_ACME}.yaml", "spec.passwordSecret.name", "database-medium-production", "IAM-09", "the password of the role 'acme_production'"),
    "another's password": (f"{_TARGET}/externalsecret.external-secrets.io_euw1-shared-b-cell_database-{_ACME}.yaml", "spec.data[0].remoteRef.key", "tenants/medium/production/database", "IAM-07", "euw1-shared-b-cell/database-acme-production"),
    "any Pod of the tenant": (f"{_TARGET}/networkpolicy.networking.k8s.io_euw1-shared-b-cell_postgresql.yaml", "spec.ingress[2].from[1].podSelector", {"matchLabels": {"app.kubernetes.io/name": "odoo"}}, "NET-02", "acme-production"),
    "another's copy": (f"{_TARGET}/networkpolicy.networking.k8s.io_euw1-shared-b-cell_postgresql.yaml", "spec.ingress[2].from[1].namespaceSelector.matchLabels[kubernetes.io/metadata.name]", _MEDIUM, "NET-02", _MEDIUM),
    "every Pod may write the target": (f"production/acme/infra/networkpolicy.networking.k8s.io_{_ACME}_move.yaml", "spec.podSelector", {"matchLabels": {"app.kubernetes.io/name": "odoo"}}, "NET-02", "acme-production"),
    "the own server in the shared pool": (_OWN, "spec.affinity.nodeSelector", {"tenantry.io/pool": "shared-db"}, "RUN-02", "is promised pool segment-a-db"),
    "another target of an own server": ("production/shrunk/app/job.batch_shrunk-production_odoo-move.yaml", f"{_CONTAINER}.env[2].value", "postgresql-rw.euw1-shared-np-cell.svc", "DATA-05", "TARGET_HOST is 'postgresql-rw.euw1-shared-np"),
    "an own server that is asleep": ("production/shrunk/infra/cluster.postgresql.cnpg.io_shrunk-production_postgresql.yaml", "metadata.annotations[cnpg.io/hibernation]", "on", "SUP-05", "hibernation"),
    "a quota without the own server": (f"production/medium/infra/resourcequota_{_MEDIUM}_quota.yaml", "spec.hard[requests.storage]", "1Gi", "RUN-05", "requests.storage"),
}  # fmt: skip
"""File below rendered/euw1-a, path, new value, control and words of the breach."""


def test_what_breaks_a_promise_in_the_middle_of_a_move_is_found(run: Run, fleet: Path) -> None:
    root = rendered(run, fleet, "copy")
    assert missed(root, MUTANTS, lambda: checked(run, fleet, "verify")) == []


def test_a_database_that_no_move_explains_is_found(run: Run, fleet: Path) -> None:
    """Of what a move leaves behind, nothing is allowed to whom does not move."""
    root = rendered(run, fleet, "watch")
    left = root / f"cells/euw1-shared-a/database.postgresql.cnpg.io_euw1-shared-a-cell_{_MEDIUM}.yaml"
    text = left.read_text()
    rendered(run, fleet, "remove")
    left.write_text(text)
    told = [(f["control"], f["message"]) for f in checked(run, fleet, "verify")]
    words = f"{_MEDIUM} is promised its own PostgreSQL, but would use that of cell euw1-shared-a"
    assert any(control == "DATA-09" and words in message for control, message in told), told


def test_with_stores_of_their_own_the_target_reads_one_password_more(run: Run, fleet: Path) -> None:
    use(fleet, "kubernetes")
    rendered(run, fleet, "prepare")
    assert checked(run, fleet, "check") == []
    grants_are_what_is_read(run, fleet, "kubernetes")
