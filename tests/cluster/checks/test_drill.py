"""A restore for practice, from the real archive: it recovers, and refuses a key that may write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster.asking import back_up, seconds, sql, write
from cluster.base import Manifest
from cluster.plugin import Show
from cluster.service import Service
from cluster.size import smaller
from cluster.trees import CELL, TENANTS

NAME = "restore-drill"


def test_a_drill_recovers_the_archive_and_refuses_a_key_that_may_write(
    service: Service, installed: Mapping[str, float], show: Show
) -> None:
    """The object store here knows no rights of keys, so every drill must end so; its later steps are tried by the part `drill`."""
    back_up(service, "first")
    write(service, TENANTS[0], "CREATE TABLE IF NOT EXISTS written_after_the_backup (word text)")
    sql(service, "postgres", "SELECT pg_switch_wal()")
    drill = job(service)

    def ended() -> bool:
        return service.job_is(drill, "Failed")

    took = seconds(lambda: service.cluster.wait_in(CELL, "the drill's end", ended, 600))
    log = service.cluster.kubectl("-n", CELL, "logs", f"job/{NAME}-tried", "-c", "restore").splitlines()
    assert [line for line in log if "archive recovery complete" in line], log[-20:]
    restored = [line for line in log if "restored log file" in line]
    assert restored
    assert log[-1] == "restore drill failed: the key of drills may write to the archive"
    show(f"base backup and {len(restored)} WAL files recovered after {took:.0f} s; {log[-1]}")


def job(service: Service) -> Manifest:
    """Start what the CronJob starts."""
    drill = smaller(service.trees.one("CronJob", CELL, NAME))
    spec: dict[str, Any] = drill["spec"]["jobTemplate"]["spec"]
    metadata = {"name": f"{NAME}-tried", "namespace": CELL}
    made = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}
    service.cluster.apply([made])
    return made
