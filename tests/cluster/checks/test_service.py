"""A shared cell with two tenants from nothing: its archive, its databases, installs by the rendered hooks, and all Synced and Healthy."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from acceptance.harness.process import wait_for
from cluster.asking import back_up, database_is_healthy, database_of, primary, seconds, sql
from cluster.plugin import Show
from cluster.service import ROOT, Service
from cluster.trees import CELL, TENANTS

ONE, OTHER = TENANTS


def test_the_database_starts_and_archives(service: Service, show: Show) -> None:
    for what, lap in service.laps.seconds.items():
        show(f"{what} after {lap:.0f} s")
    took = seconds(lambda: service.cluster.wait_in(CELL, "three instances", lambda: database_is_healthy(service), 400))
    pods = service.cluster.api.list("v1", "Pod", CELL)
    nodes = {pod["spec"]["nodeName"] for pod in pods if pod["metadata"]["labels"].get("cnpg.io/podRole") == "instance"}
    assert nodes == set(service.cluster.in_pool("shared-db"))
    show(f"3 of 3 instances {took:.0f} s later, on {', '.join(sorted(nodes))}")
    sql(service, "postgres", "SELECT pg_switch_wal()")
    spec = service.trees.one("ObjectStore", CELL, "postgresql")["spec"]["configuration"]
    prefix = spec["destinationPath"].removeprefix("s3://") + f"/{CELL}"

    def archived() -> int:
        return len([name for name in service.store.objects(prefix) if "/wals/" in f"/{name}"])

    service.cluster.wait_in(CELL, "a WAL file in the object store", archived, 120)
    show(f"{archived()} WAL files below {prefix}")


def test_a_base_backup_can_be_listed(service: Service, show: Show) -> None:
    took = seconds(lambda: back_up(service, "first"))
    spec = service.trees.one("ObjectStore", CELL, "postgresql")["spec"]["configuration"]
    keys = service.cluster.secret(CELL, "object-storage")
    command = (
        f"AWS_ACCESS_KEY_ID={keys['access-key-id']} AWS_SECRET_ACCESS_KEY={keys['secret-access-key']}"
        f" barman-cloud-backup-list --endpoint-url {spec['endpointURL']} {spec['destinationPath']} {CELL}"
    )
    listed = service.cluster.kubectl(
        "-n", CELL, "exec", primary(service), "-c", "plugin-barman-cloud", "--", "sh", "-c", command
    )
    found = [line.split()[0] for line in listed.strip().splitlines()[1:]]
    assert found, listed
    show(f"completed after {took:.0f} s; barman-cloud-backup-list: {', '.join(found)}")


def test_every_tenant_of_the_cell_has_a_database_and_a_role(service: Service, show: Show) -> None:
    wanted = {m["metadata"]["name"] for m in service.trees.every("Database", CELL)}

    def applied() -> bool:
        found = service.cluster.api.list("postgresql.cnpg.io/v1", "Database", CELL)
        return {m["metadata"]["name"] for m in found if m.get("status", {}).get("applied")} == wanted

    service.cluster.wait_in(CELL, "databases applied", applied, 120)
    rendered = [m["spec"] for m in service.trees.every("DatabaseRole", CELL) if m["spec"].get("login") is not False]
    roles = {spec["name"]: spec["passwordSecret"]["name"] for spec in rendered}  # a leaving tenant's may not log in
    names = {m["spec"]["owner"]: m["spec"]["name"] for m in service.trees.every("Database", CELL)}
    for role, source in roles.items():
        ask = partial(log_in, service, role, service.cluster.secret(CELL, source)["password"])
        wait_for(f"{role} may log in", lambda ask=ask, role=role: f"{role}|t" in ask(names[role]), 60, every=1)
        assert "pg_hba.conf rejects" in ask(next(name for owner, name in names.items() if owner != role))
    show(f"{len(roles)} roles: own database over TLS answers, a neighbour's is rejected by pg_hba.conf")


def log_in(service: Service, role: str, word: str, database: str) -> str:
    """What PostgreSQL answers a role that asks who it is, and whether over TLS."""
    address = f"postgresql://{role}:{word}@postgresql-rw/{database}?sslmode=require&connect_timeout=5"
    question = "select current_user, ssl from pg_stat_ssl where pid = pg_backend_pid()"
    return service.cluster.kubectl(
        "-n", CELL, "exec", primary(service), "-c", "postgres", "--", "psql", address, "-Atc", question, code=None
    )


def test_both_tenants_are_installed_by_the_rendered_hooks(
    service: Service, installed: Mapping[str, float], show: Show
) -> None:
    for tenant in TENANTS:
        name = database_of(tenant)
        rows = sql(service, name, "SELECT count(*) FROM ir_module_module WHERE state = 'installed'")
        local = sql(service, name, "SELECT count(*) FROM ir_attachment WHERE store_fname NOT LIKE 'attachments://%'")
        assert local == "0"
        show(f"{tenant}: backup and migration after {installed[tenant]:.0f} s, {rows} modules, no attachment in a Pod")


def test_the_web_client_becomes_ready(service: Service, show: Show) -> None:
    for tenant in TENANTS:
        deployment = service.trees.one("Deployment", tenant, "odoo-web")

        def available(deployment: dict[str, Any] = deployment) -> bool:
            return bool(service.cluster.api.get(deployment).body["status"].get("availableReplicas"))

        took = seconds(partial(service.cluster.wait_in, tenant, "web available", available, 300))
        show(f"{tenant}: {took:.0f} s")


def test_every_application_is_synced_and_healthy(service: Service, show: Show) -> None:
    head = service.argo_cd.repository.head()
    for name in service.argo_cd.applications().keys() - {ROOT}:  # it holds Velero's Schedules, and Velero is not here
        service.wait_for_application(name, 240)
    assert service.argo_cd.synced(head)
    began = {name: one["status"]["operationState"]["startedAt"] for name, one in service.argo_cd.applications().items()}
    for application in service.argo_cd.applications().values():
        again = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}}
        assert service.cluster.api.merge(application, again).accepted

    def refreshed() -> bool:
        found = service.argo_cd.applications().values()
        return all("argocd.argoproj.io/refresh" not in one["metadata"].get("annotations", {}) for one in found)

    wait_for("compared again", refreshed, 120, every=1)
    assert service.argo_cd.synced(head)
    after = {name: one["status"]["operationState"]["startedAt"] for name, one in service.argo_cd.applications().items()}
    assert after == began
    show(
        f"{len(after)} Applications Synced, those of cell and tenants Healthy; compared again, none had anything to change"
    )
