"""The real Prometheus, by its operator, on the rendered monitors and rules: what is asked for exists, and what breaks rings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from acceptance.harness.process import wait_for
from cluster import monitoring, secret_store
from cluster.asking import Visit, answered, password, upload
from cluster.base import Manifest
from cluster.monitoring import Prometheus
from cluster.plugin import Show
from cluster.receivers import Told, credentials, receivers, wanted
from cluster.service import NAMESPACES, Service
from cluster.trees import CELL, TENANTS
from tenantry.render.routing import RECEIVERS

pytestmark = pytest.mark.usefixtures("installed")
ONE, _ = TENANTS
PLATFORM = "monitoring"
PAGER, TICKETS = "operations-pager", "operations-queue"
"""Receivers of the example: who is woken, and who reads in the morning."""
NOT_HERE = ("kube_", "probe_", "velero_", 'up{job="monitoring/velero"', "kubelet_volume_stats_")
"""Series of programs that are not here: kube-state-metrics, the blackbox exporter, Velero; and of volumes that are folders."""
WITHOUT_THEM = frozenset({"VeleroDown", "ProbeMissing", "ObjectBackupTooOld", "RestoreDrillOverdue"})
"""Alerts that rightly say so."""
STATES = frozenset({"code", "phase", "sync_status", "health_status", "status"})
"""Labels whose value is what an alert waits for."""
WAITS = 240


@pytest.fixture(scope="module")
def told(service: Service) -> Iterator[Told]:
    """What is sent to the receivers that the trees name."""
    kinds = wanted(service.trees.every("AlertmanagerConfig"))
    secret = credentials(kinds, PLATFORM, RECEIVERS)
    service.cluster.apply([secret])
    values = service.cluster.secret(PLATFORM, RECEIVERS)
    with receivers(service.public, {values[name]: name for name in kinds}) as kept:
        yield kept


@pytest.fixture(scope="module")
def prometheus(service: Service, told: Told) -> Prometheus:
    chart = service.trees.one("Application", "argocd", "kube-prometheus-stack-chart")
    return monitoring.install(service.cluster, chart, service.public.certificate)


def rules(service: Service) -> list[Manifest]:
    return [rule for rule in service.trees.every("PrometheusRule") if rule["metadata"]["namespace"] in (*NAMESPACES, PLATFORM)]  # fmt: skip


def test_every_monitor_finds_pods_that_answer(service: Service, prometheus: Prometheus, show: Show) -> None:
    """Through the policies, which let Prometheus in and nobody else."""
    monitors = [one for one in service.trees.every("PodMonitor") if one["metadata"]["namespace"] in (*NAMESPACES, PLATFORM)]  # fmt: skip
    wanted = {f"podMonitor/{one['metadata']['namespace']}/{one['metadata']['name']}" for one in monitors}
    wanted -= {f"podMonitor/{PLATFORM}/velero"}

    def all_up() -> bool:
        targets = [(pool, health) for pool, health in prometheus.targets() if not pool.startswith("probe/")]
        up = {pool.rpartition("/")[0] for pool, health in targets if health == "up"}
        wrong = {pool for pool, health in targets if health != "up"}
        assert wanted <= up and not wrong, f"nothing of {sorted(wanted - up)}; not up: {sorted(wrong)}"
        return True

    wait_for("all targets up", all_up, WAITS, every=3)
    show(f"all targets of {len(wanted)} monitors and the kubelets are up; the blackbox exporter is not here")


def test_every_series_that_a_rule_asks_for_exists(
    service: Service, prometheus: Prometheus, visit: Visit, show: Show
) -> None:
    assert visit(ONE).log_in("admin", password(service, ONE)), "the edge counts requests once there are some"
    assert visit(TENANTS[1]).log_in("admin", password(service, TENANTS[1]))
    asked = {
        selector
        for rule in rules(service)
        for group in rule["spec"]["groups"]
        for alert in group["rules"]
        for selector in _selectors(prometheus.ask("parse_query", query=alert["expr"]))
    }
    assert asked
    here = sorted(selector for selector in asked if not selector.startswith(NOT_HERE))
    assert not prometheus.series("no_such_metric")

    def all_there() -> bool:
        missing = [selector for selector in here if not prometheus.series(selector)]
        assert not missing, missing
        return True

    wait_for("all series", all_there, WAITS, every=5)
    show(f"{len(here)} selections have series; {len(asked) - len(here)} are of programs that are not here")


def test_every_panel_of_a_dashboard_has_something_to_show(service: Service, prometheus: Prometheus, show: Show) -> None:
    queries = {
        (panel["title"], target["expr"].replace("$namespace", ".+"))
        for manifest in service.trees.every("ConfigMap", PLATFORM)
        for text in manifest["data"].values()
        for panel in json.loads(text)["panels"]
        for target in panel["targets"]
    }
    here = {(title, query) for title, query in queries if not any(name in query for name in (*NOT_HERE, "ALERTS{"))}

    def all_shown() -> bool:
        empty = sorted(title for title, query in here if not prometheus.series(query))
        assert not empty, empty
        return True

    wait_for("all panels", all_shown, WAITS, every=5)
    show(
        f"{len(here)} queries of dashboards have results; {len(queries - here)} ask for alerts, or programs that are not here"
    )


def test_nothing_rings_where_all_is_well(prometheus: Prometheus, show: Show) -> None:
    """Nor is about to: a condition that is true counts, however long the alert waits."""

    def quiet() -> bool:
        said = {place: state for place, state in prometheus.alerts().items() if place[1] not in WITHOUT_THEM}
        assert not said, said
        return True

    wait_for("no alert", quiet, WAITS, every=3)
    evaluated = [rule for group in prometheus.ask("rules", type="alert")["groups"] for rule in group["rules"]]
    assert evaluated
    wrong = [rule["name"] for rule in evaluated if rule["health"] != "ok"]
    assert not wrong
    show(f"{len(evaluated)} alerts are evaluated; none is true but {', '.join(sorted(WITHOUT_THEM))}")


def test_what_breaks_rings(service: Service, prometheus: Prometheus, told: Told, visit: Visit, show: Show) -> None:
    """In Prometheus, and at the receiver that the routes name, which hears of its end, too."""
    cluster = service.cluster
    namespace, _, name = secret_store.path_of(service.trees, ONE.removesuffix("-production"), "redis").partition("/")
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}}
    kept = cluster.api.get(secret).body
    external = ("-n", ONE, "annotate", "externalsecret", "redis-user", "--overwrite")
    edge = ("-n", "traefik", "scale", "deployment/traefik")
    fence = ("-n", CELL, "annotate", "clusters.postgresql.cnpg.io/postgresql", "--overwrite")
    cluster.kubectl("-n", namespace, "delete", "secret", name)
    cluster.kubectl(*external, "force-sync=broken")
    cluster.kubectl(*edge, "--replicas=0")
    cluster.kubectl(*fence, 'cnpg.io/fencedInstances=["*"]')
    rings = {
        (ONE, "SecretNotSynced"): {"pending"}, (PLATFORM, "EdgeDown"): {"firing"}, (CELL, "PostgresqlDown"): {"firing"},
    }  # fmt: skip
    paged = {place for place, states in rings.items() if "firing" in states}
    try:

        def ring() -> bool:
            said = prometheus.alerts()
            assert all(said.get(place) in states for place, states in rings.items()), said
            return True

        wait_for("the alerts", ring, 420, every=3)
        wait_for("calls of the pager", lambda: paged <= told.firing.get(PAGER, set()), 90, every=1)
    finally:
        cluster.kubectl(*fence, "cnpg.io/fencedInstances-")
        cluster.kubectl(*edge, "--replicas=1")
        cluster.apply([{**secret, "data": kept["data"]}])
        cluster.kubectl(*external, "force-sync=mended")
    wait_for("quiet again", lambda: not set(prometheus.alerts()) & rings.keys(), 420, every=3)
    wait_for("the end at the pager", lambda: paged <= told.resolved.get(PAGER, set()), 400, every=1)
    assert not told.firing.get(PAGER, set()) - paged
    for tenant in TENANTS:
        logs_in = partial(visit(tenant).log_in, "admin", password(service, tenant))
        wait_for("a login", partial(answered, logs_in), 300, every=2)
    show(f"rang, and ended when it was mended: {', '.join(f'{name} of {where}' for where, name in rings)}")
    show(f"Alertmanager called {PAGER}, and said when it was over: {', '.join(sorted(name for _, name in paged))}")


def test_a_missing_attachment_rings(
    service: Service, prometheus: Prometheus, told: Told, visit: Visit, show: Show
) -> None:
    """A record's content reads as if it were empty; a download fails. It rings for an hour, so nothing waits for the end."""
    person = visit(ONE)
    assert person.log_in("admin", password(service, ONE))
    identifier, path = upload(service, person, ONE, b"a letter that will be lost")
    path.unlink()
    assert not person.model("ir.attachment", "read", [identifier], ["datas"])[0]["datas"]
    assert person.get(f"/web/content/{identifier}").status_code == 500
    wait_for("the alert", lambda: (ONE, "AttachmentUnreadable") in prometheus.alerts(), WAITS, every=3)
    assert (TENANTS[1], "AttachmentUnreadable") not in prometheus.alerts()
    wait_for("the ticket", lambda: (ONE, "AttachmentUnreadable") in told.firing.get(TICKETS, set()), 90, every=1)
    assert (ONE, "AttachmentUnreadable") not in told.firing.get(PAGER, set())
    show(
        f"its record reads as empty, a download ends with 500, and AttachmentUnreadable rings for its tenant alone: {TICKETS} has it"
    )


def _selectors(tree: Any) -> Iterator[str]:
    """What a parsed query selects, without the states that it waits for."""
    if isinstance(tree, list):
        for part in tree:
            yield from _selectors(part)
    elif isinstance(tree, dict):
        if tree.get("type") in ("vectorSelector", "matrixSelector") and tree.get("name"):
            matchers = [
                f"{one['name']}{one['type']}{json.dumps(one['value'])}"
                for one in tree["matchers"] if one["name"] not in STATES | {"__name__"}
            ]  # fmt: skip
            yield f"{tree['name']}{{{','.join(sorted(matchers))}}}"
        yield from (selector for part in tree.values() for selector in _selectors(part))
