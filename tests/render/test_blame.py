"""From a field of a rendered object of the example fleet to its template and to the input line that decided it."""

from __future__ import annotations

import datetime
from functools import cache
from typing import Any

import pytest
import yaml

from conftest import REPOSITORY
from tenantry.core.findings import Cause
from tenantry.core.manifest import Manifest, Path, Problem
from tenantry.plan.inputs import read_inputs
from tenantry.render.blame import Blamer, Field, Source
from tenantry.render.kustomizations import object_id
from tenantry.render.units import units
from tenantry.runtime.cache import Store

UNIT = "rendered/euw1-a/production/smith-advisory"
WEB = f"{UNIT}/app/deployment.apps_smith-advisory-production_odoo-web.yaml"
TENANT = "tenants/smith-advisory.yaml"


def blamer() -> Blamer:
    """A new one, as a run has it: it counts what it was asked."""
    inputs = read_inputs(REPOSITORY, datetime.date.today().isoformat(), Store())
    return Blamer(inputs.fleet, units(inputs.fleet, inputs.resolution.instances))


shared_blamer = cache(blamer)


def rendered(file: str) -> Manifest:
    value: Any = yaml.safe_load((REPOSITORY / file).read_text())
    return Manifest(object_id(value), "", value, file=file)


def source(file: str, *path: str | int) -> Source:
    found = shared_blamer().source(rendered(file), Field(path))
    assert found is not None
    return found


def template_line(found: Source) -> tuple[str, str]:
    """The template that wrote a field, and its line there."""
    template, _, line = found.written_by.rpartition(":")
    return template, (REPOSITORY / "generator/tenantry/render" / template).read_text().splitlines()[int(line) - 1]


def deciding(found: Source) -> list[str]:
    """The lines of the inputs that decided."""
    lines = []
    for place in found.decided_by:
        text = (REPOSITORY / place.file).read_text().splitlines()[place.line - 1]
        lines.append(f"{place.file}: {text.strip()}")
    return lines


CONTAINER = ("spec", "template", "spec", "containers", 0)
DECIDED: list[tuple[str, Path, str]] = [
    (WEB, (*CONTAINER, "image"), "platform/releases/odoo-18.0-20261012.yaml: image: "),
    (WEB, (*CONTAINER, "resources", "limits", "memory"), "tiers/shared.yaml: memory: "),
    (f"{UNIT}/app/horizontalpodautoscaler.autoscaling_smith-advisory-production_odoo-web.yaml", ("spec", "maxReplicas"), "tiers/shared.yaml: replicas: "),
    (f"{UNIT}/app/middleware.traefik.io_smith-advisory-production_rate-limit.yaml", ("spec", "rateLimit", "average"), "tiers/shared.yaml: requestsPerSecond: "),
    (f"{UNIT}/infra/networkpolicy.networking.k8s.io_smith-advisory-production_integration-bank-feed.yaml", ("spec", "egress", 0, "to", 0, "ipBlock", "cidr"), f"{TENANT}: - {{name: bank-feed, "),
    (f"{UNIT}/infra/certificate.cert-manager.io_smith-advisory-production_odoo-tls.yaml", ("spec", "dnsNames"), f"{TENANT}: "),
]  # fmt: skip


@pytest.mark.parametrize(("file", "path", "line"), DECIDED, ids=[str(path[-1]) for _, path, _ in DECIDED])
def test_a_field_leads_to_the_input_line_that_decides_it(file: str, path: Path, line: str) -> None:
    found = source(file, *path)
    assert any(decided.startswith(line) for decided in deciding(found)), deciding(found)


def test_what_is_the_same_for_everyone_is_decided_by_no_input() -> None:
    found = source(WEB, "spec", "template", "spec", "automountServiceAccountToken")
    assert found.decided_by == ()
    assert str(found).startswith("the same for everyone, template templates/macros/odoo.j2:")


@pytest.mark.parametrize(
    ("path", "above"),
    [(("spec", "revisionHistoryLimit"), "spec:"), (("spec", "template", "metadata", "labels"), "    metadata:")],
)
def test_a_field_of_the_template_leads_to_its_line_there(path: Path, above: str) -> None:
    """Of two fields with one name, to the one below the right key."""
    found = source(WEB, *path)
    template, line = template_line(found)
    lines = (REPOSITORY / "generator/tenantry/render" / template).read_text().splitlines()
    assert line.strip().startswith(f"{path[-1]}:")
    assert int(found.written_by.rpartition(":")[2]) - 1 > lines.index(above)


def test_an_object_of_a_component_leads_to_the_components_template() -> None:
    found = source(
        f"{UNIT}/infra/networkpolicy.networking.k8s.io_smith-advisory-production_default-deny.yaml",
        "spec",
        "policyTypes",
    )
    template, line = template_line(found)
    assert template.startswith("templates/components/")
    assert "policyTypes:" in line


@pytest.mark.parametrize(
    "file",
    [
        f"{UNIT}/app/no-such-object.yaml",
        "rendered/nowhere/production/smith-advisory/app/x.yaml",
        "tenants/smith-advisory.yaml",
    ],
)
def test_what_no_template_makes_has_no_source(file: str) -> None:
    value: Any = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "stray"}}
    assert shared_blamer().source(Manifest(object_id(value), "", value, file=file), Field(("metadata", "name"))) is None


def test_without_experiments_the_template_alone_is_named() -> None:
    path = (*CONTAINER, "image")
    found = shared_blamer().source(rendered(WEB), Field(path), 0)
    whole = source(WEB, *path)
    assert found == Source(whole.written_by, written_at=whole.written_at, varies=True)
    assert str(found) == f"template {found.written_by}"


def test_the_first_findings_of_a_run_are_followed_to_the_inputs_and_the_rest_to_their_templates() -> None:
    """An experiment takes a while, and a broken template can break thousands of objects."""
    said = blamer()
    problem = Problem("V000", ("spec", "rateLimit", "average"), "wrong", "")
    manifest = rendered(f"{UNIT}/app/middleware.traefik.io_smith-advisory-production_rate-limit.yaml")
    causes = [said(manifest, problem) for _ in range(12)]
    answers = [cause.text for cause in causes]
    roles = [tuple(related.role for related in cause.places) for cause in causes]
    assert set(roles[:10]) == {("input", "template"), ("input", "input", "template")} & set(roles)
    assert set(roles[10:]) == {("template",)}
    assert [text for text in answers if "tiers/shared.yaml:" in text] == answers[:10]
    assert all("middleware-rate-limit.yaml.j2:" in text for text in answers)


def test_an_object_that_no_template_makes_is_blamed_on_nothing() -> None:
    value: Any = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "stray"}}
    manifest = Manifest(object_id(value), "", value, file=f"{UNIT}/app/configmap_stray.yaml")
    assert shared_blamer()(manifest, Problem("V000", (), "wrong", "")) == Cause()
