"""A release moves: from a merge to new Pods, with a migration that is killed in its middle, and with one that fails."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from acceptance.harness.process import wait_for
from cluster.asking import Visit, database_of, odoo, password, seconds, sql
from cluster.plugin import Show
from cluster.service import Service
from cluster.trees import TENANTS

ONE, OTHER = TENANTS
OLD, NEW = "odoo-19.0-20261102", "odoo-19.0-20261123"
DIGESTS = {
    "1d7cd2ee566d8fddcf2066a4f4822909b98c16a01f549eb8126e6d5315d11546": "7" * 64,
}
"""The image is the same; what moves are names."""
STATE = f"SELECT state FROM tenantry_release WHERE release LIKE '{NEW}-%'"


def test_a_release_moves_although_its_migration_is_killed(service: Service, visit: Visit, show: Show) -> None:
    person = visit(ONE)
    assert person.log_in("admin", password(service, ONE))
    before = odoo(service, ONE)
    propose(service)
    head = service.merge(NEW)
    service.argo_cd.sync(f"{ONE}-app")
    began = time.monotonic()
    wait_for("the migration at work", lambda: sql(service, database_of(ONE), STATE) == "migrating", 600, every=1)
    first = migrating(service)
    service.cluster.kubectl("-n", ONE, "delete", "pod", first, "--grace-period=0", "--force", "--wait=false")
    show(f"the migration's Pod was killed after {time.monotonic() - began:.0f} s")
    wait_for("the Job's second Pod", lambda: migrating(service) not in ("", first), 120, every=1)
    assert odoo(service, ONE) == before
    assert person.is_logged_in()
    service.argo_cd.bring(f"{ONE}-app", head, 900)
    service.wait_for_application(f"{ONE}-app", 300)
    assert sql(service, database_of(ONE), STATE) == "done"
    wait_for("the old Pod is gone", lambda: "7" * 64 in images(service, odoo(service, ONE)), 120, every=1)
    assert person.is_logged_in()
    dumps = [
        name
        for name in service.store.objects("euw1-a-backup")
        if f"{ONE.removesuffix('-production')}/production/before-{NEW}" in name
    ]
    assert dumps
    show(
        f"released after {time.monotonic() - began:.0f} s; dumped before: {dumps[-1]}; the old Pod served meanwhile, the session goes on"
    )


def test_a_migration_that_fails_leaves_the_old_release_serving(service: Service, visit: Visit, show: Show) -> None:
    before = odoo(service, ONE)
    modules = "base,web,no_such_module"
    job = service.start_hook(ONE, "odoo-migration", MIGRATION_MODULES=modules, MIGRATION_RELEASE="odoo-19.0-next")
    service.cluster.wait_in(ONE, "the migration failed", lambda: service.job_is(job, "Failed"), 300)
    assert odoo(service, ONE) == before
    assert visit(ONE).log_in("admin", password(service, ONE))
    took = seconds(lambda: service.run_hook(ONE, "odoo-migration", 300))
    show(f"failed; the same Pod serves a login; the release before is marked again after {took:.0f} s")


def images(service: Service, pod: str) -> str:
    """Of a Pod's containers."""
    return service.cluster.kubectl("-n", ONE, "get", "pod", pod, "-o", "jsonpath={.spec.containers[*].image}")


def propose(service: Service) -> None:
    """Write a release that is proved, and have the channel lead to it."""
    releases = service.trees.folder / "platform/releases"
    text = (releases / f"{OLD}.yaml").read_text()
    for old, new in {**DIGESTS, OLD: NEW, "20261102": "20261123", "2026-11-02": "2026-11-23"}.items():
        text = text.replace(old, new)
    (releases / f"{NEW}.yaml").write_text(text)
    channel = releases / "early.yaml"
    channel.write_text(channel.read_text().replace(OLD, NEW))


def migrating(service: Service) -> str:
    """The migration's Pod that runs; empty between two."""
    pods: list[Mapping[str, Any]] = service.cluster.api.list("v1", "Pod", ONE)
    return next(
        (
            pod["metadata"]["name"]
            for pod in pods
            if pod["metadata"]["labels"].get("job-name") == "odoo-migration"
            and pod["status"].get("phase") == "Running"
            and "deletionTimestamp" not in pod["metadata"]
        ),
        "",
    )
