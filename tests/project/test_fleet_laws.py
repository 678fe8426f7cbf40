"""Laws of the whole way: what templates say is what comes out; the same input gives the same bytes; nobody else moves."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import REPOSITORY, Ran, add_tenant, tree
from tenantry.core.findings import ObjectId
from tenantry.plan.inputs import read_inputs
from tenantry.render.kustomizations import component_objects, expected_objects, object_id
from tenantry.render.units import Unit, units
from tenantry.runtime.cache import Store

Run = Callable[..., Ran]
CLUSTER_WIDE = {"Namespace", "ClusterRole", "ClusterIssuer", "ClusterImageCatalog", "PriorityClass", "ValidatingPolicy"}
WITH_TEMPLATES = {"Deployment", "StatefulSet", "Job"}


def as_kustomize_would(value: Mapping[str, Any], unit: Unit, context: Mapping[str, Any]) -> dict[str, Any]:
    """The namespace and the labels that an overlay adds, added by this test."""
    result = yaml.safe_load(yaml.safe_dump(value))
    labels = dict(context["labels"])
    if context.get("namespace") and value["kind"] not in CLUSTER_WIDE:
        result["metadata"]["namespace"] = context["namespace"]
    result["metadata"]["labels"] = {**result["metadata"].get("labels", {}), **labels}
    made = []
    if value["kind"] in WITH_TEMPLATES:
        made = [result["spec"]["template"]]
    if value["kind"] == "CronJob":
        made = [result["spec"]["jobTemplate"], result["spec"]["jobTemplate"]["spec"]["template"]]
    for template in made:
        meta = template.setdefault("metadata", {})
        meta["labels"] = {**meta.get("labels", {}), **labels}
    return result


def test_base_plus_overlay_is_what_the_templates_say() -> None:
    inputs = read_inputs(REPOSITORY, "2026-11-23", Store(None))
    for unit in units(inputs.fleet, inputs.resolution.instances):
        context = unit.context()
        wanted: dict[ObjectId, Any] = {}
        for value in expected_objects(unit.tree, context, component_objects(context)):
            given = as_kustomize_would(value, unit, context)
            wanted[object_id(given)] = given
        there = [
            yaml.load(p.read_bytes(), Loader=yaml.CSafeLoader)
            for p in (REPOSITORY / "rendered" / unit.path).glob("*.yaml")
        ]
        assert {object_id(value): value for value in there} == wanted, unit.path


def test_the_committed_trees_are_current(run: Run) -> None:
    ran = run("check", "--no-cache", "-C", REPOSITORY, "--as-of", "2026-11-23")
    assert (ran.code, ran.out.count("\n")) == (0, 1), ran.out


def copy_inputs(target: Path) -> Path:
    for folder in ("platform", "tiers", "tenants", "policies"):
        shutil.copytree(REPOSITORY / folder, target / folder)
    return target


@pytest.mark.parametrize("environment", [
    {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
    {"TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "2"},
])  # fmt: skip
def test_another_folder_zone_locale_and_hash_seed_give_the_same_bytes(
    run: Run, tmp_path: Path, environment: dict[str, str]
) -> None:
    root = copy_inputs(tmp_path / "some where else")
    ran = run("render", cwd=root, env=environment)
    assert ran.code == 0, ran.out + ran.err
    assert tree(root) == tree(REPOSITORY)


def test_a_second_run_writes_nothing_with_or_without_cache(run: Run, fleet: Path) -> None:
    run("render", "-C", fleet)
    before = {path: (fleet / path).stat().st_mtime_ns for path in tree(fleet)}
    for extra in ((), ("--no-cache",)):
        assert run("render", "-C", fleet, *extra).out.startswith("Nothing to write")
    assert {path: (fleet / path).stat().st_mtime_ns for path in tree(fleet)} == before


def test_a_run_for_one_tenant_gives_what_a_full_run_gives(run: Run, fleet: Path, tmp_path: Path) -> None:
    run("render", "-C", fleet)
    other = tmp_path / "other"
    shutil.copytree(fleet, other)
    for root, names in ((fleet, ("acme",)), (other, ())):
        add_tenant(root, "acme", "shared", "euw1-shared-a", users=48)
        assert run("render", *names, "-C", root).code == 0
    assert tree(fleet) == tree(other)
    assert run("check", "-C", fleet).code == 0


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> set[str]:
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def test_a_new_tenant_moves_no_other(run: Run, fleet: Path) -> None:
    run("render", "-C", fleet)
    before = tree(fleet)
    add_tenant(fleet, "acme-corp", "shared", "euw1-shared-a", users=30)
    run("render", "-C", fleet)
    after = tree(fleet)
    moved = changed(before, after)
    own = re.compile(
        r"(overlays|rendered)/euw1-a/(production/acme-corp/|platform/acme-corp-production/|cells/euw1-shared-a/)"
    )
    assert all(own.match(path) for path in moved)
    lists = {path for path in moved if path in before}
    assert {path.rsplit("/", 1)[-1].split("_")[0] for path in lists} == {
        "kustomization.yaml", "externalsecret-redis-acl.yaml", "externalsecret.external-secrets.io",
        "cronjob-restore-drill.yaml", "cronjob.batch",  # the cell's drill looks for each of its databases
    }  # fmt: skip
    assert not any(b"acme-corp" in after[path] for path in after if "/acme/" in path or "/acme-production/" in path)


def test_a_tier_change_is_one_line_in_base_and_reaches_its_own_tenants_only(run: Run, fleet: Path) -> None:
    run("render", "-C", fleet)
    before = tree(fleet)
    tier = fleet / "tiers/shared.yaml"
    tier.write_text(tier.read_text().replace("inFlight: 60", "inFlight: 90"))
    run("render", "-C", fleet)
    moved = changed(before, tree(fleet))
    assert {path for path in moved if path.startswith("base/")} == {
        f"base/tiers/shared/{environment}/app/middleware-in-flight{kind}.yaml"
        for environment in ("production", "staging")
        for kind in ("", "-websocket")
    }
    assert not {path for path in moved if path.startswith("overlays/")}
    assert {path.split("/")[3] for path in moved if path.startswith("rendered/")} == {"acme"}


def test_a_promotion_changes_app_trees_only(run: Run, fleet: Path) -> None:
    run("render", "-C", fleet)
    before = tree(fleet)
    channel = fleet / "platform/releases/standard.yaml"
    text = channel.read_text()
    channel.write_text(text.replace("production: odoo-18.0-20261012", "production: odoo-18.0-20261109"))
    assert run("render", "-C", fleet).code == 0
    moved = changed(before, tree(fleet))
    assert moved
    assert all(path.split("/")[4] == "app" for path in moved)


def test_each_overlay_names_exactly_one_tier_base() -> None:
    for path in (REPOSITORY / "overlays").rglob("app/kustomization.yaml"):
        resources = yaml.safe_load(path.read_text())["resources"]
        assert sum("/base/tiers/" in resource for resource in resources) == 1


def test_each_argo_cd_project_allows_what_its_application_holds_and_no_other_namespace() -> None:
    def load(path: Path) -> Any:
        return yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)

    rendered = REPOSITORY / "rendered"
    projects = {
        value["metadata"]["name"]: value["spec"] for value in map(load, rendered.glob("*/platform/*/appproject*.yaml"))
    }
    applications = [load(path) for path in rendered.glob("*/platform/*/application*.yaml")]
    assert len(applications) > 60
    for application in applications:
        spec = application["spec"]
        if "chart" in spec["source"]:
            continue  # what a chart makes is not in the tree: tests/render/test_charts.py
        project = projects[spec["project"]]
        allowed = {(rule["group"], rule["kind"]) for rule in project["namespaceResourceWhitelist"]}
        wide = [
            (rule["group"], rule["kind"], rule.get("name", "*").rstrip("*"))
            for rule in project["clusterResourceWhitelist"]
        ]
        spaces = {destination["namespace"] for destination in project["destinations"]}
        files = list((REPOSITORY / spec["source"]["path"]).rglob("*.yaml"))
        assert files, spec["source"]["path"]
        for value in map(load, files):
            identity = object_id(value)
            if identity.kind in CLUSTER_WIDE:
                assert any(
                    identity.group == g and identity.kind == k and identity.name.startswith(n) for g, k, n in wide
                )
            else:
                assert (identity.group, identity.kind) in allowed, f"{spec['project']}: {identity}"
                assert identity.namespace in spaces, f"{spec['project']}: {identity}"
        assert all(destination["name"] == spec["destination"]["name"] for destination in project["destinations"])
        assert "*" not in "".join(spaces)
