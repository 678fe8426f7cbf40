"""Tenants' roles of one shared PostgreSQL against each other, straight and through the rendered poolers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import permutations
from pathlib import Path
from typing import Any

import psycopg
import pytest

from acceptance.harness.postgresql import PORT, Pooler, Role, Server, migration_grants
from acceptance.harness.process import Processes, wait_for
from acceptance.harness.tally import Tally

CLUSTER, CELL = "euw1-a", "euw1-shared-a-cell"
OWN_CLUSTER, OWN = "use1-globex", "globex-us-production"
Connect = Callable[[], psycopg.Connection[Any]]


@pytest.fixture(scope="module")
def server(processes: Processes, folder: Path) -> Server:
    """The shared server after each tenant's first migration."""
    running = Server(processes, folder / "shared", CELL, CLUSTER).start()
    for role in running.roles():
        with running.connect(role.name, role.password, role.name) as connection:
            migration_grants(namespace_of(role), CLUSTER, role.name)(connection.cursor())
            connection.execute("CREATE TABLE books (line text)")
            connection.execute("INSERT INTO books VALUES (%s)", [f"books of {role.name}"])
            connection.execute("SELECT lo_from_bytea(4711, %s)", [b"attachment"])
    return running


@pytest.fixture(scope="module")
def poolers(server: Server) -> Iterator[dict[str, Pooler]]:
    """One for each tenant's web Pods, on addresses of their own as in Pods of their own."""
    yield {
        role.name: Pooler(server, namespace_of(role), "web.ini", f"127.0.1.{number}")
        for number, role in enumerate(server.roles(), 1)
    }


def namespace_of(role: Role) -> str:
    return role.name.replace("_", "-")


def pairs(server: Server) -> Iterator[tuple[Role, Role]]:
    return permutations(server.roles(), 2)


def denied(connect: Connect, told: str) -> bool:
    """Did the server say no, for this reason? A dead server refuses nothing."""
    try:
        connect().close()
    except psycopg.OperationalError as error:
        return told in str(error)
    return False


def fails(connection: psycopg.Connection[Any], statement: str, told: tuple[str, ...]) -> bool:
    try:
        connection.execute(statement)
    except psycopg.Error as error:
        return any(word in str(error) for word in told)
    return False


def test_own_database_works(server: Server, poolers: dict[str, Pooler], tally: Tally) -> None:
    for role in server.roles():
        with server.connect(role.name, role.password, role.name) as own:
            told = own.execute("SELECT line FROM books").fetchall()
            tally.check(told == [(f"books of {role.name}",)], f"{role.name}: {told}")
        for database in (role.name, "postgres"):
            with poolers[role.name].connect(database) as pooled:
                reached = pooled.execute("SELECT current_database(), current_user").fetchone()
                tally.check(reached == (role.name, role.name), f"{role.name}: '{database}' leads to {reached}")
                verified = "SELECT ssl AND version >= 'TLSv1.2' FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
                tally.check(pooled.execute(verified).fetchone() == (True,), f"{role.name}: the pooler's way has no TLS")


def test_no_way_into_another_database(server: Server, poolers: dict[str, Pooler], tally: Tally) -> None:
    rejects = "pg_hba.conf rejects connection"
    for mine, theirs in pairs(server):
        pooler = poolers[mine.name]
        ways: dict[str, tuple[Connect, str]] = {
            "TLS": (lambda m=mine, t=theirs: server.connect(m.name, m.password, t.name), rejects),
            "no TLS": (lambda m=mine, t=theirs: server.connect(m.name, m.password, t.name, sslmode="disable"), rejects),
            "my password for their role": (
                lambda m=mine, t=theirs: server.connect(t.name, m.password, t.name), "password authentication failed",
            ),
            "my pooler": (lambda p=pooler, t=theirs: p.connect(t.name), "no such database"),
            "my pooler, their role": (
                lambda p=pooler, m=mine, t=theirs: p.connect(m.name, t.name, t.password), "authentication failed",
            ),
            "replication": (
                lambda m=mine, t=theirs: server.connect(m.name, m.password, t.name, replication="database"), rejects,
            ),
        }  # fmt: skip
        for name, (connect, told) in ways.items():
            tally.attack(denied(connect, told), f"{mine.name} to {theirs.name}: {name}")
        with pooler.connect(mine.name) as own:
            tally.control(own.execute("SELECT 1").fetchone(), f"{mine.name}: its own, after that")


def test_no_way_into_the_servers_own_databases(server: Server, tally: Tally) -> None:
    for role in server.roles():
        for database in ("postgres", "platform", "template1", "template0"):
            for mode in ("require", "disable"):
                refused = denied(
                    lambda r=role, d=database, m=mode: server.connect(r.name, r.password, d, sslmode=m),
                    "pg_hba.conf rejects connection",
                )
                tally.attack(refused, f"{role.name} to {database}, sslmode {mode}")
        plain = denied(
            lambda r=role: server.connect(r.name, r.password, r.name, sslmode="disable"), "rejects connection"
        )
        tally.attack(plain, f"{role.name} to its own without TLS")
        for user in ("postgres", "streaming_replica", "platform", "cnpg_pooler_pgbouncer", "tenants"):
            tally.attack(
                not lets_in(lambda u=user, r=role: server.connect(u, r.password, "postgres")), f"{user}, remotely"
            )
        tally.control(lets_in(lambda r=role: server.connect(r.name, r.password, r.name)), role.name)


def lets_in(connect: Connect) -> bool:
    try:
        connect().close()
    except psycopg.OperationalError as error:
        assert "refused" not in str(error).replace("refused by", ""), error
        return False
    return True


PERMISSION = (
    "permission denied",
    "must be superuser",
    "must be a superuser",
    "must be a member",
    "Only roles",
    "only superuser",
    "is not allowed",
)


def test_no_power_inside_its_own_database(server: Server, poolers: dict[str, Pooler], tally: Tally) -> None:
    """What a session of a tenant could try that reaches beyond its database."""
    beyond = [
        "COPY books FROM '/etc/passwd'", "COPY books TO PROGRAM 'id'", "SELECT pg_read_file('/etc/passwd')", "SELECT pg_ls_dir('/')",
        "SELECT lo_import('/etc/passwd')", "SELECT lo_export(4711, '/tmp/x')", "CREATE EXTENSION dblink", "CREATE EXTENSION postgres_fdw",
        "CREATE EXTENSION file_fdw", "CREATE DATABASE evil", "CREATE ROLE evil", "CREATE TABLESPACE evil LOCATION '/tmp'",
        "ALTER SYSTEM SET port = 1", "CREATE SUBSCRIPTION evil CONNECTION 'dbname=x' PUBLICATION p", "ALTER ROLE CURRENT_USER CONNECTION LIMIT -1",
        "ALTER ROLE CURRENT_USER SUPERUSER", "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'libc', 'getpid'", "LOAD 'auto_explain'",
        "CREATE PUBLICATION evil FOR ALL TABLES", "SELECT pg_create_physical_replication_slot('evil')", "CHECKPOINT",
        "SELECT * FROM pg_authid", "SELECT * FROM pg_hba_file_rules", "SELECT pg_rotate_logfile()",
        "SET SESSION AUTHORIZATION postgres", "SET ROLE postgres", "SET ROLE platform", "SET ROLE pg_read_server_files",
    ]  # fmt: skip
    for mine, theirs in pairs(server):
        with (
            poolers[mine.name].connect(mine.name) as session,
            server.connect(theirs.name, theirs.password, theirs.name) as other,
        ):
            other.execute("SELECT 'a secret of theirs'")
            victim = other.info.backend_pid
            against = [
                f"SET ROLE {theirs.name}", f"SET SESSION AUTHORIZATION {theirs.name}", f"GRANT {theirs.name} TO {mine.name}",
                f"ALTER ROLE {theirs.name} PASSWORD 'x'", f"ALTER DATABASE {theirs.name} OWNER TO {mine.name}", f"DROP ROLE {theirs.name}",
                f"DROP DATABASE {theirs.name}", f"ALTER DATABASE {theirs.name} CONNECTION LIMIT 0",
                f"SELECT pg_terminate_backend({victim})", f"SELECT pg_cancel_backend({victim})", f"SELECT pg_database_size('{theirs.name}')",
            ]  # fmt: skip
            told = (*PERMISSION, "must be owner", "must have admin option", "must have CREATEROLE")
            for statement in (*against, *beyond):
                tally.attack(fails(session, statement, told), f"{mine.name}: {statement}")
            seen = session.execute(
                "SELECT query, client_addr FROM pg_stat_activity WHERE usename = %s", [theirs.name]
            ).fetchall()
            hidden = all(query == "<insufficient privilege>" and address is None for query, address in seen)
            tally.attack(hidden, f"{mine.name} sees what {theirs.name} runs")
            crossing = fails(session, f"SELECT * FROM {theirs.name}.public.books", ("cross-database references",))
            tally.attack(crossing, f"{mine.name} names a table of {theirs.name}")
            objects = session.execute("SELECT lo_get(4711)").fetchone()
            tally.control(objects == (b"attachment",), f"{mine.name}: its own large object {objects}")
            tally.control(other.execute("SELECT 1").fetchone(), f"{theirs.name} still lives")


def test_dblink_like_ways(server: Server, tally: Tally) -> None:
    """Even where a superuser has installed dblink, it stops at the server's door."""
    mine, theirs = server.roles()[:2]
    with server.superuser(mine.name) as operator:
        operator.execute("CREATE EXTENSION dblink")
    target = f"host={server.address} port={PORT} sslmode=require"

    def ask(session: psycopg.Connection[Any], connection: str) -> Any:
        return session.execute(
            "SELECT * FROM dblink(%s, 'SELECT line FROM books') AS t(line text)", [connection]
        ).fetchall()

    with server.connect(mine.name, mine.password, mine.name) as session:
        own = ask(session, f"{target} dbname={mine.name} user={mine.name} password={mine.password}")
        tally.control(own == [(f"books of {mine.name}",)], f"dblink to its own database: {own}")
        for name, connection in {
            "their database": f"{target} dbname={theirs.name} user={mine.name} password={mine.password}",
            "their role without a password": f"{target} dbname={theirs.name} user={theirs.name}",
            "the socket": f"host={server.folder} dbname={theirs.name} user=postgres",
            "no host": f"dbname={theirs.name}",
        }.items():
            refused = False
            try:
                ask(session, connection)
            except psycopg.Error:
                refused = True
            tally.attack(refused, f"dblink: {name}")
    with server.superuser(mine.name) as operator:
        operator.execute("DROP EXTENSION dblink")


def test_notifications_stay_at_home(server: Server, poolers: dict[str, Pooler], tally: Tally) -> None:
    """Odoo's bus and cron LISTEN on a database called postgres: the alias leads each to its own."""
    for mine, theirs in pairs(server):
        with ExitStack() as stack:
            listener, neighbour = (
                stack.enter_context(poolers[role.name].connect("postgres")) for role in (mine, theirs)
            )
            for connection in (listener, neighbour):
                connection.execute("LISTEN imbus")
            with poolers[mine.name].connect("postgres") as sender:
                sender.execute("NOTIFY imbus, 'mine'")
            heard = [note.payload for note in listener.notifies(timeout=5, stop_after=1)]
            tally.control(heard == ["mine"], f"{mine.name} hears itself: {heard}")
            overheard = list(neighbour.notifies(timeout=0.05, stop_after=1))
            tally.attack(not overheard, f"{theirs.name} hears {mine.name}: {overheard}")


def test_limits_hold(server: Server, poolers: dict[str, Pooler], tally: Tally) -> None:
    """A tenant that takes all that it can get leaves the others theirs."""
    greedy, neighbour = sorted(server.roles(), key=lambda role: role.limit)[:2]
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"
    with server.superuser() as operator, ExitStack() as stack:
        # Its pooler may still hold sessions of the tests before.
        held = operator.execute(sessions, [greedy.name]).fetchone()[0]
        for _ in range(greedy.limit - held):
            stack.enter_context(server.connect(greedy.name, greedy.password, greedy.name))
        full = denied(
            lambda: server.connect(greedy.name, greedy.password, greedy.name), "too many connections for role"
        )
        tally.attack(full, f"{greedy.name}: connection {greedy.limit + 1}")
        with server.connect(neighbour.name, neighbour.password, neighbour.name) as other:
            tally.control(other.execute("SELECT 1").fetchone(), f"{neighbour.name} meanwhile")
    pooler = poolers[greedy.name]
    with ExitStack() as stack:
        for _ in range(pooler.number("max_client_conn")):
            stack.callback(asked(pooler, greedy.name).pgconn.finish)
        full = denied(lambda: pooler.connect(greedy.name), "no more connections allowed")
        tally.attack(full, f"{greedy.name}: one client more than its pooler takes")
        with server.superuser() as operator:
            most = pooler.number("max_user_connections")
            held = "the pooler's sessions, once those of the direct way have ended"
            wait_for(held, lambda: operator.execute(sessions, [greedy.name]).fetchone()[0] == most, 10)
            tally.control(True, held)


def asked(pooler: Pooler, database: str) -> psycopg.Connection[Any]:
    """A client of the pooler that has asked something and does not wait for the answer."""
    client = pooler.connect(database)
    client.pgconn.send_query(b"SELECT 1")
    return client


def test_migration_works(server: Server, tally: Tally) -> None:
    """Tables, indexes on trigrams, and the lock against a second migration, through the migration's own pooler."""
    role = server.roles()[0]
    pooler = Pooler(server, namespace_of(role), "migration.ini", "127.0.2.1")
    with pooler.connect(role.name) as connection, pooler.connect(role.name) as second:
        connection.execute("CREATE TABLE partner (id serial PRIMARY KEY, name text)")
        connection.execute("CREATE INDEX ON partner USING gin (name gin_trgm_ops)")
        lock = "SELECT pg_try_advisory_lock(7318350295)"
        tally.check(connection.execute(lock).fetchone() == (True,), "the first migration takes the lock")
        tally.check(second.execute(lock).fetchone() == (False,), "the second does not")


def test_reporting_reads_and_nothing_more(processes: Processes, folder: Path, tally: Tally) -> None:
    """A dedicated tenant's reporting role, after the rendered grants."""
    own = Server(processes, folder / "own", OWN, OWN_CLUSTER).start()
    roles = {role.name: role for role in own.roles()}
    reporting = roles.pop(next(name for name in roles if name.endswith("_reporting")))
    (odoo,) = roles.values()
    with own.connect(odoo.name, odoo.password, odoo.name) as connection:
        connection.execute("CREATE TABLE books (line text)")
        migration_grants(OWN, OWN_CLUSTER, odoo.name, reporting.name)(connection.cursor())
        connection.execute("CREATE TABLE later (line text)")
    with own.connect(reporting.name, reporting.password, odoo.name) as reader:
        for table in ("books", "later"):
            tally.control(reader.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), f"reads {table}")
        for statement in ("INSERT INTO books VALUES ('x')", "DROP TABLE books", "CREATE TABLE mine (x int)", "TRUNCATE later",
                          f"SET ROLE {odoo.name}", "CREATE TEMPORARY TABLE t (x int)"):  # fmt: skip
            tally.attack(fails(reader, statement, (*PERMISSION, "must be owner")), f"reporting: {statement}")
    for database in ("postgres", "template1"):
        refused = denied(lambda d=database: own.connect(reporting.name, reporting.password, d), "rejects connection")
        tally.attack(refused, f"reporting to {database}")
    plain = denied(
        lambda: own.connect(reporting.name, reporting.password, odoo.name, sslmode="disable"), "rejects connection"
    )
    tally.attack(plain, "reporting without TLS")


def test_without_our_lines_they_meet(processes: Processes, folder: Path, tally: Tally) -> None:
    """The lines of pg_hba are the protection: with the operator's own alone, a role enters a neighbour's new database."""
    open_server = Server(processes, folder / "open", CELL, CLUSTER, hba=[]).start()
    mine, theirs = open_server.roles()[:2]
    tally.without_protection(
        lets_in(lambda: open_server.connect(mine.name, mine.password, theirs.name)), f"{mine.name} to {theirs.name}"
    )
    plain = lets_in(lambda: open_server.connect(mine.name, mine.password, mine.name, sslmode="disable"))
    tally.without_protection(plain, "without TLS")
