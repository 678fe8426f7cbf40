"""The script of a move between the servers of two rendered cells, by the tenant's own role and over verified TLS."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from psycopg import sql

from acceptance.harness import fleet
from acceptance.harness.packages import PG_DUMP, PSQL, libraries
from acceptance.harness.postgresql import Role, Server
from acceptance.harness.process import Processes
from acceptance.harness.tally import Tally

CLUSTER, TENANT = "euw1-a", "acme_production"
FILES = fleet.REPOSITORY / "generator/tenantry/render/templates/files"
BOOKS = """
CREATE TABLE tenantry_release (release text NOT NULL, state text NOT NULL);
INSERT INTO tenantry_release VALUES ('r1', 'done');
CREATE TABLE partner (id serial PRIMARY KEY, name text, photo bytea, credit numeric, at timestamptz DEFAULT now());
COMMENT ON TABLE partner IS 'what is said of a table stays';
CREATE INDEX by_name ON partner USING gin (name gin_trgm_ops);
INSERT INTO partner (name, photo, credit)
    SELECT E'line\\n\\\\restrict ' || i, decode(md5(i::text), 'hex'), i * 1.1 FROM generate_series(1, 2000) i;
CREATE TABLE invoice (partner_id int REFERENCES partner, booked date DEFAULT current_date);
INSERT INTO invoice SELECT id FROM partner;
CREATE SEQUENCE lonely START 7;
CREATE VIEW rich AS SELECT name FROM partner WHERE credit > 1000;
CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';
"""


@dataclass
class Move:
    """Two servers, and the role that is on both."""

    source: Server
    target: Server
    role: Role

    def step(self, name: str, **other: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", FILES / "move.sh", name], capture_output=True, text=True, check=False, timeout=120,
            env={
                **os.environ, **libraries(), "PATH": f"{PSQL.path().parent}:{PG_DUMP.path().parent}:{os.environ['PATH']}",
                "SOURCE_HOST": self.source.host, "SOURCE_CA": str(self.source.authority.certificate),
                "TARGET_HOST": self.target.host, "TARGET_CA": str(self.target.authority.certificate),
                "PGUSER": self.role.name, "PGDATABASE": self.role.name, "PGPASSWORD": self.role.password,
                "PGSSLMODE": "verify-full", "MOVE_TRIES": "2", "MOVE_SECONDS": "0",
                **other,
            },
        )  # fmt: skip

    def ask(self, server: Server, statement: str) -> list[tuple[object, ...]]:
        with server.connect(self.role.name, self.role.password, self.role.name) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def move(processes: Processes, folder: Path) -> Move:
    """The state after the step `prepare`: a role and an empty database at the target, as in the cell that serves."""
    source = Server(processes, folder / "source", "euw1-shared-a-cell", CLUSTER).start()
    target = Server(processes, folder / "target", "euw1-shared-b-cell", CLUSTER).start()
    (role,) = [role for role in source.roles() if role.name == TENANT]
    (database,) = [
        item.manifest["spec"] for item in fleet.every("Database", cluster=CLUSTER, namespace="euw1-shared-a-cell")
        if item.manifest["spec"]["name"] == TENANT
    ]  # fmt: skip
    with target.superuser() as connection:
        create = sql.SQL("CREATE ROLE {} LOGIN CONNECTION LIMIT {} PASSWORD {} IN ROLE tenants")
        connection.execute(create.format(sql.Identifier(TENANT), sql.Literal(role.limit), sql.Literal(role.password)))
        target._create_database(connection, database)
    found = Move(source, target, role)
    found.ask(source, BOOKS)
    return found


def test_a_copy_is_like_its_source_and_marked_as_a_copy(move: Move, tally: Tally) -> None:
    done = move.step("copy")
    tally.check(done.returncode == 0, done.stderr)
    compared = move.step("compare")
    tally.check(compared.returncode == 0 and "3 tables" not in compared.stdout, compared.stdout + compared.stderr)
    tally.check("2 tables and 2 sequences are alike" in compared.stdout, compared.stdout)
    tally.check(move.ask(move.target, "SELECT state FROM tenantry_release") == [("copied",)], "the copy has no mark")
    tally.check(move.ask(move.source, "SELECT state FROM tenantry_release") == [("done",)], "the source was marked")
    comment = move.ask(move.target, "SELECT obj_description('partner'::regclass)")
    tally.check(comment == [("what is said of a table stays",)], f"comments: {comment}")


@pytest.mark.parametrize(("harm", "why"), [
    ("UPDATE partner SET credit = credit + 1 WHERE id = 7", "rows differ"),
    ("DELETE FROM invoice WHERE partner_id = 7", "rows differ"),
    ("SELECT setval('lonely', 99)", "rows differ"),
    ("DROP INDEX by_name", "tables, indexes or functions differ"),
    ("ALTER TABLE invoice DROP CONSTRAINT invoice_partner_id_fkey", "tables, indexes or functions differ"),
    ("CREATE TABLE more ()", "tables, indexes or functions differ"),
    ("DROP SCHEMA tenantry_move CASCADE", "the target holds no whole copy"),
])  # fmt: skip
def test_each_difference_is_found(move: Move, tally: Tally, harm: str, why: str) -> None:
    tally.check(move.step("copy").returncode == 0, "no copy")
    move.ask(move.target, harm)
    compared = move.step("compare")
    tally.check(compared.returncode == 1 and f"move failed: {why}" in compared.stderr, f"{harm}: {compared.stderr}")


def test_a_copy_is_compared_with_what_the_source_was(move: Move, tally: Tally) -> None:
    move.step("copy")
    move.ask(move.source, "INSERT INTO partner (name) VALUES ('a customer of today')")
    tally.check(move.step("compare").returncode == 0, "the source goes on, and the copy is still whole")


def test_one_database_is_restored_into_another_one_of_the_same_tenant(move: Move, tally: Tally) -> None:
    later = f"{TENANT}_d2"
    with move.target.superuser() as connection:
        create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE tenants")
        connection.execute(create.format(sql.Identifier(later), sql.Literal(move.role.password)))
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(
                sql.Identifier(later), sql.Identifier(later)
            )
        )
    with move.target.superuser(later) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
    before = move.ask(move.target, "SELECT count(*) FROM pg_class")
    done = move.step("restore", TARGET_DATABASE=later)
    tally.check(done.returncode == 0 and "2 tables and 2 sequences are alike" in done.stdout, done.stdout + done.stderr)
    with move.target.connect(later, move.role.password, later) as connection:
        tally.check(
            connection.execute("SELECT state FROM tenantry_release").fetchall() == [("done",)], "it has no mark"
        )
        rows = connection.execute("SELECT count(*) FROM partner").fetchall()
    tally.check(rows == move.ask(move.source, "SELECT count(*) FROM partner"), f"rows are missing: {rows}")
    tally.check(
        move.ask(move.target, "SELECT count(*) FROM pg_class") == before, "the database that serves was touched"
    )
    tally.check(move.ask(move.source, "SELECT state FROM tenantry_release") == [("done",)], "the source was marked")


def test_nothing_is_copied_for_the_last_time_while_somebody_is_connected(move: Move, tally: Tally) -> None:
    with move.source.connect(move.role.name, move.role.password, move.role.name):
        done = move.step("freeze")
    tally.check(done.returncode == 1 and "still connected to the source" in done.stderr, done.stderr)
    tally.check(move.ask(move.source, "SELECT state FROM tenantry_release") == [("done",)], "the source was marked")


def test_nothing_is_copied_for_the_last_time_from_a_migration_that_has_not_ended(move: Move, tally: Tally) -> None:
    move.ask(move.source, "UPDATE tenantry_release SET state = 'migrating'")
    done = move.step("freeze")
    tally.check(done.returncode == 1 and "own migration has not ended" in done.stderr, done.stderr)
    move.ask(move.source, "UPDATE tenantry_release SET state = 'done'")


def test_the_last_copy_is_whole_and_the_only_one_that_may_be_used(move: Move, tally: Tally) -> None:
    for _ in range(2):  # a retry does no harm
        done = move.step("freeze")
        tally.check(done.returncode == 0, done.stderr)
        tally.check(move.ask(move.target, "SELECT state FROM tenantry_release") == [("done",)], "the target is marked")
        tally.check(move.ask(move.source, "SELECT state FROM tenantry_release") == [("moved",)], "the source is not")
    tally.check(move.ask(move.target, "SELECT count(*) FROM partner") == [(2001,)], "rows are missing")
    left = move.ask(move.target, "SELECT to_regnamespace('tenantry_move')")
    tally.check(left == [(None,)], "what was written to compare with is left")
