"""A zone or a node is lost: what keeps apart is left, and without it the worst is said."""

from __future__ import annotations

from typing import get_args

import pytest

from change.test_guards import Edit
from controls.laboratory import example
from controls.table import Mutant
from simulate.lossy import course, lost, states
from tenantry.simulate.loss import Course
from tenantry.simulate.parts import Domain, parts_of

GLOBEX, CLUSTER = "globex-eu-production", "euw1-globex"
SERVER = f"Cluster {GLOBEX}/postgresql"


def after(path: str, to: object, loss: str = "zone", of: str = SERVER) -> Course:
    changed = Mutant("RUN-06", of, path, to, cluster=CLUSTER)
    found = (
        lost("zone-loss", "eu-west/a", changed=changed) if loss == "zone"
        else lost("node-loss", f"{CLUSTER}/{loss}", changed=changed)
    )  # fmt: skip
    return course(found, GLOBEX)


def test_servers_in_zones_of_their_own_go_on() -> None:
    found = lost("zone-loss", "eu-west/a")
    one = course(found, GLOBEX)
    assert (one.outcome, one.place) == ("restarts", "euw1-globex/euw1-globex")
    assert one.rpo is not None and one.rto is not None
    assert (one.rpo.value, one.rto.value) == (0, 20)
    assert one.missing == ("Redis: its primary has one volume, in one zone; when that is given up, sessions are lost",)
    assert {"lindqvist-law-production", "globex-us-production"} <= set(found.untouched)


@pytest.mark.parametrize(("path", "to", "why"), [
    ("spec.affinity.podAntiAffinityType", "preferred", "nothing keeps its 3 instances apart"),
    ("spec.affinity.enablePodAntiAffinity", False, "nothing keeps its 3 instances apart"),
    ("spec.affinity.topologyKey", "kubernetes.io/hostname", "nothing keeps its 3 instances apart"),
    ("spec.instances", 1, "it is one instance"),
])  # fmt: skip
def test_a_server_that_may_be_all_in_the_zone_is_restored(path: str, to: object, why: str) -> None:
    one = after(path, to)
    assert one.outcome == "restored" and one.rpo is not None and one.rto is not None
    assert (one.rpo.value, one.rpo.kept) == (1, False)
    assert [what for what, _ in one.rto.steps][:3] == ["detect", "decide to give the volume up", "restore 460 GiB"]
    assert f"PostgreSQL: {why}, so all of it may be in the zone" in one.missing


def test_hosts_apart_are_enough_for_a_node() -> None:
    one = after("spec.affinity.topologyKey", "kubernetes.io/hostname", "database")
    assert one.outcome == "restarts" and not any("PostgreSQL" in what for what in one.missing)


def test_a_quorum_that_is_not_left_stops_writes() -> None:
    one = after("spec.postgresql.synchronous.number", 2)
    assert "PostgreSQL: too few standbys are left to confirm a write, so writes wait until one is back" in one.missing


def test_pods_that_nothing_keeps_apart_are_replaced() -> None:
    one = course(lost("node-loss", "euw1-a/shared"), "acme-production")
    assert one.outcome == "restarts" and one.rto is not None
    assert [what for what, _ in one.rto.steps] == [
        "the node is not ready",
        "Pods of odoo-web are replaced",
        "start Odoo",
    ]
    assert one.rpo is not None and one.rpo.value == 0, "no server is on nodes of that pool"


@pytest.mark.parametrize("domain", get_args(Domain))
def test_what_is_left_of_pods_that_are_kept_apart(domain: Domain) -> None:
    """Web and websocket Pods must be in zones of their own; for cron that is only preferred."""
    state = states(*example())[CLUSTER]
    found = {part.name: (part.replicas, part.left) for part in parts_of(state, state.homes[GLOBEX], domain)}
    assert found == {
        "odoo-web": (6, 4), "odoo-websocket": (3, 2), "odoo-cron": (2, 0), "redis": (3, 2), "postgresql": (3, 2),
    }  # fmt: skip


def test_a_node_of_another_pool_does_not_concern_it() -> None:
    found = lost("node-loss", "euw1-a/shared-db")
    assert "northwind-partners-production" in found.untouched and course(found, "acme-production").outcome == "restarts"
    assert all(room.place == "euw1-a/shared-db" for room in found.rooms) and found.rooms


def test_nodes_that_are_left_must_hold_what_is_asked_for() -> None:
    assert lost("zone-loss", "eu-west/a").kept
    few = Edit("platform/clusters/euw1-a.yaml", "memoryGiB: 64, maxNodes: 12", "memoryGiB: 64, maxNodes: 6")
    found = lost("zone-loss", "eu-west/a", few)
    assert [room.place for room in found.rooms if not room.fits] == ["euw1-a/shared-db", "euw1-a/shared-db"]
    assert not found.kept
