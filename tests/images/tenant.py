"""One shared tenant of the example fleet, with its cell's servers and Pods, out of the rendered files."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from acceptance.harness import fleet, programs
from acceptance.harness import secrets as store
from acceptance.harness.certificates import Authority
from images import networks
from images.container import Manifest, Pod
from images.services import DATABASE, OBJECTS, SESSIONS, Services
from waiting import wait_for

CLUSTER, NAMESPACE, CELL = "euw1-a", "fjord-design-production", "euw1-shared-b-cell"
PRIVATE_CA = "/etc/private-ca.crt"


def one(kind: str, name: str, namespace: str = NAMESPACE) -> Manifest:
    return fleet.one(kind, namespace, name, cluster=CLUSTER).manifest


@dataclass
class Tenant:
    """Its servers, and what its Pods are made of."""

    work: Path
    roots: Mapping[str, Path]
    """Image -> file system."""
    services: Services = field(init=False)
    secrets: dict[str, dict[str, str]] = field(init=False)
    others: dict[str, str] = field(init=False)
    """The list of users that the session store starts with, and its other files."""
    pods: int = 0

    @property
    def database(self) -> str:
        return NAMESPACE.replace("-", "_")

    @property
    def prefix(self) -> str:
        """Where its attachments lie: bucket and path."""
        lines = one("ConfigMap", "odoo-config")["data"]["sections.conf"].splitlines()
        (found,) = [line.split(" = ")[1] for line in lines if line.startswith("directory_path")]
        return str(found)

    def serve(self) -> None:
        """Start the servers, and make what the operators make: role, database, users."""
        authority = Authority(self.work / "authority", "cluster")
        self.secrets = {
            item.name: store.data_of(item.manifest)
            for item in fleet.every("ExternalSecret", cluster=CLUSTER, namespace=NAMESPACE)
            if item.name != "registry"
        }
        self.secrets["internal-client"] = {"ca.crt": authority.certificate.read_text()}
        url, endpoint = urlsplit(self.secrets["redis-user"]["url"]), self._endpoint()
        names = {f"postgresql-rw.{CELL}.svc": DATABASE, str(url.hostname): SESSIONS, endpoint: OBJECTS}
        self.services = Services(self.work, authority, names)
        rules = one("Cluster", "postgresql", CELL)["spec"]["postgresql"]["pg_hba"]
        self.services.postgresql(self.roots["postgresql"], rules, (f"postgresql-rw.{CELL}.svc",))
        self._make_database()
        self.serve_sessions()
        buckets = (self.prefix.split("/")[0], self.backup("BACKUP_TARGET").split("/")[0])
        keys = tuple(
            (self.secrets[name]["access-key-id"], self.secrets[name]["secret-access-key"])
            for name in ("object-storage", "backup-storage")
        )
        self.services.objects(self.roots["backup"], programs.RCLONE.binary(), endpoint, buckets, keys)

    def serve_sessions(self) -> None:
        host = str(urlsplit(self.secrets["redis-user"]["url"]).hostname)
        namespace = host.split(".")[1]
        self.others = store.data_of(one("ExternalSecret", "redis-acl", namespace))
        config = one("ConfigMap", "redis", namespace)["data"]
        self.services.valkey(self.roots["valkey"], config, self.others, (host, "localhost"))

    def _endpoint(self) -> str:
        return str(urlsplit(self.backup("BACKUP_ENDPOINT")).hostname)

    def backup(self, name: str) -> str:
        """A variable of the backup's container."""
        (container,) = one("Job", "odoo-backup")["spec"]["template"]["spec"]["containers"]
        (found,) = [entry["value"] for entry in container["env"] if entry["name"] == name]
        return str(found)

    def _make_database(self) -> None:
        """As CloudNativePG does it for the rendered Database and DatabaseRole."""
        role = one("DatabaseRole", NAMESPACE, CELL)["spec"]
        base = one("Database", NAMESPACE, CELL)["spec"]
        password = self.secrets["database-user"]["password"]
        psql = self.services.psql
        psql("CREATE ROLE tenants NOLOGIN")
        psql(
            f"CREATE ROLE {role['name']} LOGIN PASSWORD '{password}' CONNECTION LIMIT {role['connectionLimit']} IN ROLE tenants"
        )
        psql(f"CREATE DATABASE {base['name']} OWNER {base['owner']} TEMPLATE template0 ENCODING 'UTF8'"
             f" LC_COLLATE '{base['localeCollate']}' LC_CTYPE '{base['localeCType']}'")  # fmt: skip
        for extension in base["extensions"]:
            if extension["ensure"] == "present":
                psql(f"CREATE EXTENSION {extension['name']}", base["name"])

    # Pods

    def pod(self, manifest: Manifest) -> Pod:
        """A new one, with volumes and a network of its own."""
        self.pods += 1
        address = f"10.99.1.{self.pods}"
        maps = {
            item.name: item.manifest["data"] for item in fleet.every("ConfigMap", cluster=CLUSTER, namespace=NAMESPACE)
        }
        network = networks.pod(self.pods, address)
        return Pod(
            manifest, maps, self.secrets, self.work / f"pod-{self.pods}", self.services.files(address), network, address
        )

    def start(self, pod: Pod, container: str, image: str, log: Path, **more: str) -> subprocess.Popen[bytes]:
        """One container of a Pod; `more` is added to its environment."""
        trust = {"AWS_CA_BUNDLE": PRIVATE_CA, "RCLONE_CA_CERT": PRIVATE_CA}
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            box = pod.box(container, self.roots[image])
            process = box.start(pod.command(container), {**pod.environment(container), **trust, **more}, output)
        pod.processes.append(process)
        return process

    def prepared(self, manifest: Manifest) -> Pod:
        """A Pod whose odoo.conf is written and whose PgBouncer answers."""
        pod = self.pod(manifest)
        names = [container["name"] for container in pod.spec["initContainers"]]
        if "configuration" in names and self.start(pod, "configuration", "odoo", pod.work / "configuration.log").wait():
            raise RuntimeError((pod.work / "configuration.log").read_text())
        self.start(pod, "pgbouncer", "pgbouncer", pod.work / "pgbouncer.log")
        command = ["nsenter", f"--net=/proc/{pod.network}/ns/net", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/5432"]
        wait_for("PgBouncer", lambda: subprocess.run(command, capture_output=True, check=False).returncode == 0)
        return pod
