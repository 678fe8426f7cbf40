"""A PostgreSQL server as CloudNativePG would set it up from the rendered objects of one namespace, and its poolers."""

from __future__ import annotations

import ast
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from acceptance.harness import fleet, secrets
from acceptance.harness.certificates import Authority
from acceptance.harness.namespaces import name_host
from acceptance.harness.packages import INITDB, PGBOUNCER, POSTGRES, libraries
from acceptance.harness.process import NOBODY, Processes, listens

PORT = 5432
_ADDRESSES = (f"10.16.0.{number}" for number in range(5, 250))
BEFORE = """\
local all cnpg_metrics_exporter peer map=cnpg_metrics_exporter
local all all peer map=local
hostssl postgres streaming_replica all cert map=cnpg_streaming_replica
hostssl replication streaming_replica all cert map=cnpg_streaming_replica
hostssl all cnpg_pooler_pgbouncer all cert map=cnpg_pooler_pgbouncer
"""
AFTER = "host all all all scram-sha-256\n"
"""What the operator writes around a Cluster's own lines: `pkg/postgres/configuration.go` of CloudNativePG 1.30."""
SMALLER = {"shared_buffers": "64MB", "effective_cache_size": "64MB", "max_wal_size": "1GB"}
"""This machine's memory; nothing else of the rendered parameters is changed."""


@dataclass(frozen=True)
class Role:
    """One rendered login role."""

    name: str
    password: str
    limit: int


class Server:
    """The server of one rendered Cluster."""

    def __init__(
        self, processes: Processes, folder: Path, namespace: str, cluster: str, hba: Iterable[str] | None = None
    ) -> None:
        self.processes, self.folder, self.namespace, self.cluster = processes, folder, namespace, cluster
        self.spec: dict[str, Any] = fleet.one("Cluster", namespace, "postgresql", cluster=cluster).manifest["spec"]
        self.hba = list(self.spec["postgresql"]["pg_hba"] if hba is None else hba)
        self.address = next(_ADDRESSES)
        self.host = f"postgresql-rw.{namespace}.svc"
        folder.mkdir()
        folder.chmod(0o777)
        self.authority = Authority(folder / "tls")
        # Where no Certificate of ours names the server, the operator signs one for its Services.
        ours = [i for i in self._objects("Certificate") if i.name == "postgresql-server-tls"]
        pair = self.authority.issue("postgresql", tuple(ours[0].manifest["spec"]["dnsNames"]) if ours else (self.host,))
        for path in (pair.certificate, pair.key):
            os.chown(path, *(2 * [NOBODY])) if os.geteuid() == 0 else None
            path.chmod(0o600)
        self._pair = pair

    def start(self) -> Server:
        data = self.folder / "data"
        initdb = self.spec["bootstrap"]["initdb"]
        command = [
            str(INITDB.path()), "--pgdata", str(data), "--username", "postgres", "--encoding", initdb["encoding"], "--no-sync",
            f"--lc-collate={initdb['localeCollate']}", f"--lc-ctype={initdb['localeCType']}",
        ]  # fmt: skip
        user = NOBODY if os.geteuid() == 0 else None
        environment = {**os.environ, **libraries()}
        done = subprocess.run(
            command, user=user, group=user, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        with (data / "postgresql.conf").open("a") as file:
            file.writelines(f"{key} = '{value}'\n" for key, value in self._parameters().items())
        (data / "pg_hba.conf").write_text(BEFORE + "".join(f"{line}\n" for line in self.hba) + AFTER)
        users = {"nobody", pwd.getpwuid(os.geteuid()).pw_name}
        (data / "pg_ident.conf").write_text("".join(f"local {user} postgres\n" for user in sorted(users)))
        name_host(self.host, self.address)
        self.processes.start(
            self.folder.name,
            [POSTGRES.path(), "-D", data],
            ready=self._answers,
            environment=libraries(),
            unprivileged=True,
        )
        self._bootstrap(initdb)
        return self

    def _parameters(self) -> dict[str, str]:
        known = {**self.spec["postgresql"]["parameters"], **SMALLER}
        return {
            **known, "listen_addresses": self.address, "port": str(PORT), "unix_socket_directories": str(self.folder), "fsync": "off",
            "ssl": "on", "ssl_cert_file": str(self._pair.certificate), "ssl_key_file": str(self._pair.key),
            "ssl_ca_file": str(self.authority.certificate),
        }  # fmt: skip

    def _answers(self) -> bool:
        if not listens(PORT, self.address)():
            return False
        try:
            self.superuser().close()
        except psycopg.OperationalError:
            return False
        return True

    def superuser(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """The operator's own way in: the socket."""
        return psycopg.connect(host=str(self.folder), port=PORT, user="postgres", dbname=database, autocommit=True)

    def _bootstrap(self, initdb: dict[str, Any]) -> None:
        """What `initdb` of the Cluster, managed roles, DatabaseRoles and Databases ask the operator to do."""
        with self.superuser() as connection:
            for name in {initdb["owner"]} - {role.name for role in self.roles()}:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
            for statement in initdb.get("postInitSQL", ()):
                connection.execute(statement)
            for role in self.spec.get("managed", {}).get("roles", ()):
                login = sql.SQL("LOGIN" if role.get("login") else "NOLOGIN")
                connection.execute(sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(role["name"]), login))
            for role in self.roles():
                connection.execute(self._create(role))
            databases = [item.manifest["spec"] for item in self._objects("Database")]
            if initdb["database"] not in [spec["name"] for spec in databases]:
                owned = sql.SQL("CREATE DATABASE {} OWNER {}")
                connection.execute(owned.format(sql.Identifier(initdb["database"]), sql.Identifier(initdb["owner"])))
            for spec in databases:
                self._create_database(connection, spec)
        with self.superuser(initdb["database"]) as connection:
            for statement in initdb.get("postInitApplicationSQL", ()):
                connection.execute(statement)

    def _objects(self, kind: str) -> list[fleet.Rendered]:
        return fleet.every(kind, cluster=self.cluster, namespace=self.namespace)

    def roles(self) -> list[Role]:
        """Login roles of the namespace, with the passwords that External Secrets would bring."""
        found = []
        for item in self._objects("DatabaseRole"):
            spec = item.manifest["spec"]
            secret = fleet.one("ExternalSecret", self.namespace, spec["passwordSecret"]["name"], cluster=self.cluster)
            found.append(Role(spec["name"], secrets.data_of(secret.manifest)["password"], spec["connectionLimit"]))
        return found

    def _create(self, role: Role) -> sql.Composed:
        (spec,) = [i.manifest["spec"] for i in self._objects("DatabaseRole") if i.manifest["spec"]["name"] == role.name]
        assert not any(spec[power] for power in ("superuser", "createdb", "createrole", "replication", "bypassrls"))
        groups = sql.SQL(", ").join(map(sql.Identifier, spec.get("inRoles", ())))
        belongs = sql.SQL(" IN ROLE {}").format(groups) if spec.get("inRoles") else sql.SQL("")
        return sql.SQL("CREATE ROLE {} LOGIN CONNECTION LIMIT {} PASSWORD {}{}").format(
            sql.Identifier(role.name), sql.Literal(role.limit), sql.Literal(role.password), belongs
        )

    def _create_database(self, connection: psycopg.Connection[Any], spec: dict[str, Any]) -> None:
        statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} ENCODING {} LC_COLLATE {} LC_CTYPE {}").format(
            sql.Identifier(spec["name"]), sql.Identifier(spec["owner"]), sql.Identifier(spec["template"]),
            *(sql.Literal(spec[key]) for key in ("encoding", "localeCollate", "localeCType")),
        )  # fmt: skip
        connection.execute(statement)
        with self.superuser(spec["name"]) as inside:
            for extension in (e for e in spec.get("extensions", ()) if e["ensure"] == "present"):
                inside.execute(sql.SQL("CREATE EXTENSION {}").format(sql.Identifier(extension["name"])))

    def connect(self, user: str, password: str, database: str, **options: Any) -> psycopg.Connection[Any]:
        """Straight to the server, over verified TLS unless told otherwise."""
        how = {"sslmode": "verify-full", "sslrootcert": str(self.authority.certificate), **options}
        return psycopg.connect(
            host=self.host,
            hostaddr=self.address,
            port=PORT,
            user=user,
            password=password,
            dbname=database,
            autocommit=True,
            connect_timeout=10,
            **how,
        )


class Pooler:
    """The PgBouncer beside one instance's Odoo, with its rendered file."""

    def __init__(self, server: Server, namespace: str, file: str, address: str) -> None:
        self.address = address
        self.settings = fleet.one("ConfigMap", namespace, "pgbouncer", cluster=server.cluster).manifest["data"][file]
        user = fleet.one("ExternalSecret", namespace, "database-user", cluster=server.cluster).manifest
        self.data = secrets.data_of(user)
        folder = server.folder / f"{namespace}-{Path(file).stem}"
        folder.mkdir()
        folder.chmod(0o755)
        (folder / "userlist.txt").write_text(self.data["userlist.txt"])
        shutil.copy(server.authority.certificate, folder / "ca.crt")
        here = {
            "/etc/pgbouncer-users": str(folder), "/etc/pgbouncer-ca": str(folder), "listen_addr = 127.0.0.1": f"listen_addr = {address}",
        }  # fmt: skip
        text = self.settings
        for mounted, place in here.items():
            assert mounted in text
            text = text.replace(mounted, place)
        (folder / file).write_text(text)
        server.processes.start(
            folder.name,
            [PGBOUNCER.path(), folder / file],
            ready=listens(PORT, address),
            environment=libraries(),
            unprivileged=True,
        )

    def number(self, key: str) -> int:
        (line,) = [line for line in self.settings.splitlines() if line.startswith(f"{key} = ")]
        return int(line.partition(" = ")[2])

    def connect(self, database: str, user: str = "", password: str = "", **options: Any) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=self.address, port=PORT, user=user or self.data["username"], password=password or self.data["password"],
            dbname=database, sslmode="disable", autocommit=True, connect_timeout=10, **options,
        )  # fmt: skip


def migration_grants(namespace: str, cluster: str, database: str, reporting: str = "") -> Any:
    """The function `grant` of the rendered migration script; Odoo itself is not here."""
    script = fleet.one("ConfigMap", namespace, "odoo-migration-scripts", cluster=cluster).manifest["data"]["migrate.py"]
    (function,) = [
        node for node in ast.parse(script).body if isinstance(node, ast.FunctionDef) and node.name == "grant"
    ]
    names = {"DATABASE": database, "REPORTING_ROLE": reporting}
    exec(compile(ast.Module([function], []), "migrate.py", "exec"), names)
    return names["grant"]
