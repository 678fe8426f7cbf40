"""The bootstrap page against the rendered objects: its order is that of the sync waves, and nothing that it needs is left out."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import REPOSITORY, Ran

Run = Callable[..., Ran]
PAGE = (REPOSITORY / "docs/how-to/bootstrap-a-platform.md").read_text()
CLUSTER = "euw1-a"
WAVE = "argocd.argoproj.io/sync-wave"
TREES = {"platform": f"{CLUSTER}/platform", "cell": f"{CLUSTER}/cells/euw1-shared-a"}
REST = "everything else"
LEFT = {"juniper-clinic-production"}
"""Namespaces of tenants that are offboarded: Odoo is gone, and what it read stays until the data goes."""
NATIVE = re.compile(r"(?:[a-z]+|[a-z.]+\.k8s\.io)\Z")
"""API groups that every cluster serves."""


def objects(folder: str) -> list[dict[str, Any]]:
    return [yaml.safe_load(file.read_text()) for file in sorted((REPOSITORY / "rendered" / folder).rglob("*.yaml"))]


def wave(value: dict[str, Any]) -> int:
    return int(value["metadata"].get("annotations", {}).get(WAVE, 0))


def group(value: dict[str, Any]) -> str:
    return str(value["apiVersion"]).rpartition("/")[0]


def waves(tree: str) -> dict[int, set[str]]:
    found = defaultdict(set)
    for value in objects(TREES[tree]):
        found[wave(value)].add(value["kind"])
    return dict(found)


def told(tree: str) -> dict[int, str]:
    """Rows of the page's table for a tree."""
    table = re.search(rf"^\| wave \| {tree} \|\n\|---\|---\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert table
    return {int(row.split("|")[1]): row.split("|")[2].strip() for row in table[1].splitlines()}


@pytest.mark.parametrize("tree", TREES)
def test_the_tables_are_the_waves_of_the_rendered_objects(tree: str) -> None:
    rendered, said = waves(tree), told(tree)
    assert list(said) == sorted(rendered)
    for number, kinds in rendered.items():
        named = set(re.findall(r"\b[A-Z]\w+", re.sub(r"\(.*?\)", "", said[number]))) - {"Redis"}
        assert named <= kinds, number
        assert REST in said[number] or named == kinds, number


def test_each_step_has_what_it_needs_from_an_earlier_one() -> None:
    project, application = (
        f"rendered/{CLUSTER}/platform/common/{kind}.argoproj.io_argocd_{CLUSTER}-platform.yaml"
        for kind in ("appproject", "application")
    )
    steps = (
        "argo-cd/v", f"-f rendered/{CLUSTER}/platform/argocd/configmap", f"in rendered/{CLUSTER}/platform/charts/", "| `external-secrets.io` |",
        f"secrets --cluster {CLUSTER} --grants", f"secrets --cluster {CLUSTER} --present", f"-f rendered/{CLUSTER}/platform/argocd/\n", "wait externalsecret",
        f"-f {project}", f"-f {application}",
    )  # fmt: skip
    places = [PAGE.index(step) for step in steps]
    assert places == sorted(places)
    first, second = (yaml.safe_load((REPOSITORY / file).read_text()) for file in (project, application))
    assert wave(first) < wave(second)
    assert second["spec"]["project"] == first["metadata"]["name"]
    made = {
        value["spec"]["target"]["template"]["metadata"]["labels"]["argocd.argoproj.io/secret-type"]
        for value in objects(f"{CLUSTER}/platform/argocd") if value["kind"] == "ExternalSecret"
    }  # fmt: skip
    assert made == {"cluster", "repository"}


def test_every_api_group_of_the_trees_is_installed_by_some_component() -> None:
    used = {group(value) for value in objects(CLUSTER)}
    table = re.findall(
        r"^\| [A-Z][\w -]+ \| `([\w.-]+)` \|", PAGE.replace("| cert-manager", "| Cert-manager"), re.MULTILINE
    )
    assert set(table) | {"argoproj.io"} == {name for name in used if name and not NATIVE.match(name)}
    versions = yaml.safe_load((REPOSITORY / "platform/platform.yaml").read_text())["spec"]["components"]
    assert f"/v{versions['argocd']}/manifests/install.yaml" in PAGE


def test_the_table_of_components_is_the_charts_of_the_example() -> None:
    charts = {v["spec"]["source"]["chart"] for v in objects(f"{CLUSTER}/platform/charts") if v["kind"] == "Application"}
    named = set(re.findall(r"^\| [\w -]+ \| `[\w.-]+` \| ([a-z-]+), [\w-]+/[\w-]+ \|", PAGE, re.MULTILINE))
    assert charts - {"metrics-server"} == named
    assert "metrics-server comes in the same way" in PAGE


def test_what_a_component_needs_before_it_is_applied_before() -> None:
    """A chart's own project comes first, and nothing of a component names the cluster as only a Secret lets Argo CD know it."""
    there = objects(f"{CLUSTER}/platform/charts")
    projects = {value["metadata"]["name"]: wave(value) for value in there if value["kind"] == "AppProject"}
    for value in there:
        if value["kind"] == "Application":
            assert projects[value["spec"]["project"]] < wave(value)
            assert "name" not in value["spec"]["destination"]
    assert PAGE.index("for kind in appproject application") < PAGE.index("kubectl -n argocd wait externalsecret")


def test_secrets_that_no_object_makes_are_on_the_page() -> None:
    needed = set()
    spaces = yaml.safe_load((REPOSITORY / "platform/platform.yaml").read_text())["spec"]["namespaces"]
    for value in objects(f"{CLUSTER}/platform/common"):
        if value["kind"] == "ClusterIssuer" and "ca" in value["spec"]:
            needed.add(f"{spaces['certManager']}/{value['spec']['ca']['secretName']}")
        if value["kind"] == "BackupStorageLocation":
            needed.add(f"{spaces['velero']}/{value['spec']['credential']['name']}")
    assert set(re.findall(r"^\| `([a-z-]+/[a-z-]+)` \|", PAGE, re.MULTILINE)) == needed


def test_the_list_of_names_ends_when_nothing_is_missing(run: Run, tmp_path: Path) -> None:
    listed = json.loads(run("secrets", "-C", REPOSITORY, "--format", "json").out)["secrets"]
    names = tmp_path / "names.txt"
    names.write_text("".join(f"{one['path']} {one['name']}\n" for one in listed))
    assert run("secrets", "--present", names, "-C", REPOSITORY).code == 0
    lost = f"platform/{CLUSTER}/argocd/repository"
    names.write_text("".join(f"{one['path']} {one['name']}\n" for one in listed if one["path"] != lost))
    ran = run("secrets", "--present", names, "-C", REPOSITORY)
    assert (ran.code, ran.out.count("MISSING")) == (1, 2)
    assert lost in ran.out


def test_files_on_the_page_exist() -> None:
    for name in re.findall(r"rendered/[\w./-]+", PAGE):
        assert (REPOSITORY / name).exists(), name


def test_what_no_pod_of_the_trees_reads_is_read_by_a_component_of_the_page() -> None:
    unread = set()
    for namespace, members in by_namespace().items():
        text = json.dumps([value for value in members if value["kind"] not in ("ConfigMap", "Namespace")])
        named = {value["metadata"]["name"] for value in members if value["kind"] == "ConfigMap"}
        if namespace in LEFT:
            continue
        unread |= {f"{namespace}/{name}" for name in named if f'"{name}"' not in text}
    boards = {f"monitoring/dashboard-{name}" for name in ("tenants", "cells", "platform")}
    assert unread == {"argocd/argocd-cm", "argocd/argocd-cmd-params-cm", "traefik/traefik-static", *boards}
    for name in unread:
        assert f"`{name.partition('/')[2]}`" in PAGE, name


def by_namespace() -> dict[str, list[dict[str, Any]]]:
    found = defaultdict(list)
    for value in objects(CLUSTER):
        found[value["metadata"].get("namespace", "")].append(value)
    return found
