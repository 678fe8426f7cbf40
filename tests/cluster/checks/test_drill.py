"""A restore for practice, from the real archive: of what is there it passes, and what is missing it finds."""

from __future__ import annotations

import copy
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


def test_a_drill_brings_both_databases_back_and_says_so(
    service: Service, installed: Mapping[str, float], show: Show
) -> None:
    back_up(service, "first")
    write(service, TENANTS[0], "CREATE TABLE IF NOT EXISTS written_after_the_backup (word text)")
    sql(service, "postgres", "SELECT pg_switch_wal()")
    there = [entry for entry in expected(service) if entry.partition("=")[0] in map(database_of, TENANTS)]
    drill = job(service, "drill-of-what-is-there", there)
    took = seconds(lambda: end(service, drill, "Complete"))
    record = json.loads(said(service, drill))
    assert record["drill"] == "passed"
    assert {one["database"] for one in record["databases"]} == {database_of(tenant) for tenant in TENANTS}
    show(
        f"after {took:.0f} s: base backup {record['backup']} and all WAL until {record['last_change']}, "
        + ", ".join(f"{one['database']} with {one['modules']} modules" for one in record["databases"])
    )
    # The cell's other tenants have a database here, and no Odoo in it.
    whole = job(service, "drill-of-all", expected(service))
    end(service, whole, "Failed")
    message = said(service, whole)
    assert "restore drill failed" in message and "holds no Odoo" in message, message
    show(f"with databases that nobody installed: {message.strip()}")


def expected(service: Service) -> list[str]:
    """The databases that the rendered drill looks for, each with the folder of its attachments."""
    return variable(service.trees.one("CronJob", CELL, NAME)).split()


def variable(drill: Manifest) -> str:
    """What it gets to know of them."""
    (check,) = drill["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    return next(entry["value"] for entry in check["env"] if entry["name"] == "DRILL_DATABASES")


def job(service: Service, name: str, databases: list[str]) -> Manifest:
    """Start what the CronJob starts, for these databases."""
    drill = copy.deepcopy(smaller(service.trees.one("CronJob", CELL, NAME)))
    spec: dict[str, Any] = drill["spec"]["jobTemplate"]["spec"]
    (check,) = spec["template"]["spec"]["containers"]
    for entry in check["env"]:
        entry.update({"value": " ".join(databases)} if entry["name"] == "DRILL_DATABASES" else {})
    made = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": CELL}, "spec": spec}
    service.cluster.apply([made])
    return made


def end(service: Service, drill: Manifest, condition: str) -> None:
    name = drill["metadata"]["name"]
    service.cluster.wait_in(CELL, f"{name} {condition}", lambda: service.job_is(drill, condition), 600)


def said(service: Service, drill: Manifest) -> str:
    """The last line of its log: the record, or why there is none."""
    log = service.cluster.kubectl("-n", CELL, "logs", f"job/{drill['metadata']['name']}", "-c", "check")
    return log.strip().splitlines()[-1]
