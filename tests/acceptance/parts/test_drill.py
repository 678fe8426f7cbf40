"""The scripts of a restore drill on a real server: its base backup and its WAL are recovered, and what is missing is found.

The object store is a folder; barman's programs and rclone are stand-ins that read it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from acceptance.harness import fleet
from acceptance.harness.packages import POSTGRES, PSQL, libraries
from acceptance.harness.postgresql import Server
from acceptance.harness.process import NOBODY, Processes
from acceptance.harness.tally import Tally

CLUSTER, CELL = "euw1-a", "euw1-shared-a-cell"
BACKUP = "20261120T013000"
FILES = fleet.REPOSITORY / "generator/tenantry/render/templates/files"
ODOO = """
CREATE TABLE tenantry_release (release text NOT NULL, state text NOT NULL);
INSERT INTO tenantry_release VALUES ('r1', 'done');
CREATE TABLE ir_module_module (name text, state text);
INSERT INTO ir_module_module VALUES ('base', 'installed'), ('hr', 'uninstalled');
CREATE TABLE res_users (id serial, login text, password text, active bool DEFAULT true);
INSERT INTO res_users (login, password) VALUES ('admin', 'hash');
CREATE TABLE ir_attachment (store_fname text, file_size int, create_date timestamp DEFAULT now() - interval '3 days');
INSERT INTO ir_attachment VALUES ('attachments://a', 5), ('attachments://b', 3);
"""
LIST = """#!/bin/sh
[ "$5" = "--format" ] && [ "$7" = "s3://$PLACE" ] && [ "$8" = "$SERVER" ] || exit 4
cat "$STORE/backups.json"
"""
RESTORE = """#!/bin/sh
[ "$5" = "s3://$PLACE" ] && [ "$6" = "$SERVER" ] || exit 4
cp -r "$STORE/$7/." "$8"
"""
WAL_RESTORE = """#!/bin/sh
[ "$5" = "s3://$PLACE" ] && [ "$6" = "$SERVER" ] || exit 4
[ ! -e "$STORE/broken" ] || exit 2
[ -e "$STORE/wal/$7" ] || exit 1
cp "$STORE/wal/$7" "$8"
"""
RCLONE = """#!/bin/bash
case "$1" in
  rcat) [ -e "$STORE/writable" ] ;;
  cat) cat "$STORE/${2#:s3:}" ;;
  *) exit 99 ;;
esac
"""


@dataclass
class Practice:
    """A server, what its archive holds, and the Pod that practises."""

    server: Server
    store: Path
    pod: Path
    environment: Mapping[str, str]

    def run(self, script: str, **other: str) -> subprocess.CompletedProcess[str]:
        as_user = NOBODY if os.geteuid() == 0 else None
        return subprocess.run(
            ["bash", self.pod / script], env={**self.environment, **other}, user=as_user, group=as_user,
            capture_output=True, text=True, check=False, timeout=300, cwd=self.pod,
        )  # fmt: skip

    @property
    def databases(self) -> list[str]:
        return [entry.partition("=")[0] for entry in self.environment["DRILL_DATABASES"].split()]

    def record(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.pod / "record").read_text())
        return found


def rendered() -> dict[str, str]:
    """Variables of the rendered drill's containers that are no credential."""
    spec = fleet.one("CronJob", CELL, "restore-drill", cluster=CLUSTER).manifest["spec"]["jobTemplate"]["spec"]
    pod = spec["template"]["spec"]
    found = [entry for part in ("initContainers", "containers") for c in pod[part] for entry in c.get("env", ())]
    return {entry["name"]: entry["value"] for entry in found if "value" in entry}


def archive(server: Server, store: Path) -> None:
    """What barman leaves: a base backup without WAL, and the segments since, in which a row is that the backup lacks."""
    data = server.folder / "data"
    with server.superuser() as connection:
        connection.execute("SELECT pg_backup_start('drill', fast => true)")
        shutil.copytree(data, store / BACKUP, ignore=shutil.ignore_patterns("pg_wal", "postmaster.*"))
        (label,) = connection.execute("SELECT labelfile FROM pg_backup_stop()").fetchall()
        (store / BACKUP / "backup_label").write_text(label[0])
        with server.superuser("acme_production") as other:
            other.execute("INSERT INTO res_users (login, password) VALUES ('after the base backup', 'hash')")
        connection.execute("SELECT pg_switch_wal()")
    (store / "wal").mkdir()
    (current,) = server.superuser().execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchall()
    for segment in sorted((data / "pg_wal").iterdir()):
        if segment.is_file() and len(segment.name) == 24 and segment.name <= current[0]:
            shutil.copy(segment, store / "wal")
    listed = [{"backup_id": "20261119T013000", "status": "DONE"}, {"backup_id": BACKUP, "status": "DONE"},
              {"backup_id": "20261121T013000", "status": "FAILED"}]  # fmt: skip
    (store / "backups.json").write_text(json.dumps({"backups_list": listed}))


@pytest.fixture(scope="module")
def practice(processes: Processes, folder: Path) -> Practice:
    server = Server(processes, folder / "server", CELL, CLUSTER).start()
    variables = rendered()
    for entry in variables["DRILL_DATABASES"].split():
        database = entry.partition("=")[0]
        (role,) = [role for role in server.roles() if role.name == database]
        with server.connect(role.name, role.password, role.name) as connection:
            connection.execute(ODOO)
    store, pod = folder / "store", folder / "pod"
    for made in (store, pod, pod / "run", pod / "restored", store / "bin"):
        made.mkdir()
        made.chmod(0o777)
    with server.superuser() as connection:
        connection.execute("ALTER ROLE smith_advisory_production NOLOGIN")  # as a leaving tenant's
    archive(server, store)
    for name in ("restore.sh", "check.sh"):
        shutil.copy(FILES / name, pod)
    programs = {
        "barman-cloud-backup-list": LIST,
        "barman-cloud-restore": RESTORE,
        "barman-cloud-wal-restore": WAL_RESTORE,
        "rclone": RCLONE,
    }
    for program, content in programs.items():
        (store / "bin" / program).write_text(content)
        (store / "bin" / program).chmod(0o755)
    for entry in variables["DRILL_DATABASES"].split():
        place = store / entry.partition("=")[2]
        place.mkdir(parents=True)
        (place / "a").write_bytes(b"12345")
        (place / "b").write_bytes(b"123")
    subprocess.run(["chmod", "-R", "a+rX", store], check=True)
    path = f"{store}/bin:{POSTGRES.path().parent}:{PSQL.path().parent}:{os.environ['PATH']}"
    environment = {
        **libraries(), **variables, "PATH": path, "STORE": str(store), "PLACE": "euw1-a-backup/cells/euw1-shared-a", "SERVER": CELL,
        "RUN_FOLDER": str(pod / "run"), "RESTORED_FOLDER": str(pod / "restored"), "HOME": str(pod), "DRILL_RECORD": str(pod / "record"),
        "LC_ALL": "C",
    }  # fmt: skip
    return Practice(server, store, pod, environment)


@pytest.fixture(scope="module")
def restored(practice: Practice, processes: Processes) -> Iterator[subprocess.CompletedProcess[str]]:
    """The first step, and the server of the second."""
    done = practice.run("restore.sh")
    if done.returncode == 0:
        processes.start(
            "drill", [POSTGRES.path(), "-c", f"config_file={practice.pod}/restored/drill.conf"],
            ready=lambda: practice.run("../store/bin/ready").returncode == 0, environment=libraries(), unprivileged=True,
        )  # fmt: skip
    yield done


@pytest.fixture(scope="module", autouse=True)
def ready(practice: Practice) -> None:
    probe = practice.store / "bin/ready"
    probe.write_text('exec pg_isready --quiet --host="$RUN_FOLDER"')


def test_a_server_comes_back_with_what_was_written_after_its_base_backup(
    practice: Practice, restored: subprocess.CompletedProcess[str], tally: Tally
) -> None:
    tally.check(restored.returncode == 0, restored.stdout[-2000:] + restored.stderr[-2000:])
    done = practice.run("check.sh")
    tally.check(done.returncode == 0, done.stderr)
    record = practice.record()
    tally.check(record["drill"] == "passed" and record["backup"] == BACKUP, f"{record}")
    tally.check(record["archive"] == f"euw1-a-backup/cells/euw1-shared-a/{CELL}", record["archive"])
    tally.check(record["last_change"].startswith("20") and record["promised_seconds"] == 28800, f"{record}")
    by_name = {found["database"]: found for found in record["databases"]}
    tally.check(sorted(by_name) == practice.databases, f"databases: {sorted(by_name)}", len(by_name))
    tally.check(by_name["acme_production"]["users"] == 2, "the row that only WAL holds is missing")
    tally.check(by_name["smith_advisory_production"]["users"] == 1, f"{by_name['smith_advisory_production']}")
    tally.check(all(found["sampled"] == 2 for found in by_name.values()), "attachments were read")


@pytest.mark.parametrize(("harm", "undo", "why"), [
    ("UPDATE tenantry_release SET state = 'migrating'", "UPDATE tenantry_release SET state = 'done'", "in the middle of something"),
    ("UPDATE ir_module_module SET state = 'to upgrade' WHERE name = 'hr'", "UPDATE ir_module_module SET state = 'uninstalled' WHERE name = 'hr'", "1 modules that are neither"),
    ("UPDATE res_users SET password = NULL", "UPDATE res_users SET password = 'hash'", "nobody could log in"),
    ("ALTER TABLE res_users RENAME TO gone", "ALTER TABLE gone RENAME TO res_users", "holds no Odoo"),
    ("UPDATE ir_attachment SET file_size = 4 WHERE store_fname LIKE '%b'", "UPDATE ir_attachment SET file_size = 3 WHERE store_fname LIKE '%b'", "has 3 bytes instead of 4"),
    ("UPDATE ir_attachment SET store_fname = 'attachments://c' WHERE store_fname LIKE '%b'", "UPDATE ir_attachment SET store_fname = 'attachments://b' WHERE store_fname LIKE '%c'", "can't be read"),
])  # fmt: skip
def test_each_fault_of_a_restored_database_is_found(
    practice: Practice, restored: subprocess.CompletedProcess[str], tally: Tally, harm: str, undo: str, why: str
) -> None:
    tally.check(restored.returncode == 0, restored.stderr)
    with_psql = {**practice.environment, "PGHOST": str(practice.pod / "run")}
    ask = ["psql", "-qU", "acme_production", "-d", "acme_production", "-c"]
    subprocess.run([*ask, harm], env=with_psql, check=True)
    done = practice.run("check.sh")
    subprocess.run([*ask, undo], env=with_psql, check=True)
    tally.attack(
        done.returncode == 1 and "restore drill failed" in done.stderr and why in done.stderr, f"{harm}: {done.stderr}"
    )
    tally.control(practice.run("check.sh").returncode == 0, "a whole one passes")


def test_a_database_that_did_not_come_back_is_missed(
    practice: Practice, restored: subprocess.CompletedProcess[str], tally: Tally
) -> None:
    done = practice.run("check.sh", DRILL_DATABASES="gone_production=somewhere")
    tally.attack(done.returncode == 1 and "the role gone_production did not come back" in done.stderr, done.stderr)
    tally.control(restored.returncode == 0, "the others came back")


@pytest.mark.parametrize(("mark", "why"), [
    ("broken", "PostgreSQL did not recover"),
    ("writable", "the key of drills may write to the archive"),
])  # fmt: skip
def test_a_restore_that_proves_nothing_fails(practice: Practice, tally: Tally, mark: str, why: str) -> None:
    other = practice.pod / mark
    for made in (other, other / "run", other / "restored"):
        made.mkdir()
        made.chmod(0o777)
    (practice.store / mark).touch()
    places = {"RUN_FOLDER": str(other / "run"), "RESTORED_FOLDER": str(other / "restored")}
    done = practice.run("restore.sh", **places)
    (practice.store / mark).unlink()
    tally.attack(done.returncode == 1 and f"restore drill failed: {why}" in done.stderr, done.stderr)
    shutil.rmtree(other / "restored")
    (other / "restored").mkdir()
    (other / "restored").chmod(0o777)
    again = practice.run("restore.sh", **places)
    tally.control(again.returncode == 0, f"the same without the fault: {again.stderr}")
