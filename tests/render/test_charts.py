"""Platform components follow the inputs: who installs them, where, and what Traefik is shown by."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
import yaml

from controls.laboratory import example
from tenantry.model.cluster import Cluster
from tenantry.model.platform import Charts, Platform
from tenantry.model.platform_components import COMPONENTS, managed_components
from tenantry.render.argocd import argocd_context
from tenantry.render.charts import charts_context
from tenantry.render.kustomizations import expected_objects
from tenantry.render.units import units

EXAMPLE_CLUSTER = "euw1-a"


def platform_of(**changes: Any) -> Platform:
    known, _ = example()
    return dataclasses.replace(known.platform, **changes)


def cluster_of(name: str = EXAMPLE_CLUSTER, **edge: Any) -> Cluster:
    cluster = example()[0].clusters[name]
    return dataclasses.replace(cluster, traefik=dataclasses.replace(cluster.traefik, **edge))


def sources(platform: Platform, cluster: Cluster) -> dict[str, dict[str, Any]]:
    """Source of each Application, by chart."""
    made = expected_objects("charts", charts_context(platform, cluster, ()), {})
    found = (value["spec"]["source"] for value in made if value["kind"] == "Application")
    return {source["chart"]: dict(source) for source in found}


def values(chart: str, cluster: Cluster, **changes: Any) -> dict[str, Any]:
    return dict(sources(platform_of(**changes), cluster)[chart]["helm"]["valuesObject"])


@pytest.mark.parametrize("field", COMPONENTS)
def test_what_others_install_is_not_rendered(field: str) -> None:
    charts = platform_of().charts
    others = dataclasses.replace(getattr(charts, field), managed=False)
    for given in (others, None):
        platform = platform_of(charts=dataclasses.replace(charts, **{field: given}))
        made = sources(platform, cluster_of())
        assert set(made) == {c.chart for c in COMPONENTS.values() if c.field != field}
        assert "true" in helm(platform)


def helm(platform: Platform) -> str:
    """Whether Argo CD starts Helm."""
    made = expected_objects("argocd", argocd_context(platform, cluster_of()), {})
    return str(next(v["data"]["helm.enable"] for v in made if v["metadata"]["name"] == "argocd-cm"))


def test_without_charts_there_is_no_unit_and_no_helm() -> None:
    known, _ = example()
    assert helm(platform_of(charts=Charts())) == "false"
    assert managed_components(platform_of(charts=Charts())) == {}
    paths = {unit.path for unit in units(known.fleet, known.instances) if unit.tree == "charts"}
    assert paths == {f"{name}/platform/charts" for name in known.clusters}


def test_a_balancer_is_set_up_by_annotations_of_its_service() -> None:
    asked = {"balancer.example/proxy-protocol": "v2"}
    inside = {"balancer.example/internal": "true"}
    cluster = cluster_of("euw1-globex", balancer_annotations=asked, private_balancer_annotations=inside, replicas=5)
    made = values("traefik", cluster)
    assert made["service"]["annotations"] == asked
    assert made["service"]["additionalServices"]["private"]["annotations"] == inside
    assert made["deployment"]["replicas"] == 5
    assert "additionalServices" not in values("traefik", cluster_of())["service"]


@pytest.mark.parametrize(("public", "shown"), [("websecure", True), ("internet", False)])
def test_the_charts_own_entry_point_is_shown_only_where_it_is_ours(public: str, shown: bool) -> None:
    ports = values("traefik", cluster_of(public_entry_point=public))["ports"]
    assert ports["websecure"]["expose"]["default"] is shown
    assert ports[public]["expose"] == {"default": True}


def test_pods_of_the_edge_restart_when_their_configuration_changes() -> None:
    digests = [
        values("traefik", cluster_of(balancer_cidrs=ranges))["deployment"]["podAnnotations"][
            "tenantry.io/configuration"
        ]
        for ranges in (("192.0.2.32/28",), ("192.0.2.32/29",), ("192.0.2.32/28",))
    ]
    assert digests[0] == digests[2] != digests[1]
    assert re.fullmatch("[0-9a-f]{64}", digests[0])


def test_an_edge_of_ones_own_is_named_by_digest() -> None:
    digest = "sha256:" + "a" * 64
    images = dataclasses.replace(platform_of().images, traefik=f"registry.example/edge/traefik:3.7.15@{digest}")
    made = values("traefik", cluster_of(), images=images)
    assert made["image"] == {"registry": "registry.example", "repository": "edge/traefik", "digest": digest}
    assert made["versionOverride"] == "v3.7.15"


def test_a_project_permits_its_chart_and_namespace_alone() -> None:
    platform = platform_of()
    made = list(expected_objects("charts", charts_context(platform, cluster_of(), ()), {}))
    by_name = {value["metadata"]["name"]: value["spec"] for value in made if value["kind"] == "AppProject"}
    for part in managed_components(platform).values():
        spec = by_name[part.application]
        assert spec["sourceRepos"] == [part.source.repository]
        spaces = {destination["namespace"] for destination in spec["destinations"]}
        assert spaces - {part.namespace} <= {"kube-system"}
        named = {rule["name"] for rule in spec["clusterResourceWhitelist"] if rule["kind"] == "Namespace"}
        assert named <= {part.namespace}
        assert yaml.safe_dump(spec).count("*") == 0
