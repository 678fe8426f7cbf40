"""The scripts of a move between the servers of two rendered cells, by the tenant's own role and over verified TLS: directly, and
through an object store, as between clusters."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
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
CREATE TABLE invoice (partner_id int REFERENCES partner, booked date DEFAULT current_date,
  state varchar CHECK (state IN ('draft', 'posted')));
INSERT INTO invoice SELECT id FROM partner;
CREATE SEQUENCE lonely START 7;
CREATE VIEW rich AS SELECT name FROM partner WHERE credit > 1000;
CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';
"""
RCLONE = """\
#!/bin/bash
set -euo pipefail
place() { local name="${1#copies:}"; name="${name#left:}"; name="${name#to:}"; case "$1" in /*) echo "$1" ;; *) echo "$STORE/${name#:s3:}" ;; esac; }
fill() { mkdir -p "$(dirname "$(place "$1")")"; }
case "$1" in
  rcat) fill "$2"; cat > "$(place "$2")" ;;
  cat) cat "$(place "$2")" ;;
  copyto) fill "$3"; cp "$(place "$2")" "$(place "$3")" ;;
  delete) [ "$3 $4" = "--include done" ]; rm -f "$(place "$2")/done" ;;
  copy) fill "$3"; mkdir -p "$(place "$3")"; cp -r "$(place "$2")/." "$(place "$3")" ;;
  sync) fill "$3"; rm -rf "$(place "$3")"; cp -r "$(place "$2")" "$(place "$3")" ;;
  check) diff -r "$(place "$2")" "$(place "$3")" ;;
  lsf) cd "$(place "${@: -1}")" 2> /dev/null || exit 3; find . -type f | sed 's|^[.]/||' ;;
  *) exit 99 ;;
esac
"""


@dataclass
class Move:
    """Two servers, and the role that is on both."""

    source: Server
    target: Server
    role: Role
    store: Path
    """What stands for the object stores of both clusters: folders, behind a stand-in for rclone."""

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

    def transfer(self, does: str, step: str) -> subprocess.CompletedProcess[str]:
        server = self.source if does == "dump" else self.target
        files = {
            "ATTACHMENT_ENDPOINT": "https://there",
            "ATTACHMENT_SOURCE": "here-files/acme",
            "ATTACHMENT_TARGET": "there-files/acme",
        }
        return subprocess.run(
            ["bash", FILES / "transfer.sh", does, step], capture_output=True, text=True, check=False, timeout=120,
            env={
                **os.environ, **libraries(), "PATH": f"{self.store}:{PSQL.path().parent}:{PG_DUMP.path().parent}:{os.environ['PATH']}",
                "PGHOST": server.host, "PGSSLROOTCERT": str(server.authority.certificate), "STORE": str(self.store),
                "PGUSER": self.role.name, "PGDATABASE": self.role.name, "PGPASSWORD": self.role.password,
                "PGSSLMODE": "verify-full", "MOVE_TRIES": "2", "MOVE_SECONDS": "0",
                "COPIES_ENDPOINT": "https://here", "COPIES_FOLDER": "here-backup/acme/production/move-0a1b2c3d",
                **({} if does == "dump" else files),
            },
        )  # fmt: skip

    @property
    def copies(self) -> Path:
        return self.store / "here-backup/acme/production/move-0a1b2c3d"

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
    found = Move(source, target, role, folder / "store")
    found.store.mkdir()
    (found.store / "rclone").write_text(RCLONE)
    (found.store / "rclone").chmod(0o755)
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


# --- to another cluster


@pytest.fixture
def apart(move: Move) -> Move:
    """The state after the step `prepare` of a move to another cluster, with a document of the customer's."""
    move.ask(move.target, "DROP OWNED BY CURRENT_USER CASCADE")
    move.ask(move.source, "UPDATE tenantry_release SET state = 'done'")
    move.ask(move.source, "CREATE TABLE IF NOT EXISTS ir_attachment (store_fname text)")
    move.ask(move.source, "DELETE FROM ir_attachment")
    move.ask(move.source, "INSERT INTO ir_attachment VALUES ('attachments://ab/abc')")
    for path in ("here-files", "there-files", "here-backup"):
        shutil.rmtree(move.store / path, ignore_errors=True)
    document = move.store / "here-files/acme/ab/abc"
    document.parent.mkdir(parents=True)
    document.write_text("signed")
    return move


def test_a_copy_arrives_through_the_object_store(apart: Move, tally: Tally) -> None:
    for does, step in (("dump", "copy"), ("restore", "copy"), ("compare", "compare")):
        done = apart.transfer(does, step)
        tally.check(done.returncode == 0, f"{does} {step}: {done.stderr}")
    tally.check(
        "tables and 2 sequences are alike" in done.stdout and "1 attachments are there" in done.stdout, done.stdout
    )
    tally.check(apart.ask(apart.target, "SELECT state FROM tenantry_release") == [("copied",)], "the copy has no mark")
    tally.check((apart.store / "there-files/acme/ab/abc").read_text() == "signed", "the document did not come along")


@pytest.mark.parametrize(("harm", "why"), [
    (lambda copies: (copies / "copy/done").unlink(), "the source's Job has written no whole copy"),
    (lambda copies: (copies / "copy/done").write_text("cut"), "the source's Job has written no whole copy"),
    (lambda copies: (copies / "copy/dump.sql.gz").write_bytes((copies / "copy/dump.sql.gz").read_bytes()[:-20]), "dump.sql.gz is not what"),
    (lambda copies: (copies / "copy/contents").write_text("table public.partner|0|0"), "contents is not what"),
])  # fmt: skip
def test_what_is_not_whole_is_not_restored(apart: Move, tally: Tally, harm: Callable[[Path], object], why: str) -> None:
    apart.transfer("dump", "copy")
    apart.ask(apart.target, "CREATE TABLE before ()")
    harm(apart.copies)
    done = apart.transfer("restore", "copy")
    tally.check(done.returncode == 1 and why in done.stderr, done.stderr)
    tally.check(apart.ask(apart.target, "SELECT to_regclass('before') IS NULL") == [(False,)], "the target was emptied")


def test_a_missing_document_is_found(apart: Move, tally: Tally) -> None:
    apart.transfer("dump", "copy")
    apart.transfer("restore", "copy")
    (apart.store / "there-files/acme/ab/abc").unlink()
    done = apart.transfer("compare", "compare")
    tally.check(done.returncode == 1 and "1 attachments are missing" in done.stderr, done.stderr)


def test_the_last_copy_waits_until_the_source_has_written_it(apart: Move, tally: Tally) -> None:
    apart.transfer("dump", "copy")
    early = apart.transfer("restore", "freeze")
    tally.check(early.returncode == 1 and "no whole copy" in early.stderr, "the trial copy was taken for the last")
    for _ in range(2):  # a retry does no harm
        for does in ("dump", "restore"):
            done = apart.transfer(does, "freeze")
            tally.check(done.returncode == 0, f"{does}: {done.stderr}")
    tally.check(
        apart.ask(apart.source, "SELECT state FROM tenantry_release") == [("moved",)], "the source is not marked"
    )
    tally.check(
        apart.ask(apart.target, "SELECT state FROM tenantry_release") == [("done",)], "the target is not marked"
    )


def test_the_source_is_frozen_before_it_is_dumped_for_the_last_time(apart: Move, tally: Tally) -> None:
    with apart.source.connect(apart.role.name, apart.role.password, apart.role.name):
        done = apart.transfer("dump", "freeze")
    tally.check(done.returncode == 1 and "still connected to the source" in done.stderr, done.stderr)
    tally.check(not (apart.copies / "freeze/done").exists(), "a copy counts that was not the last")


# --- from another system

OLD = """
SET statement_timeout = 0;
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement';
CREATE TABLE public.partner (id integer);
COPY public.partner (id) FROM stdin;
7
\\.
CREATE TABLE public.ir_attachment (id integer, store_fname text);
COPY public.ir_attachment (id, store_fname) FROM stdin;
1	ab/abc
2	\\N
3	attachments://cd/cde
\\.
"""


@dataclass
class Arrival:
    """An empty database, and a dump in the place that the tenant's file names."""

    move: Move

    @property
    def folder(self) -> Path:
        return self.move.store / "here-backup/acme/production/import-day"

    def put(self, dump: str) -> str:
        """The sum of what was put there."""
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "filestore/ab").mkdir(parents=True)
        (self.folder / "filestore/ab/abc").write_text("signed")
        packed = gzip.compress(dump.encode(), mtime=0)
        (self.folder / "dump.sql.gz").write_bytes(packed)
        return hashlib.sha256(packed).hexdigest()

    def bring(self, sha256: str) -> subprocess.CompletedProcess[str]:
        server, role = self.move.target, self.move.role
        return subprocess.run(
            ["bash", FILES / "backup.sh"], capture_output=True, text=True, check=False, timeout=120,
            env={
                **os.environ, **libraries(), "PATH": f"{self.move.store}:{PSQL.path().parent}:{PG_DUMP.path().parent}:{os.environ['PATH']}",
                "PGHOST": server.host, "PGSSLROOTCERT": str(server.authority.certificate), "PGSSLMODE": "verify-full",
                "PGUSER": role.name, "PGDATABASE": role.name, "PGPASSWORD": role.password, "STORE": str(self.move.store),
                "BACKUP_ENDPOINT": "https://here", "BACKUP_TARGET": "here-backup/acme/production/before-r1",
                "IMPORT_FOLDER": "here-backup/acme/production/import-day", "IMPORT_SHA256": sha256, "ATTACHMENT_TARGET": "here-files/acme",
            },
        )  # fmt: skip

    def tables(self) -> int:
        found = self.move.ask(self.move.target, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        return int(str(found[0][0]))


@pytest.fixture
def arrival(move: Move) -> Arrival:
    move.ask(move.target, "DROP OWNED BY CURRENT_USER CASCADE")
    for path in ("here-files", "here-backup"):
        shutil.rmtree(move.store / path, ignore_errors=True)
    return Arrival(move)


def test_what_another_system_left_is_brought_into_an_empty_database_once(arrival: Arrival, tally: Tally) -> None:
    sha256 = arrival.put(OLD)
    done = arrival.bring(sha256)
    tally.check(done.returncode == 0, done.stderr)
    names = arrival.move.ask(arrival.move.target, "SELECT store_fname FROM ir_attachment ORDER BY id")
    wanted = [("attachments://ab/abc",), (None,), ("attachments://cd/cde",)]
    tally.check(names == wanted, f"{names}")
    tally.check((arrival.move.store / "here-files/acme/ab/abc").read_text() == "signed", "no document")
    arrival.move.ask(arrival.move.target, "INSERT INTO partner VALUES (8)")
    again = arrival.bring(sha256)
    tally.check("the database holds data: nothing is brought in" in again.stdout, again.stdout)
    rows = arrival.move.ask(arrival.move.target, "SELECT id FROM partner ORDER BY id")
    tally.check(rows == [(7,), (8,)], f"{rows}")


@pytest.mark.parametrize(
    "held", ["CREATE TABLE any_table ()", "CREATE SEQUENCE any_sequence", "CREATE SCHEMA s CREATE TABLE t ()"]
)
def test_nothing_comes_over_a_database_that_holds_anything(arrival: Arrival, tally: Tally, held: str) -> None:
    arrival.move.ask(arrival.move.target, held)
    before = arrival.tables()
    arrival.bring(arrival.put(OLD))
    tally.check(arrival.tables() == before, "tables came")
    tally.check(not (arrival.move.store / "here-files").exists(), "documents came")


def test_a_dump_that_is_not_the_one_that_was_looked_at_does_not_come(arrival: Arrival, tally: Tally) -> None:
    arrival.put(OLD)
    done = arrival.bring("0" * 64)
    tally.check(done.returncode == 1 and "the tenant's file says 000" in done.stderr, done.stderr)
    tally.check(arrival.tables() == 0, "tables came")


def test_a_dump_without_its_filestore_does_not_come(arrival: Arrival, tally: Tally) -> None:
    sha256 = arrival.put(OLD)
    shutil.rmtree(arrival.folder / "filestore")
    done = arrival.bring(sha256)
    tally.check(done.returncode == 1 and "there is no filestore" in done.stderr, done.stderr)
    tally.check(arrival.tables() == 0, "tables came")


@pytest.mark.parametrize(
    "broken",
    [f"{OLD}\nSELECT nonsense;\n", OLD.replace("CREATE TABLE public.ir_attachment", "CREATE TABLE public.other")],
)
def test_all_of_a_dump_comes_or_nothing(arrival: Arrival, tally: Tally, broken: str) -> None:
    done = arrival.bring(arrival.put(broken))
    tally.check(done.returncode != 0 and arrival.tables() == 0, f"{arrival.tables()} tables of half a dump")


def test_a_dump_that_ends_in_the_middle_of_the_way_does_not_come(arrival: Arrival, tally: Tally) -> None:
    """The sum was right when it was checked; the second reading breaks."""
    sha256 = arrival.put(OLD)
    cut = arrival.move.store / "rclone"
    whole = cut.read_text()
    once = 'cat) [ ! -e "$STORE/read" ] || { head -c 80 "$(place "$2")"; exit 1; }; touch "$STORE/read"; cat "$(place "$2")" ;;'
    cut.write_text(whole.replace('cat) cat "$(place "$2")" ;;', once))
    done = arrival.bring(sha256)
    cut.write_text(whole)
    (arrival.move.store / "read").unlink()
    tally.check(done.returncode != 0 and arrival.tables() == 0, f"{arrival.tables()} tables of half a dump")
