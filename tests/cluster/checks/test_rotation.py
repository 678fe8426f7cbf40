"""Passwords are replaced while people log in, by the steps that `tenantry secrets --rotation` prints."""

from __future__ import annotations

import json
import shlex
import time

from acceptance.harness.process import wait_for
from cluster import secret_store
from cluster.asking import Visit, database_of, in_odoo, password, redis_says, sql
from cluster.load import people
from cluster.plugin import Show
from cluster.service import Service
from cluster.trees import CELL, CLUSTER, TENANTS, tenantry

ONE, _ = TENANTS
TENANT = ONE.removesuffix("-production")
LOG_IN_TO_DATABASE = """
import psycopg2, sys
try:
    psycopg2.connect(host=sys.argv[1], dbname=sys.argv[2], user=sys.argv[2], password=sys.stdin.read(), sslmode="require", connect_timeout=5)
    print("yes")
except psycopg2.OperationalError as error:
    print("no" if "password authentication failed" in str(error) else error)
"""


def test_the_databases_password_is_replaced_while_people_log_in(service: Service, visit: Visit, show: Show) -> None:
    database = database_of(ONE)

    def accepts(value: str) -> str:
        host = f"postgresql-rw.{CELL}.svc"
        return in_odoo(service, ONE, "python3", "-c", LOG_IN_TO_DATABASE, host, database, text=value).strip()

    place = secret_store.path_of(service.trees, TENANT, "database")
    old = secret_store.read(service.cluster, place, "password")
    assert accepts(old) == "yes"
    with people(lambda: visit(ONE), password(service, ONE)) as seen:
        began = time.monotonic()
        new = secret_store.write(service.cluster, place, "password")
        for step in steps(service, place):
            if step.startswith("kubectl "):
                run(service, step)
        wait_for("the new password", lambda: accepts(new) == "yes", 120, every=1)
        took = time.monotonic() - began
        wait_for("more logins", lambda more=seen.logins + 5: seen.logins >= more, 120)
    assert accepts(old) == "no"
    assert not seen.failures, seen.failures[:5]
    # What is connected stays connected; who connects anew has the new one only.
    sql(service, "postgres", f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{database}'")
    person = visit(ONE)
    wait_for("a login by new connections", lambda: person.log_in("admin", password(service, ONE)), 60, every=1)
    show(f"the server knows the new one after {took:.0f} s; {seen}; the old one is refused")


def test_the_password_of_redis_is_replaced_while_people_log_in(service: Service, visit: Visit, show: Show) -> None:
    place = secret_store.path_of(service.trees, TENANT, "redis")
    with people(lambda: visit(ONE), password(service, ONE)) as seen:
        began = time.monotonic()
        secret_store.write(service.cluster, place, "password-2")
        for what in ("both are known", "new Pods use it", "the old one is forgotten"):
            change = next(step for step in steps(service, place) if step.startswith("tenantry set"))
            _, command, *arguments = shlex.split(change.partition(";")[0])
            tenantry(command, service.trees.folder, *arguments)
            service.roll_out(ONE, what)
            show(f"{what}: after {time.monotonic() - began:.0f} s; {seen}")
    assert not seen.failures, seen.failures[:5]
    assert "True" in redis_says(service, ONE, "PING")


def steps(service: Service, place: str) -> list[str]:
    arguments = (TENANT, "--cluster", CLUSTER, "--rotation", "--format", "json")
    rows = json.loads(tenantry("secrets", service.trees.folder, *arguments))["rotation"]
    (row,) = (row for row in rows if row["name"] == place)
    return list(row["steps"])


def run(service: Service, step: str) -> None:
    """As a shell would, whose only word of its own is the time."""
    words = shlex.split(step.replace("$(date +%s)", str(time.time_ns())))
    service.cluster.kubectl(*words[1:])
