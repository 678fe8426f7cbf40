"""A restore for practice, from the real archive, by a key that may read it only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cluster.asking import back_up, database_of, seconds, sql, write
from cluster.base import Manifest
from cluster.plugin import Show
from cluster.service import Service
from cluster.size import smaller
from cluster.trees import CELL, TENANTS

NAME = "restore-drill"


def test_a_drill_recovers_the_archive_and_writes_its_record(
    service: Service, installed: Mapping[str, float], show: Show
) -> None:
    """Its last step tries to write to the archive, and has to be refused; the record follows after that alone."""
    back_up(service, "first")
    write(service, TENANTS[0], "CREATE TABLE IF NOT EXISTS written_after_the_backup (word text)")
    sql(service, "postgres", "SELECT pg_switch_wal()")
    drill = job(service)
    took = seconds(
        lambda: service.cluster.wait_in(CELL, "the drill's end", lambda: service.job_is(drill, "Complete"), 900)
    )
    log = service.cluster.kubectl("-n", CELL, "logs", f"job/{NAME}-tried", "-c", "restore").splitlines()
    assert [line for line in log if "archive recovery complete" in line], log[-20:]
    restored = [line for line in log if "restored log file" in line]
    assert restored
    said = service.cluster.kubectl("-n", CELL, "logs", f"job/{NAME}-tried", "-c", "check").splitlines()
    record = json.loads(said[-1])
    assert record["drill"] == "passed"
    assert [one["database"] for one in record["databases"]] == [database_of(tenant) for tenant in TENANTS]
    assert all(one["users"] and one["modules"] for one in record["databases"])
    show(f"base backup and {len(restored)} WAL files recovered, both databases whole: after {took:.0f} s; {said[-1]}")


def job(service: Service) -> Manifest:
    """Start what the CronJob starts, for the tenants that are here."""
    drill = smaller(service.trees.one("CronJob", CELL, NAME))
    spec: dict[str, Any] = drill["spec"]["jobTemplate"]["spec"]
    (check,) = spec["template"]["spec"]["containers"]
    (databases,) = (variable for variable in check["env"] if variable["name"] == "DRILL_DATABASES")
    here = {database_of(tenant) for tenant in TENANTS}
    databases["value"] = " ".join(one for one in databases["value"].split() if one.partition("=")[0] in here)
    metadata = {"name": f"{NAME}-tried", "namespace": CELL}
    made = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}
    service.cluster.apply([made])
    return made
