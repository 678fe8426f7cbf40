"""Dashboards: what Grafana reads, and whom a choice shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from controls.laboratory import example
from tenantry.core.manifest import text
from tenantry.prove.observation import rules_of
from tenantry.render.dashboards import INFO, OBJECTIVE, Dashboard, dashboards

BESIDE = {
    "ALERTS", INFO, OBJECTIVE, "odoo_http_request_seconds_sum", "odoo_http_request_seconds_count", "cnpg_pg_database_size_bytes",
    "cnpg_pg_stat_database_xact_commit", "traefik_entrypoint_requests_total",
}  # fmt: skip
"""Metrics that no alert asks for: of Prometheus, of our own rules and of our image, of CloudNativePG, of Traefik."""
NAMES = ("tenants", "cells", "platform")


@cache
def made(cluster: str = "euw1-a") -> dict[str, Dashboard]:
    known, _ = example()
    return {one.name: one for one in dashboards(known.platform, known.clusters[cluster])}


def model(name: str) -> dict[str, Any]:
    return dict(json.loads("\n".join(made()[name].lines)))


def queries() -> Iterator[str]:
    for one in made().values():
        yield from one.variables.values()
        for panel in one.panels:
            yield from panel.queries.values()


def metrics(query: str) -> set[str]:
    return set(re.findall(r"([A-Za-z_:]+){", query)) | set(re.findall(r"label_values\(([a-z_]+)[,{]", query))


def test_there_is_one_for_tenants_one_for_cells_and_one_for_the_platform() -> None:
    assert tuple(made()) == NAMES
    assert len({model(name)["uid"] for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_no_panel_covers_another(name: str) -> None:
    panels = model(name)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken))
    assert all(0 <= x < 24 for x, _ in taken)


@pytest.mark.parametrize("name", NAMES)
def test_a_query_names_variables_of_its_dashboard_only(name: str) -> None:
    there = {variable["name"] for variable in model(name)["templating"]["list"]}
    asked = {found for panel in made()[name].panels for query in panel.queries.values() for found in re.findall(r"\$(\w+)", query)}  # fmt: skip
    assert asked <= there - {"datasource"}


def test_each_metric_is_one_that_an_alert_asks_for_or_is_known() -> None:
    _, objects = example()
    alerts = {
        found
        for manifest in objects["euw1-a"]
        if manifest.identity.kind == "PrometheusRule"
        for rule in rules_of(manifest)
        for found in metrics(text(rule.get("expr")))
    }
    asked = {found for query in queries() for found in metrics(query)}
    assert len(asked) > 15
    assert asked - alerts <= BESIDE
    assert asked >= BESIDE


@pytest.mark.parametrize("cluster", ["euw1-a", "euc1-globex"])
def test_a_namespace_chooses_its_own_routers_only(cluster: str) -> None:
    found = {pattern for panel in made(cluster)["tenants"].panels for query in panel.queries.values() for pattern in re.findall(r'router=~"([^"]+)"', query)}  # fmt: skip
    (pattern,) = found
    chosen = re.compile(pattern.replace("$namespace", "acme-production"))
    own = ("acme-production_odoo-public_0@kubernetescrd", "websecure-acme-production_odoo-public-2_1@kubernetescrd")
    others = (
        "acme-corp-production_odoo-public_0@kubernetescrd", "corp-acme-production_odoo-public_0@kubernetescrd",
        "acme-production_odoo-internal_0@kubernetescrd", "acme-production_odoo-public_0@file",
    )  # fmt: skip
    assert [bool(chosen.fullmatch(name)) for name in (*own, *others)] == [True, True, False, False, False, False]


def test_each_production_says_what_it_is() -> None:
    known, objects = example()
    said = {
        (rule["labels"]["namespace"], rule["labels"]["tenant"], rule["labels"]["tier"])  # type: ignore[index]
        for manifests in objects.values()
        for manifest in manifests
        if manifest.identity.kind == "PrometheusRule"
        for rule in rules_of(manifest)
        if rule.get("record") == INFO
    }
    wanted = {
        (one.names.namespace, one.tenant.name, one.tier.name)
        for one in known.instances.values()
        if one.environment == "production" and one.running
    }
    assert said == wanted
