"""What a tenant's Pods talk to, out of the golden images: PostgreSQL, Valkey and an S3 server, each behind its rendered name."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from acceptance.harness.certificates import Authority, KeyPair
from images.container import Box, Mount, end, first_process
from waiting import wait_for

DATABASE, SESSIONS, OBJECTS = "10.99.0.1", "10.99.0.2", "10.99.0.3"
LOCAL = "local all all peer\n"
"""Beside the rendered rules: the superuser, over the socket."""


def answers(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), 1):
            return True
    except OSError:
        return False


@dataclass
class Services:
    """All servers of one run, below one folder; they end with the run's namespaces."""

    work: Path
    authority: Authority
    hosts: dict[str, str]
    """Name -> address."""
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def files(self, address: str) -> tuple[Mount, ...]:
        """The cluster's names, for the containers of the Pod at an address, which is what its Services lead to."""
        path = self.work / f"hosts-{address}"
        names = {"localhost": "127.0.0.1", "odoo-web": address, **self.hosts}
        lines = [f"{address} {name}" for name, address in names.items()]
        path.write_text("\n".join(lines) + "\n")
        bundle = self.work / "ca.crt"
        bundle.write_bytes(self.authority.certificate.read_bytes())
        return (Mount(path, "/etc/hosts", True), Mount(bundle, "/etc/private-ca.crt", True))

    def folder(self, name: str, user: int) -> Path:
        path = self.work / name
        path.mkdir(exist_ok=True)
        shutil.chown(path, user, user)
        return path

    def start(self, name: str, box: Box, command: list[str], ready: Callable[[], bool]) -> None:
        with (self.work / f"{name}.log").open("ab") as log:
            self.running[name] = box.start(command, {"PATH": "/usr/lib/postgresql/17/bin:/usr/bin:/bin:/usr/sbin"}, log)
        wait_for(f"{name} is not up", ready)

    def stop(self, name: str) -> None:
        end(self.running.pop(name))

    # Servers

    def postgresql(self, root: Path, rules: list[str], hosts: tuple[str, ...]) -> None:
        """With the rendered rules of who may connect."""
        data = self.folder("postgresql-data", 26)
        pair = self._certificate("postgresql", hosts, 26)
        conf = self.folder("postgresql-conf", 26)
        (conf / "pg_hba.conf").write_text(LOCAL + "\n".join(rules) + "\n")
        box = Box(root, self.work / "postgresql", 26, 26,
                  [Mount(data, "/data"), Mount(conf, "/conf"), Mount(pair.certificate.parent, "/tls"), Mount(self.folder("postgresql-run", 26), "/tmp")])  # fmt: skip
        with (self.work / "initdb.log").open("wb") as log:
            made = box.start(
                ["initdb", "--pgdata=/data", "--encoding=UTF8", "--locale=C.UTF-8", "--lc-collate=C", "--no-sync"],
                _PATH,
                log,
            )
            if made.wait():
                raise RuntimeError((self.work / "initdb.log").read_text())
        settings = {
            "listen_addresses": DATABASE, "unix_socket_directories": "/tmp", "hba_file": "/conf/pg_hba.conf", "ssl": "on",
            "ssl_cert_file": "/tls/postgresql.crt", "ssl_key_file": "/tls/postgresql.key", "fsync": "off",
            "max_connections": "200", "shared_buffers": "256MB",
        }  # fmt: skip
        command = [
            "postgres",
            "-D",
            "/data",
            *(part for key, value in settings.items() for part in ("-c", f"{key}={value}")),
        ]
        self.start("postgresql", box, command, lambda: answers(DATABASE, 5432))

    def psql(self, statement: str, database: str = "postgres", *, rows: bool = True) -> str:
        """As the superuser, over the socket; the answer without decoration. Raises CalledProcessError."""
        process = self.running["postgresql"]
        inside = first_process(process)
        command = ["nsenter", f"--target={inside}", "--mount", "--pid", f"--root=/proc/{inside}/root", "--wd=/", "--setuid=26", "--setgid=26",
                   "/usr/lib/postgresql/17/bin/psql", "--host=/tmp", "--dbname", database, "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        return done.stdout.strip() if rows else ""

    def valkey(self, root: Path, config: dict[str, str], acl: dict[str, str], hosts: tuple[str, ...]) -> None:
        """With the rendered configuration and the rendered list of users."""
        pair = self._certificate("tls", hosts, 65532)
        shutil.copy(self.authority.certificate, pair.certificate.parent / "ca.crt")
        conf, users = self.folder("valkey-conf", 65532), self.folder("valkey-acl", 65532)
        for folder, content in ((conf, config), (users, acl)):
            for name, text in content.items():
                (folder / name).write_text(text)
        box = Box(root, self.work / "valkey", 65532, 65532,
                  [Mount(self.folder("valkey-data", 65532), "/data"), Mount(conf, "/etc/valkey"), Mount(users, "/etc/valkey-acl"),
                   Mount(pair.certificate.parent, "/etc/valkey-tls", True)])  # fmt: skip
        command = ["valkey-server", "/etc/valkey/valkey.conf", "--bind", SESSIONS]
        self.start("valkey", box, command, lambda: answers(SESSIONS, 6379))

    def objects(
        self, root: Path, program: Path, host: str, buckets: tuple[str, ...], keys: tuple[tuple[str, str], ...]
    ) -> None:
        """rclone as an S3 server; a bucket is a folder below `objects`."""
        files = self.folder("objects", 65532)
        for bucket in buckets:
            (files / bucket).mkdir()
            shutil.chown(files / bucket, 65532, 65532)
        pair = self._certificate("objects", (host,), 65532)
        box = Box(root, self.work / "rclone", 65532, 65532,
                  [Mount(files, "/objects"), Mount(pair.certificate.parent, "/tls", True), Mount(self.folder("rclone-tmp", 65532), "/tmp"), Mount(program, "/s3-server", True)])  # fmt: skip
        auth = [part for key in keys for part in ("--auth-key", ",".join(key))]
        command = ["/s3-server", "serve", "s3", "--addr", f"{OBJECTS}:443", "--cert", "/tls/objects.crt", "--key", "/tls/objects.key",
                   "--config", "/tmp/rclone.conf", "--cache-dir", "/tmp/cache", *auth, "/objects"]  # fmt: skip
        self.start("rclone", box, command, lambda: answers(OBJECTS, 443))

    def _certificate(self, name: str, hosts: tuple[str, ...], user: int) -> KeyPair:
        made = self.authority.issue(name, hosts)
        folder = self.folder(f"tls-{name}", user)
        pair = KeyPair(folder / f"{name}.crt", folder / f"{name}.key")
        for source, target in ((made.certificate, pair.certificate), (made.key, pair.key)):
            shutil.copy(source, target)
            target.chmod(0o600)
            shutil.chown(target, user, user)
        return pair


_PATH = {"PATH": "/usr/lib/postgresql/17/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
