"""Checks of the rendered migration, gate and backup on real servers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

from images.container import Mount, Pod
from images.table import Table
from images.tenant import Tenant, one
from waiting import wait_for

MIGRATION, BACKUP, WEB = ("Job", "odoo-migration"), ("Job", "odoo-backup"), ("Deployment", "odoo-web")
MINUTES_10 = 600
OTHER = "odoo-19.0-20270101-000000000000"


class Installing:
    """Runs Jobs one after another, and keeps their logs."""

    def __init__(self, tenant: Tenant, table: Table) -> None:
        self.tenant, self.table, self.number = tenant, table, 0

    def log(self, name: str) -> Path:
        self.number += 1
        return self.tenant.work / "logs" / f"{self.number:02}-{name}.log"

    def migration(self, **more: str) -> tuple[Popen[bytes], Path, Pod]:
        pod, log = self.tenant.prepared(one(*MIGRATION)), self.log("migration")
        return self.tenant.start(pod, "migration", "odoo", log, **more), log, pod

    @contextmanager
    def gate(self, **more: str) -> Iterator[tuple[Popen[bytes], Path]]:
        pod, log = self.tenant.prepared(one(*WEB)), self.log("gate")
        process = self.tenant.start(pod, "gate", "odoo", log, **more)
        yield process, log
        pod.kill()

    def sql(self, statement: str) -> str:
        return self.tenant.services.psql(statement, self.tenant.database)

    # Checks

    def run(self) -> None:
        check = self.table.check
        with self.gate() as waiting:
            check(
                "the gate holds a Pod on a new database", lambda: self.held(*waiting, "no release has been installed")
            )
            check("the first install is killed in the middle", self.killed)
            check(
                "a half-installed database keeps the gate closed",
                lambda: self.held(*waiting, "the database is migrating"),
            )
            check("a retry in a new Pod completes the install", self.installed)
            check("the gate opens on the database that is done", lambda: self.opened(*waiting))
        check("no attachment lies in a Pod", self.nothing_local)
        check("a second run has nothing to do", self.again)
        check("a release with an unknown module fails", self.unknown_module)
        with self.gate() as old, self.gate(GATE_RELEASE=OTHER) as new:
            check(
                "after it no code starts, old or new",
                lambda: self.held(*old, "is migrating") + "; " + self.held(*new, "is migrating"),
            )
            check("a retry of the release before opens the database again", self.repaired)
            check(
                "code of a release that was not migrated waits",
                lambda: self.opened(*old) + "; " + self.held(*new, "is done for"),
            )

    def held(self, process: Popen[bytes], log: Path, why: str) -> str:
        wait_for(f"the gate does not say '{why}'", lambda: why in log.read_text())
        assert process.poll() is None, "the gate let the Pod through"
        return log.read_text().splitlines()[-1]

    def opened(self, process: Popen[bytes], log: Path) -> str:
        assert process.wait(30) == 0, log.read_text()
        return log.read_text().splitlines()[-1]

    def killed(self) -> str:
        _, log, pod = self.migration()
        wait_for(
            "the install does not reach its middle",
            lambda: log.exists() and "Loading module web " in log.read_text(),
            MINUTES_10,
        )
        pod.kill()
        state = self.sql("SELECT state FROM tenantry_release")
        assert state == "migrating", state
        there = self.sql("SELECT count(*) FROM ir_module_module WHERE state = 'installed'")
        return f"killed with {there} modules installed; the mark says {state}"

    def installed(self) -> str:
        begin = time.monotonic()
        process, log, self.first = self.migration()
        code = process.wait(MINUTES_10)
        assert code == 0, f"code {code}: {log.read_text().splitlines()[-1]}"
        wanted = self.first.environment("migration")["MIGRATION_MODULES"].split(",")
        states = dict(line.split("|") for line in self.sql("SELECT name, state FROM ir_module_module").splitlines())
        left = {name: states.get(name) for name in wanted if states.get(name) != "installed"}
        assert not left, left
        total = sum(state == "installed" for state in states.values())
        return f"code 0 after {time.monotonic() - begin:.0f} s, {total} modules installed"

    def nothing_local(self) -> str:
        rows = "SELECT count(*) FROM ir_attachment WHERE store_fname"
        local, stored = self.sql(f"{rows} NOT LIKE 'attachments://%'"), self.sql(f"{rows} LIKE 'attachments://%'")
        files = [path for path in (self.first.work / "volumes/data").rglob("*") if path.is_file()]
        assert local == "0" and not files, f"{local} rows, files {files[:3]}"
        objects = [path for path in (self.tenant.work / "objects" / self.tenant.prefix).rglob("*") if path.is_file()]
        assert len(objects) >= int(stored) > 0, f"{stored} rows, {len(objects)} objects"
        return f"0 local rows, 0 files in the Pod; {stored} rows lie in the store as {len(objects)} objects"

    def again(self) -> str:
        begin = time.monotonic()
        process, log, _ = self.migration()
        code, said = process.wait(MINUTES_10), log.read_text()
        assert code == 0 and "carries this release already" in said and "Loading module" not in said, f"code {code}"
        return f"code 0 after {time.monotonic() - begin:.0f} s"

    def unknown_module(self) -> str:
        modules = self.first.environment("migration")["MIGRATION_MODULES"]
        process, log, _ = self.migration(MIGRATION_MODULES=f"{modules},no_such_module", MIGRATION_RELEASE=OTHER)
        code, state = process.wait(MINUTES_10), self.sql("SELECT state FROM tenantry_release")
        assert code == 1 and state == "migrating", f"code {code}, {state}"
        return f"code 1, '{log.read_text().splitlines()[-1]}', the mark says {state}"

    def repaired(self) -> str:
        begin = time.monotonic()
        process, log, _ = self.migration()
        code = process.wait(MINUTES_10)
        assert code == 0, log.read_text().splitlines()[-1]
        return f"code 0 after {time.monotonic() - begin:.0f} s"

    # Backup

    def back_up(self) -> None:
        self.table.check("the backup writes a dump that pg_restore reads", self.dumped)
        self.table.check("a dump that was cut off is refused", self.cut_off)

    def dumps(self) -> list[Path]:
        target = self.tenant.backup("BACKUP_TARGET").rpartition("/")[0]
        return sorted((self.tenant.work / "objects" / target).glob("*.dump"))

    def backup(self, *more: Mount) -> tuple[int, Path]:
        pod, log = self.tenant.prepared(one(*BACKUP)), self.log("backup")
        pod.extra = (*pod.extra, *more)
        return self.tenant.start(pod, "backup", "backup", log).wait(MINUTES_10), log

    def dumped(self) -> str:
        code, log = self.backup()
        assert code == 0 and len(self.dumps()) == 1, f"code {code}: {log.read_text()[-300:]}"
        (dump,) = self.dumps()
        pod = self.tenant.prepared(one(*BACKUP))
        pod.extra = (*pod.extra, Mount(dump, "/dump", True))
        listed = self.log("contents")
        with listed.open("wb") as output:
            box = pod.box("backup", self.tenant.roots["backup"], "contents")
            assert box.start(["pg_restore", "--list", "/dump"], pod.environment("backup"), output).wait() == 0
        tables = listed.read_text().count(" TABLE DATA ")
        assert "tenantry_release" in listed.read_text()
        return f"{dump.stat().st_size >> 10} KiB, {tables} tables with data, the mark among them"

    def cut_off(self) -> str:
        cutter = self.tenant.work / "rclone-cut"
        cutter.write_text(
            '#!/bin/bash\nif [ "$1" = rcat ]; then (head -c 300000; cat > /dev/null) | /usr/bin/rclone "$@"; else /usr/bin/rclone "$@"; fi\n'
        )
        cutter.chmod(0o755)
        before = self.dumps()
        code, log = self.backup(Mount(cutter, "/usr/local/bin/rclone", True))
        assert code and self.dumps() == before, f"code {code}, {len(self.dumps())} dumps"
        return f"code {code}: {log.read_text().splitlines()[-1][:120]}"
