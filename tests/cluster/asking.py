"""Questions to a running service."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from cluster.base import NeverError
from cluster.service import Service
from cluster.trees import CELL
from images.person import Person

Visit = Callable[..., Person]


def database_of(tenant: str) -> str:
    """The first one's name."""
    return tenant.replace("-", "_")


def password(service: Service, tenant: str) -> str:
    return service.cluster.secret(tenant, "odoo-secret")["admin-password"]


def answered(question: Callable[[], Any]) -> bool:
    """Whether the server says yes; no answer, or one that is no JSON, is none."""
    try:
        return bool(question())
    except (httpx.HTTPError, ValueError):
        return False


def seconds(call: Callable[[], Any]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began


def postgresql(service: Service) -> dict[str, Any]:
    """State of the cell's first server."""
    found = service.cluster.api.get(service.trees.one("Cluster", CELL, "postgresql")).body
    return dict(found.get("status", {}))


def primary(service: Service) -> str:
    return str(postgresql(service)["currentPrimary"])


def database_is_healthy(service: Service) -> bool:
    state = postgresql(service)
    assert state.get("phase") == "Cluster in healthy state", f"{state.get('phase')}: {state.get('phaseReason')}"
    return bool(state["readyInstances"] == 3)


def back_up(service: Service, name: str) -> None:
    """Take a base backup as the cell's schedule does; nothing to do when it was taken."""
    scheduled = service.trees.one("ScheduledBackup", CELL, "postgresql")["spec"]
    backup = {
        "apiVersion": "postgresql.cnpg.io/v1", "kind": "Backup", "metadata": {"name": name, "namespace": CELL},
        "spec": {key: scheduled[key] for key in ("cluster", "method", "pluginConfiguration", "target") if key in scheduled},
    }  # fmt: skip
    service.cluster.apply([backup])

    def completed() -> bool:
        state = service.cluster.api.get(backup).body.get("status", {})
        if state.get("phase") == "failed":
            raise NeverError(str(state.get("error")))
        return bool(state.get("phase") == "completed")

    service.cluster.wait_in(CELL, "the backup", completed, 300)


def sql(service: Service, database: str, statement: str) -> str:
    command = ("psql", "-XAtq", "-d", database, "-c", statement)
    return service.cluster.kubectl("-n", CELL, "exec", primary(service), "-c", "postgres", "--", *command).strip()


def write(service: Service, tenant: str, statement: str) -> None:
    """Change a tenant's first database as its role does: what the superuser makes in it, no dump of the tenant's may read."""
    database = database_of(tenant)
    sql(service, database, f"SET ROLE {database}; {statement}")


def upload(service: Service, person: Person, tenant: str, content: bytes) -> tuple[int, Path]:
    """Attach a file; its record's number, and where it lies in the object store."""
    values = {"name": "letter.txt", "datas": base64.b64encode(content).decode(), "mimetype": "text/plain"}
    (identifier,) = person.model("ir.attachment", "create", [values])
    stored = sql(service, database_of(tenant), f"SELECT store_fname FROM ir_attachment WHERE id = {identifier}")
    (path,) = (path for path in service.store.folder.rglob(Path(stored).name) if path.is_file())
    return identifier, path


def odoo(service: Service, tenant: str) -> str:
    """A web Pod of a tenant that is ready."""
    selector = "app.kubernetes.io/component=web"
    return service.cluster.kubectl(
        "-n", tenant, "get", "pod", "-l", selector, "--field-selector=status.phase=Running", "-o",
        "jsonpath={.items[0].metadata.name}",
    )  # fmt: skip


def redis_says(service: Service, tenant: str, *command: str) -> str:
    """What Valkey answers a tenant's own user, asked from the tenant's web Pod."""
    code = (
        "import os, redis, sys\n"
        "client = redis.Redis.from_url(os.environ['ODOO_SESSION_REDIS_URL'])\n"
        "try: print(client.execute_command(*sys.argv[1:]))\n"
        "except redis.RedisError as error: print('NOPERM' if 'NOPERM' in repr(error) or 'permission' in str(error).lower() else '', error)\n"
    )
    return in_odoo(service, tenant, "python3", "-c", code, *command)


def in_odoo(service: Service, tenant: str, *command: str, code: int | None = 0, text: str = "") -> str:
    """What a program in the container of a tenant's web Pod prints; `text` is what it reads."""
    name = odoo(service, tenant)
    reads = ["--stdin"] if text else []
    return service.cluster.kubectl(
        "-n", tenant, "exec", *reads, name, "-c", "odoo", "--", *command, code=code, text=text
    )
