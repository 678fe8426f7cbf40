"""Checks of a web Pod that serves people: sessions, files, pages, readiness."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import time
from pathlib import Path

import redis
from websockets.exceptions import InvalidStatus

from images.container import Pod, first_process
from images.installing import WEB, Installing
from images.person import Person
from images.services import SESSIONS
from images.table import Table
from images.tenant import NAMESPACE, Tenant, one
from waiting import wait_for

CONTENT = b"a file of one tenant, of which there is no other copy"


class Serving:
    """One web Pod, and people at it."""

    def __init__(self, tenant: Tenant, table: Table, jobs: Installing) -> None:
        self.tenant, self.table, self.jobs = tenant, table, jobs
        self.pod = tenant.prepared(one(*WEB))
        self.log = jobs.log("web")
        self.odoo = tenant.start(self.pod, "odoo", "odoo", self.log)
        self.person = self.new_person()

    def new_person(self) -> Person:
        return Person.at_pod(self.pod.address, self.tenant.database)

    def inside(self, command: list[str], given: str = "", pod: Pod | None = None) -> tuple[int, str]:
        """A further process of the Pod's container: a probe, or a shell."""
        pod, log = pod or self.pod, self.jobs.log(Path(command[1]).stem)
        box = pod.box("odoo", self.tenant.roots["odoo"], f"odoo-{self.jobs.number}")
        source = self.tenant.work / "given"
        source.write_text(given)
        environment = {**pod.environment("odoo"), "AWS_CA_BUNDLE": "/etc/private-ca.crt"}
        with log.open("wb") as output, source.open("rb") as file:
            code = box.start(command, environment, output, file).wait()
        return code, log.read_text()

    def probe(self) -> tuple[int, str]:
        return self.inside(self.pod.container("odoo")["readinessProbe"]["exec"]["command"])

    def shell(self, code: str) -> str:
        done, said = self.inside(["odoo", "shell", "--no-http"], code)
        assert done == 0, said[-400:]
        return said

    def sessions(self) -> redis.Redis:
        secret = self.tenant.secrets["redis-user"]["url"]
        password = secret.split(":")[2].split("@")[0]
        return redis.Redis(SESSIONS, 6379, username=NAMESPACE, password=password, ssl=True, ssl_check_hostname=False,
                           ssl_ca_certs=str(self.tenant.work / "ca.crt"))  # fmt: skip

    def key(self, person: Person, prefix: str = NAMESPACE) -> str:
        return f"session::{prefix}:{person.session[:42]}"

    # Checks

    def run(self) -> None:
        check = self.table.check
        check("the Pod becomes ready", self.ready)
        check("admin/admin fails, and the first password works", self.passwords)
        check("the session cookie has Secure, HttpOnly and SameSite", self.cookie)
        check("the session lies in Valkey under the tenant's prefix", self.session)
        check("another tenant's prefix is denied", self.denied)
        check("a revoked device is logged out", self.revoked)
        check("an uploaded file lies in the tenant's prefix, and comes back", self.uploaded)
        check("a websocket opens on the bus's port, and on no other", self.websocket)
        check("a report is printed", self.printed)
        check("metrics tell of requests", self.metrics)
        check("the Pod is not ready without the session store", self.without_sessions)
        check("the Pod does not start when a module for all databases can't be loaded", self.broken_module)
        check("an object that is gone is noticed", self.lost_object)
        check("Odoo ends on SIGTERM", self.ended)

    def ready(self) -> str:
        begin = time.monotonic()
        wait_for("not ready", lambda: self.probe()[0] == 0, 120, 1)
        return f"after {time.monotonic() - begin:.0f} s"

    def passwords(self) -> str:
        password = self.tenant.secrets["odoo-secret"]["admin-password"]
        assert not self.new_person().log_in("admin", "admin"), "admin/admin logs in"
        assert self.person.log_in("admin", password), "the first password does not"
        assert self.person.is_logged_in()
        return "refused; logged in"

    def cookie(self) -> str:
        flags = [part.strip() for part in self.person.cookie.split(";")[1:]]
        assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(flags), flags
        return ", ".join(flags)

    def session(self) -> str:
        store = self.sessions()
        assert store.exists(self.key(self.person)) == 1
        days = store.ttl(self.key(self.person)) / 86400
        files = list((self.pod.work / "volumes/data").glob("sessions/**/*"))
        assert not [path for path in files if path.is_file()], "sessions lie in the Pod too"
        return f"found, expires in {days:.0f} days; none in the Pod"

    def denied(self) -> str:
        try:
            self.sessions().exists(self.key(self.person, "iberia-travel-production"))
        except redis.exceptions.NoPermissionError as error:
            return str(error)
        raise AssertionError("another tenant's keys can be read")

    def revoked(self) -> str:
        other = self.new_person()
        assert other.log_in("admin", self.tenant.secrets["odoo-secret"]["admin-password"]) and other.is_logged_in()
        other.get("/odoo")
        said = self.shell(
            f"log = env['res.device.log'].search([('session_identifier', '=', '{other.session[:42]}')])\n"
            "print('DEVICES', len(log))\n"
            f"env['res.device'].search([('session_identifier', '=', '{other.session[:42]}')])._revoke()\nenv.cr.commit()\n"
        )
        assert "DEVICES 0" not in said, "Odoo knows no device of that session"
        assert not other.is_logged_in(), "the session goes on"
        assert self.person.is_logged_in(), "the other device was logged out, too"
        return "that session ended, the person's other one goes on"

    def uploaded(self) -> str:
        values = {"name": "letter.txt", "datas": base64.b64encode(CONTENT).decode(), "mimetype": "text/plain"}
        (identifier,) = self.person.model("ir.attachment", "create", [values])
        name = self.jobs.sql(f"SELECT store_fname FROM ir_attachment WHERE id = {identifier}").removeprefix(
            "attachments://"
        )
        path = self.tenant.work / "objects" / self.tenant.prefix / name
        assert path.read_bytes() == CONTENT, path
        assert self.person.get(f"/web/content/{identifier}").content == CONTENT
        return f"{self.tenant.prefix}/{name}"

    def websocket(self) -> str:
        with self.person.websocket(8072) as bus:
            opened = bus.response
        try:
            with self.person.websocket(8069):
                raise AssertionError("the port of the pages opens it, too")
        except InvalidStatus as error:
            refused = error.response
        return f"{opened.status_code}; port of the pages: {refused.status_code}"

    def printed(self) -> str:
        module = self.jobs.sql("SELECT id FROM ir_module_module WHERE name = 'web'")
        answer = self.person.get(f"/report/pdf/base.report_irmodulereference/{module}")
        assert answer.content.startswith(b"%PDF"), f"{answer.status_code}: {answer.text[:200]}"
        return f"{len(answer.content) >> 10} KiB of PDF"

    def metrics(self) -> str:
        lines = [
            line
            for line in self.person.get("/metrics").text.splitlines()
            if line.startswith("odoo_http_request_seconds_count")
        ]
        count = sum(float(line.split()[-1]) for line in lines)
        assert count > 10, lines
        return f"{count:.0f} requests in {len(lines)} series"

    def without_sessions(self) -> str:
        assert self.probe()[0] == 0
        self.tenant.services.stop("valkey")
        code, said = self.probe()
        self.tenant.serve_sessions()
        assert code, "ready"
        assert self.probe()[0] == 0, "not ready when it is back"
        return said.splitlines()[-1]

    def broken_module(self) -> str:
        pod = self.tenant.prepared(one(*WEB))
        path = pod.work / "volumes/run/odoo.conf"
        path.write_text(path.read_text().replace("session_valkey", "session_valkey,no_such_module"))
        log = self.jobs.log("broken")
        code = self.tenant.start(pod, "odoo", "odoo", log).wait(60)
        assert code, "it started"
        return log.read_text().splitlines()[-1]

    def lost_object(self) -> str:
        store = self.tenant.work / "objects" / self.tenant.prefix
        hidden = store.with_name("moved")
        store.rename(hidden)
        process, log, _ = self.jobs.migration()
        code = process.wait(300)
        hidden.rename(store) if not store.exists() else subprocess.run(
            ["cp", "-a", f"{hidden}/.", str(store)], check=True
        )
        assert code == 1, f"code {code}"
        process, _, _ = self.jobs.migration()
        assert process.wait(300) == 0, "not back"
        return log.read_text().splitlines()[-1]

    def ended(self) -> str:
        begin = time.monotonic()
        os.kill(first_process(self.odoo), signal.SIGTERM)
        code = self.odoo.wait(120)
        return f"code {code} after {time.monotonic() - begin:.0f} s"
