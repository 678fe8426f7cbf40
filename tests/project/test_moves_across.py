"""Tenants that move to another cluster, from and to each kind of PostgreSQL: in each step all promises are kept at both places."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import REPOSITORY, Ran, add_tenant
from mutation import FileMutant, missed
from project.test_moves import put_moves
from prove.test_stores import checked
from tenantry.model.migration import MOVE_STEPS, MoveStep

Run = Callable[..., Ran]
ATTEMPT = "0a1b2c3d"
HERE, THERE = "euw1-a", "euc1-a"


def place(tier: str, cell: str) -> dict[str, Any]:
    return {"tier": tier, "cells": {"production": cell}}


MOVES: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "grown": (place("shared", "euw1-shared-a"), place("segmented", "euc1-seg-a")),
    "along": (place("segmented", "euw1-seg-a"), place("segmented", "euc1-seg-a")),
    "shrunk": (place("segmented", "euc1-seg-a"), place("shared", "euw1-shared-a")),
}


def put(fleet: Path, step: MoveStep) -> None:
    for name, (source, _) in MOVES.items():
        add_tenant(fleet, name, source["tier"], source["cells"]["production"], users=40)
    put_moves(fleet, MOVES, step, attempt=ATTEMPT)


def rendered(run: Run, fleet: Path, step: MoveStep) -> Path:
    put(fleet, step)
    ran = run("render", "-C", fleet)
    assert ran.code == 0, ran.out + ran.err
    return fleet / "rendered"


def ends(root: Path, name: str) -> tuple[Path, Path]:
    """Trees of a tenant's production at source and target."""
    here, there = (HERE, THERE) if MOVES[name][0]["cells"]["production"].startswith("euw1") else (THERE, HERE)
    return root / f"{here}/production/{name}", root / f"{there}/production/{name}"


def command(tree: Path) -> list[str] | None:
    """What its Job of the move is called with."""
    if not (tree / f"app/job.batch_{tree.name}-production_odoo-move.yaml").exists():
        return None
    job = yaml.safe_load((tree / f"app/job.batch_{tree.name}-production_odoo-move.yaml").read_text())
    found: list[str] = job["spec"]["template"]["spec"]["containers"][0]["command"][2:]
    return found


JOBS: Mapping[MoveStep, tuple[list[str] | None, list[str] | None]] = {
    "copy": (["dump", "copy"], ["restore", "copy"]),
    "compare": (None, ["compare", "compare"]),
    "freeze": (["dump", "freeze"], ["restore", "freeze"]),
}


@pytest.mark.parametrize("step", MOVE_STEPS)
def test_every_promise_is_kept_at_both_places_in_every_step(run: Run, fleet: Path, step: MoveStep) -> None:
    root = rendered(run, fleet, step)  # nothing is written when a promise is broken
    moved = step in ("switch", "watch", "remove")
    for name in MOVES:
        source, target = ends(root, name)
        assert source.exists() is (step != "remove"), name
        served, waiting = (target, source) if moved else (source, target)
        if step != "freeze":
            assert list((served / "app").glob("ingressroute*")), name
        if waiting.exists():
            web = yaml.safe_load((waiting / f"app/deployment.apps_{name}-production_odoo-web.yaml").read_text())
            assert web["spec"]["replicas"] == 0, name
            assert not list((waiting / "app").glob("ingressroute*")), name
            space = yaml.safe_load((waiting / f"infra/namespace_{name}-production.yaml").read_text())
            state = space["metadata"]["annotations"]["tenantry.io/state"]
            assert state == ("kept" if moved else "prepared")
            role = waiting / f"infra/databaserole.postgresql.cnpg.io_{name}-production_odoo.yaml"
            if role.exists():
                assert yaml.safe_load(role.read_text())["spec"]["login"] is (step in JOBS), name
        if not moved:
            assert (command(source), command(target)) == JOBS.get(step, (None, None)), name


def test_what_was_prepared_may_be_given_up_and_what_was_left_only_at_the_end(run: Run, fleet: Path) -> None:
    rendered(run, fleet, "prepare")
    for name, (source, _) in MOVES.items():
        add_tenant(fleet, name, source["tier"], source["cells"]["production"], users=40)
    ran = run("render", "-C", fleet)
    assert ran.code == 0, ran.out
    rendered(run, fleet, "watch")
    for name, (_, target) in MOVES.items():
        add_tenant(fleet, name, target["tier"], target["cells"]["production"], users=40)
    ran = run("render", "-C", fleet)
    assert ran.code == 1, ran.out
    assert "G005 along (production) would be removed from cluster 'euw1-a' with its data" in ran.out
    rendered(run, fleet, "remove")


def plan_of(run: Run, before: Path, fleet: Path) -> list[str]:
    """What a plan says of the tenant that keeps a server of its own."""
    ran = run("plan", before, fleet, "--as-of", "2027-02-01", "--format", "json", "-C", fleet)
    assert ran.code == 0, ran.out + ran.err
    (subject,) = [s for s in json.loads(ran.out)["plan"]["subjects"] if s["subject"]["name"] == "along-production"]
    return [f"{effect['risk']}: {effect['what']}" for effect in subject["effects"]]


def test_a_plan_says_what_a_step_does_and_names_what_data_leaves(run: Run, fleet: Path, tmp_path: Path) -> None:
    put(fleet, "prepare")
    shutil.copytree(fleet, tmp_path / "begun")
    put(fleet, "watch")
    shutil.copytree(fleet, tmp_path / "watched")
    for name, (source, _) in MOVES.items():
        add_tenant(fleet, name, source["tier"], source["cells"]["production"], users=40)
    made = plan_of(run, fleet, tmp_path / "begun")
    step = "move, step prepare: the instance is made at the target, with an empty database and Odoo stopped; the source serves"
    assert [line for line in made if "tenant's file" not in line] == [f"cosmetic: {step}"]
    put(fleet, "remove")
    left = plan_of(run, tmp_path / "watched", fleet)
    assert "data: PostgreSQL cluster postgresql is removed" in left
    assert "data: Namespace along-production is removed: the namespace and all that is in it" in left
    assert {line.partition(":")[0] for line in left} == {"data"}


_JOB = "production/along/app/job.batch_along-production_odoo-move.yaml"
_POLICY = "production/along/infra/networkpolicy.networking.k8s.io_along-production_transfer.yaml"
_CONTAINER = "spec.template.spec.containers[0]"
MUTANTS: Mapping[str, FileMutant] = {
    "another attempt's copies": (f"{THERE}/{_JOB}", f"{_CONTAINER}.env[7].value", "euw1-a-backup/along/production/move-ffffffff", "DATA-05", "COPIES_FOLDER is"),
    "another tenant's copies": (f"{THERE}/{_JOB}", f"{_CONTAINER}.env[7].value", f"euw1-a-backup/grown/production/move-{ATTEMPT}", "DATA-08", "copies of along"),
    "copies in a bucket of nobody": (f"{HERE}/{_JOB}", f"{_CONTAINER}.env[7].value", f"elsewhere/along/production/move-{ATTEMPT}", "RES-02", "'elsewhere' is unknown"),
    "attachments of another": (f"{THERE}/{_JOB}", f"{_CONTAINER}.env[11].value", "euw1-a-files--grown--production", "DATA-05", "ATTACHMENT_SOURCE is"),
    "attachments to another": (f"{THERE}/{_JOB}", f"{_CONTAINER}.env[12].value", "euc1-a-files--grown--production", "DATA-05", "ATTACHMENT_TARGET is"),
    "another server": (f"{THERE}/{_JOB}", f"{_CONTAINER}.env[0].value", "postgresql-rw.grown-production.svc", "DATA-05", "PGHOST is"),
    "without TLS": (f"{HERE}/{_JOB}", f"{_CONTAINER}.env[4].value", "disable", "DATA-05", "PGSSLMODE is 'disable'"),
    "every address": (f"{THERE}/{_POLICY}", "spec.egress[0].to[0].ipBlock.cidr", "0.0.0.0/0", "NET-06", "along-production"),
    "every Pod reads copies": (f"{THERE}/{_POLICY}", "spec.podSelector", {"matchLabels": {"app.kubernetes.io/name": "odoo"}}, "NET-06", "along-production"),
    "Odoo at both places": (f"{THERE}/production/along/app/deployment.apps_along-production_odoo-web.yaml", "spec.replicas", 1, "SUP-05", "replicas"),
    "no login where it is copied to": (f"{THERE}/production/along/infra/databaserole.postgresql.cnpg.io_along-production_odoo.yaml", "spec.login", False, "SUP-05", "spec.login"),
    "a server that is asleep": (f"{THERE}/production/along/infra/cluster.postgresql.cnpg.io_along-production_postgresql.yaml", "metadata.annotations[cnpg.io/hibernation]", "on", "SUP-05", "hibernation"),
}  # fmt: skip
"""File below rendered/, path, new value, control and words of the breach."""


def test_what_breaks_a_promise_in_the_middle_of_a_move_is_found(run: Run, fleet: Path) -> None:
    root = rendered(run, fleet, "copy")
    assert missed(root, MUTANTS, lambda: checked(run, fleet, "verify")) == []


ALONE = {"alone": (place("segmented", "euw1-seg-a"), place("dedicated", "euw1-globex"))}


@pytest.mark.parametrize("step", ["copy", "freeze", "watch"])
def test_a_tenant_gets_a_cluster_of_its_own_with_its_dr_site(run: Run, fleet: Path, step: MoveStep) -> None:
    for kind in ("clusters", "cells"):
        for name in ("euw1-globex", "euc1-globex"):
            shutil.copy(REPOSITORY / f"platform/{kind}/{name}.yaml", fleet / f"platform/{kind}/{name}.yaml")
    path = add_tenant(fleet, "alone", "segmented", "euw1-seg-a", users=250)
    if step == "watch":  # backups of the new tier fit between shorter windows only
        window = '  maintenance: [{days: [wed], start: "22:00", hours: 2, timeZone: Europe/Berlin}]\n'
        path.write_text(path.read_text() + window)
    put_moves(fleet, ALONE, step, attempt=ATTEMPT)
    ran = run("render", "-C", fleet)
    assert ran.code == 0, ran.out + ran.err
    trees = {path.parent.parent.parent.name for path in (fleet / "rendered").glob("*/production/alone/infra")}
    assert trees == {"euw1-a", "euw1-globex"}
    assert (fleet / "rendered/euc1-globex/production/alone/standby").exists(), "before it serves"
