"""A region is lost: where instances go, what that takes away, and what makes a place of it."""

from __future__ import annotations

import pytest

from change.test_guards import Edit
from controls.table import REMOVED, Mutant
from simulate.lossy import Added, course, lost
from tenantry.simulate.loss import Outcome

GLOBEX, NORTHWIND, ACME = "globex-eu-production", "northwind-partners-production", "acme-production"


def test_each_tier_goes_its_own_way() -> None:
    found = lost("region-loss", "eu-west")
    ways: dict[str, tuple[Outcome, str]] = {
        name: (one.outcome, one.place) for name in (GLOBEX, NORTHWIND, ACME) for one in [course(found, name)]
    }
    assert ways == {
        GLOBEX: ("promoted", "euc1-globex/euc1-globex"), NORTHWIND: ("restored", "euc1-a/euc1-seg-a"), ACME: ("nowhere", ""),
    }  # fmt: skip
    assert course(found, "acme-staging").outcome == "waits"
    assert course(found, "lindqvist-law-production").missing == ("the copies of its backups in eu-west",)
    assert "globex-us-production" in found.untouched


def test_numbers_are_those_of_the_path() -> None:
    found = lost("region-loss", "eu-west")
    numbers = {
        name: tuple((n.value, n.promised, n.kept) for n in (one.rpo, one.rto) if n is not None)
        for name in (GLOBEX, ACME)
        for one in [course(found, name)]
    }
    assert numbers == {GLOBEX: ((1, 5, True), (35, 60, True)), ACME: ((20, 1440, True), (None, 480, False))}
    assert not found.kept


def test_who_was_promised_the_shorter_recovery_comes_first() -> None:
    down = [one.instance for one in lost("region-loss", "eu-west").courses if one.rto is not None]
    assert down[:4] == [GLOBEX, "kestrel-insurance-production", NORTHWIND, "delta-books-production"]


def test_a_replica_that_follows_nothing_is_no_second_place() -> None:
    gone = Mutant("BKP-05", f"Cluster {GLOBEX}/postgresql", "", REMOVED, cluster="euc1-globex")
    found = course(lost("region-loss", "eu-west", changed=gone), GLOBEX)
    assert (found.outcome, found.missing[0][:8]) == ("nowhere", "Odoo and")


def test_without_copies_of_backups_the_data_is_lost() -> None:
    edit = Edit("platform/clusters/euw1-a.yaml", "    replication: {region: eu-central, maxDelayMinutes: 15}\n", "")
    found = course(lost("region-loss", "eu-west", edit), NORTHWIND)
    assert found.outcome == "nowhere" and found.rpo is not None and found.rpo.value is None
    assert found.missing == ("backups in euw1-a-backup: there is no copy outside of eu-west",)


@pytest.mark.parametrize(("old", "new"), [
    ("instances: 8", "instances: 3"), ("users: 2400", "users: 500"), ("cpuMillicores: 88000", "cpuMillicores: 40000"),
    ("postgresqlMajor: 17", "postgresqlMajor: 17\n  state: closed"),
])  # fmt: skip
def test_room_that_the_first_takes_is_not_there_for_the_next(old: str, new: str) -> None:
    found = lost("region-loss", "eu-west", Edit("platform/cells/euc1-seg-a.yaml", old, new))
    outcomes = [course(found, name).outcome for name in ("kestrel-insurance-production", NORTHWIND)]
    assert "nowhere" in outcomes and (outcomes[0] == "restored") is ("closed" not in new)


CELL = """\
apiVersion: tenantry.io/v1alpha1
kind: Cell
metadata:
  name: euc1-shared-dr
spec:
  cluster: euc1-a
  tier: shared
  environments: [production]
  capacity: {instances: 40, users: 1000, cpuMillicores: 96000, memoryMiB: 262144}
  nodePool: segment-a
  databaseNodePool: segment-a-db
  postgresql: {major: 17, instances: 3, cpuMillicores: 6000, memoryMiB: 49152, storageGiB: 500, walGiB: 100, maxConnections: 2000}
  redis: {memoryMiB: 2048, replicas: 1}
"""


def test_a_cells_server_comes_back_as_a_whole_in_an_empty_cell() -> None:
    found = lost("region-loss", "eu-west", Added("platform/cells/euc1-shared-dr.yaml", new=CELL))
    places = {one.instance: one.place for one in found.courses if one.tier == "shared" and one.rto is not None}
    fled = {name for name, place in places.items() if place}
    assert set(places.values()) == {"euc1-a/euc1-shared-dr", ""}
    assert ACME in fled and "fjord-design-production" not in fled, "the other cell's server needs a cell of its own"
