"""A table dropped by hand in one tenant of a cell, brought back as of a minute before, by the printed commands alone."""

from __future__ import annotations

import shlex
import time
from datetime import UTC, datetime

from acceptance.harness.process import wait_for
from cluster.asking import Visit, back_up, database_of, odoo, password, primary, sql, write
from cluster.plugin import Show
from cluster.service import Service
from cluster.trees import CELL, TENANTS, tenantry

ONE, OTHER = TENANTS
TENANT, CELL_NAME = ONE.removesuffix("-production"), CELL.removesuffix("-cell")
KEPT = "CREATE TABLE IF NOT EXISTS kept (word text); INSERT INTO kept VALUES ('{}')"


def test_one_tenant_gets_its_table_back_and_its_neighbour_notices_nothing(
    service: Service, visit: Visit, show: Show
) -> None:
    cluster = service.cluster
    back_up(service, "first")
    write(service, ONE, KEPT.format("before"))
    at = next_second(service)  # all that was written before it comes back
    next_second(service)
    write(service, ONE, "DROP TABLE kept")
    write(service, OTHER, KEPT.format("after"))
    sql(service, "postgres", "SELECT pg_switch_wal()")
    neighbour = odoo(service, OTHER)
    began = time.monotonic()

    def sync(application: str) -> None:
        try:
            service.argo_cd.sync_to_its_end(application, 900)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{cluster.state_of(ONE)}") from None

    def step(what: str, *arguments: str) -> None:
        said = tenantry("restore", service.trees.folder, *arguments)
        service.roll_out(ONE, " ".join(arguments), infra_seconds=900)
        for line in said.splitlines():
            if line.strip().startswith("argocd app sync"):
                sync(line.split()[-1])
            if line.strip().startswith("kubectl wait"):
                cluster.kubectl(*shlex.split(line)[1:], wait=900)
        show(f"{what}: after {time.monotonic() - began:.0f} s")

    step("the cell's server as of a minute before", CELL_NAME, "--to", at, "--reason", "a table was dropped")
    step("its database copied and compared", TENANT, "--out-of-cell", "--reason", "a table was dropped")
    step("switched", TENANT, "--next")
    back = f"{database_of(ONE)}_d2"
    assert sql(service, back, "SELECT word FROM kept") == "before"
    person = visit(ONE, back)
    wait_for("a login", lambda: person.log_in("admin", password(service, ONE)), 120, every=1)
    show(f"the table is back, and a person logs in: after {time.monotonic() - began:.0f} s")
    assert sql(service, database_of(OTHER), "SELECT word FROM kept") == "after"
    assert odoo(service, OTHER) == neighbour
    show(f"{OTHER}: what it wrote afterwards is there, its Pod did not restart; primary {primary(service)}")


def next_second(service: Service) -> str:
    """Wait for the server's next whole second; its name, as `--to` takes it."""
    before = second(service)
    wait_for("the next second", lambda: second(service) > before, 10, every=0.2)
    return second(service)


def second(service: Service) -> str:
    """The server's clock, without what is less than a second."""
    moment = datetime.fromisoformat(sql(service, "postgres", "SELECT clock_timestamp()"))
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
