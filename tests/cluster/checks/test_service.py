"""A shared cell with two tenants, served whole: archive, installs, people at the edge, and what each may reach."""

from __future__ import annotations

import base64
import copy
import json
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from acceptance.harness.process import wait_for
from cluster.asking import (
    Visit,
    back_up,
    database_is_healthy,
    database_of,
    in_odoo,
    odoo,
    password,
    primary,
    redis_says,
    seconds,
    sql,
)
from cluster.plugin import Show
from cluster.service import EDGE_PORT, ROOT, Service
from cluster.trees import CELL, TENANTS

ONE, OTHER = TENANTS
CONTENT = b"a file of one tenant, of which there is no other copy"
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 4)"


# From nothing


def test_the_database_starts_and_archives(service: Service, show: Show) -> None:
    for what, lap in service.laps.items():
        show(f"{what} after {lap:.0f} s")
    took = seconds(lambda: service.cluster.wait_in(CELL, "three instances", lambda: database_is_healthy(service), 400))
    pods = service.cluster.api.list("v1", "Pod", CELL)
    nodes = {pod["spec"]["nodeName"] for pod in pods if pod["metadata"]["labels"].get("cnpg.io/podRole") == "instance"}
    assert nodes == {"shared-db-a", "shared-db-b", "shared-db-c"}
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
    keys = service.secret(CELL, "object-storage")
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
        ask = partial(log_in, service, role, service.secret(CELL, source)["password"])
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


# People


def test_a_person_logs_in_over_tls(service: Service, visit: Visit, show: Show) -> None:
    for tenant in TENANTS:
        assert not visit(tenant).log_in("admin", "admin")
        assert not visit(tenant).log_in("admin", password(service, TENANTS[TENANTS.index(tenant) - 1]))
        person = visit(tenant)
        assert person.log_in("admin", password(service, tenant))
        assert person.is_logged_in()
        show(f"{service.host(tenant)}: first password yes; admin/admin and the neighbour's password no")


def test_a_session_of_one_tenant_is_none_of_the_other(service: Service, visit: Visit, show: Show) -> None:
    person, stranger = visit(ONE), visit(OTHER)
    assert person.log_in("admin", password(service, ONE))
    stranger.session = person.session
    assert not stranger.is_logged_in()
    assert person.is_logged_in()
    seen = [redis_says(service, tenant, "EXISTS", f"session::{ONE}:{person.session[:42]}") for tenant in TENANTS]
    assert seen[0].strip() == "1"
    assert "NOPERM" in seen[1]
    show(f"Valkey: 1 for {ONE}; {seen[1].strip()[:60]} for {OTHER}")


def test_an_uploaded_file_lies_in_the_tenants_own_prefix(service: Service, visit: Visit, show: Show) -> None:
    person = visit(ONE)
    assert person.log_in("admin", password(service, ONE))
    values = {"name": "letter.txt", "datas": base64.b64encode(CONTENT).decode(), "mimetype": "text/plain"}
    (identifier,) = person.model("ir.attachment", "create", [values])
    stored = sql(service, database_of(ONE), f"SELECT store_fname FROM ir_attachment WHERE id = {identifier}")
    found = [
        path
        for path in service.store.folder.rglob(Path(stored).name)
        if path.is_file() and path.read_bytes() == CONTENT
    ]
    assert len(found) == 1
    assert ONE.removesuffix("-production") in str(found[0].relative_to(service.store.folder))
    assert person.get(f"/web/content/{identifier}").content == CONTENT
    stranger = visit(OTHER)
    assert stranger.log_in("admin", password(service, OTHER))
    assert CONTENT not in stranger.get(f"/web/content/{identifier}").content
    show(f"{found[0].relative_to(service.store.folder)}; the neighbour gets another answer")


def test_a_report_is_printed_and_a_websocket_opens(service: Service, visit: Visit, show: Show) -> None:
    person = visit(ONE)
    assert person.log_in("admin", password(service, ONE))
    module = sql(service, database_of(ONE), "SELECT id FROM ir_module_module WHERE name = 'web'")
    answer = person.get(f"/report/pdf/base.report_irmodulereference/{module}")
    assert answer.content.startswith(b"%PDF"), answer.text[:200]
    handshake = person.handshake(EDGE_PORT)
    assert " 101 " in handshake
    show(f"{len(answer.content) >> 10} KiB of PDF; {handshake}")


def test_what_the_edge_keeps_closed(visit: Visit, show: Show) -> None:
    person = visit(ONE)
    answers = {path: person.get(path).status_code for path in ("/web/login", "/web/database/manager", "/metrics")}
    assert answers == {"/web/login": 200, "/web/database/manager": 404, "/metrics": 404}
    show(", ".join(f"{path} {status}" for path, status in answers.items()))


# What a tenant's Pod may reach


def test_from_inside_a_tenants_pod_only_the_declared_flows_work(service: Service, show: Show) -> None:
    def connects(host: str, port: int) -> bool:
        said = in_odoo(service, ONE, "python3", "-c", CONNECT, host, str(port), code=None)
        return not said

    # One that listens: a Job's Pod that has ended would refuse whoever asks.
    pods = service.cluster.api.list("v1", "Pod", OTHER)
    (neighbour,) = (p["status"]["podIP"] for p in pods if p["metadata"]["name"] == odoo(service, OTHER))
    node = service.cluster.nodes[0]
    allowed = {
        f"postgresql-rw.{CELL}.svc": 5432, f"redis.{CELL}.svc": 6379, service.store.host: 443,
    }  # fmt: skip
    refused = {
        f"odoo-web.{OTHER}.svc": 8069, neighbour: 8069, f"odoo-websocket.{OTHER}.svc": 8072,
        "kubernetes.default.svc": 443, service.cluster.addresses.api_server: 6443,
        service.cluster.addresses.nodes[node.number]: 10250, "barman-cloud.cnpg-system.svc": 9090,
        "169.254.169.254": 80,
    }  # fmt: skip
    assert {host: connects(host, port) for host, port in allowed.items()} == dict.fromkeys(allowed, True)
    assert {host: connects(host, port) for host, port in refused.items()} == dict.fromkeys(refused, False)
    show(
        f"reached: {', '.join(allowed)}; not reached: {len(refused)} others, the neighbour's Pod and the API server among them"
    )


def test_the_policies_refuse_a_person_and_let_the_operators_work(service: Service, show: Show) -> None:
    template = service.trees.one("Deployment", ONE, "odoo-web")["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {**template["metadata"], "name": "tried", "namespace": ONE}}
    pod["spec"] = template["spec"]

    def create(manifest: dict[str, Any]) -> str:
        return service.cluster.kubectl("create", "--dry-run=server", "-f", "-", text=json.dumps(manifest), code=None)

    assert "created (server dry run)" in create(pod)
    wrong = copy.deepcopy(pod)
    wrong["spec"]["containers"][0]["image"] = wrong["spec"]["containers"][0]["image"].partition("@")[0]
    said = create(wrong)
    assert "an image must be named by digest" in said
    denied = [
        event for event in service.cluster.api.list("v1", "Event") if "admission webhook" in event.get("message", "")
    ]
    assert not denied, denied[0]["message"]
    found = service.cluster.api.list("policies.kyverno.io/v1", "ValidatingPolicy")
    show(f"{len(found)} policies; an image without digest: refused; no object of an operator was")


# Trouble


def test_a_migration_that_fails_leaves_the_old_release_serving(service: Service, visit: Visit, show: Show) -> None:
    before = odoo(service, ONE)
    modules = "base,web,no_such_module"
    job = service.start_hook(ONE, "odoo-migration", MIGRATION_MODULES=modules, MIGRATION_RELEASE="odoo-19.0-next")
    service.cluster.wait_in(ONE, "the migration failed", lambda: service.job_is(job, "Failed"), 300)
    assert odoo(service, ONE) == before
    assert visit(ONE).log_in("admin", password(service, ONE))
    took = seconds(lambda: service.run_hook(ONE, "odoo-migration", 300))
    show(f"failed; the same Pod serves a login; the release before is marked again after {took:.0f} s")


def test_a_lost_primary_interrupts_people_for_seconds(service: Service, visit: Visit, show: Show) -> None:
    person = visit(ONE)
    assert person.log_in("admin", password(service, ONE))
    before = primary(service)
    service.cluster.kubectl("-n", CELL, "delete", "pod", before, "--wait=false", "--grace-period=1")
    began = time.monotonic()
    wait_for("another primary", lambda: primary(service) != before, 120, every=0.2)
    promoted = time.monotonic() - began

    def serves() -> bool:
        try:
            return bool(person.model("res.users", "search_count", []))
        except (httpx.HTTPError, ValueError):
            return False

    wait_for("an answer from the new primary", serves, 180, every=0.5)
    show(f"another primary after {promoted:.1f} s; the same session works after {time.monotonic() - began:.1f} s")


def test_a_killed_web_pod_is_replaced_and_sessions_go_on(service: Service, visit: Visit, show: Show) -> None:
    person = visit(ONE)
    assert person.log_in("admin", password(service, ONE))
    before = odoo(service, ONE)
    service.cluster.kubectl("-n", ONE, "delete", "pod", before, "--wait=false", "--grace-period=1")
    began = time.monotonic()

    def serves() -> bool:
        try:
            return person.is_logged_in()
        except (httpx.HTTPError, ValueError):
            return False

    wait_for("the session on another Pod", lambda: odoo(service, ONE) != before and serves(), 240, every=0.5)
    show(f"one replica of that size: the same session works again after {time.monotonic() - began:.0f} s")
