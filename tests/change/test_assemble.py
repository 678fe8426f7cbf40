"""What a plan says of real changes: tenants, restarts, migrations, data, cost, order, approvers."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import REPOSITORY
from tenantry.change.assemble import Planned, make_plan
from tenantry.change.revisions import INPUT_FOLDERS, Revision, texts_of_folder
from tenantry.change.side import read_past, read_side
from tenantry.core.changes import Plan, SubjectChange
from tenantry.engine.kustomize import Engine
from tenantry.runtime.cache import Store

AS_OF = "2026-11-27"  # a Friday
Edits = dict[str, tuple[str, str]]


@pytest.fixture(scope="module")
def documents() -> Store:
    return Store()


@pytest.fixture
def planned(tmp_path: Path, parser: Engine, documents: Store) -> Callable[..., Planned]:
    """The plan of edits to the example fleet: file -> (old text, new text)."""

    def make(edits: Edits, added: dict[str, str] | None = None, removed: tuple[str, ...] = ()) -> Planned:
        fleet = tmp_path / "fleet"
        for folder in INPUT_FOLDERS:
            shutil.copytree(REPOSITORY / folder, fleet / folder)
        for file, (old, new) in edits.items():
            text = (fleet / file).read_text()
            assert old in text, (file, old)
            (fleet / file).write_text(text.replace(old, new))
        for file, text in (added or {}).items():
            (fleet / file).write_text(text)
        for file in removed:
            (fleet / file).unlink()
        texts = texts_of_folder(REPOSITORY, fleet)
        after = read_side(Revision("the change", fleet), AS_OF, documents)
        before = read_past("the base", after, texts, documents)
        return make_plan(parser, before, after, tuple(texts), AS_OF)

    return make


def of(plan: Plan, name: str) -> SubjectChange:
    return next(change for change in plan.subjects if change.subject.name == name)


def whats(change: SubjectChange, risk: str) -> list[str]:
    return [effect.what for effect in change.effects if effect.risk == risk]


STANDARD = "platform/releases/standard.yaml"
CELL = "platform/cells/euw1-shared-a.yaml"
ACME = "tenants/acme.yaml"


def test_nothing_changed(planned: Callable[..., Planned]) -> None:
    plan = planned({}).plan
    assert (plan.subjects, plan.steps, plan.approvals) == ((), (), ())


def test_a_promotion_migrates_each_tenant_of_the_channel_in_its_window(planned: Callable[..., Planned]) -> None:
    made = planned({STANDARD: ("production: odoo-18.0-20261012", "production: odoo-18.0-20261109")})
    plan = made.plan
    assert not made.findings
    migrated = {c.subject.tenant for c in plan.subjects if c.migrates}
    assert {"acme", "acme-corp", "smith-advisory", "northwind-partners", "meridian-engineering"} <= migrated
    assert not migrated & {"globex-eu", "harbor-logistics", "juniper-clinic"}  # own channel, suspended, offboarding
    acme = of(plan, "acme-production")
    assert acme.restarts == ("odoo-web",)
    assert "while it is migrated (300 min at most, then it is stopped)" in acme.downtimes
    assert [(by.application, by.pipeline, by.window) for by in acme.synced_by] == [
        ("acme-production-app", "app", "Sun 2026-11-29 01:00 Europe/Madrid, 4 h")
    ]
    assert {c.subject.environment for c in plan.subjects} == {"production"}
    assert plan.risk == "availability"
    assert plan.approvals[0].who == "operations"
    assert any(one.who == "accounts-emea" and one.why.startswith("owner of ") for one in plan.approvals)


def test_instances_are_folded_only_when_exactly_the_same_changes(planned: Callable[..., Planned]) -> None:
    plan = planned({STANDARD: ("production: odoo-18.0-20261012", "production: odoo-18.0-20261109")}).plan
    groups = [{subject.name for subject in group} for group in plan.folded]
    shared = next(group for group in groups if "acme-production" in group)
    assert {"acme-corp-production", "smith-advisory-production"} <= shared
    assert "iberia-travel-production" not in shared  # a control is lifted there
    assert "harbor-logistics-production" not in shared  # suspended: no Pod restarts
    assert "meridian-engineering-production" not in shared  # three Deployments


def test_a_cell_that_restarts_is_said_of_each_of_its_tenants(planned: Callable[..., Planned]) -> None:
    plan = planned({CELL: ("memoryMiB: 49152", "memoryMiB: 65536")}).plan
    cell = next(change for change in plan.subjects if change.subject.kind == "cell")
    assert "acme" in cell.affects
    assert cell.restarts == ("postgresql",)
    for name in ("acme-production", "smith-advisory-production"):
        member = of(plan, name)
        assert any(
            what.startswith("its cell: PostgreSQL restarts, standbys first") for what in whats(member, "availability")
        )
        assert member.downtimes == ("seconds: connections are cut once, when the primary moves",)
        assert member.cost is not None
        assert (member.cost.after or 0) > (member.cost.before or 0)
    assert not any(change.subject.tenant == "iberia-travel" for change in plan.subjects)


def test_a_larger_volume_costs_and_a_parameter_needs_no_restart(planned: Callable[..., Planned]) -> None:
    cell = next(
        c for c in planned({CELL: ("storageGiB: 500", "storageGiB: 600")}).plan.subjects if c.subject.kind == "cell"
    )
    assert whats(cell, "cost") == ["PostgreSQL volume grows while it is in use: storage.size 500Gi -> 600Gi"]
    assert cell.restarts == ()


def test_a_new_tenant_shows_what_matters_of_its_objects(planned: Callable[..., Planned]) -> None:
    text = (REPOSITORY / "tenants/smith-advisory.yaml").read_text()
    text = text.replace("smith-advisory", "contoso").replace("Smith Advisory", "Contoso")
    plan = planned({}, added={"tenants/contoso.yaml": text}).plan
    new = of(plan, "contoso-production")
    assert new.action == "added"
    assert "hosts erp.contoso.example at entry point websecure" in new.contents
    assert any(line.startswith("network integration-bank-feed: to ") and "443/TCP" in line for line in new.contents)
    assert new.cost is not None
    assert new.cost.before is None
    assert {by.pipeline for by in new.synced_by} == {"infra", "app", "platform", "cell"}
    assert {c.subject.name for c in plan.subjects} == {"contoso-production", "euw1-shared-a"}


def test_a_new_domain_of_the_customer_comes_with_its_record(planned: Callable[..., Planned]) -> None:
    plan = planned(
        {ACME: ("hosts: [erp.acme.example]", "hosts: [erp.acme.example, shop.acme.example, acme.erp.provider.example]")}
    ).plan
    told = [line for line in of(plan, "acme-production").contents if "CNAME" in line]
    record = "_acme-challenge.shop.acme.example CNAME shop.acme.example.acme.provider.example"
    assert told == [f"the customer adds, before a certificate can be issued: {record}"]


def test_settings_that_are_read_at_start_ask_for_a_restart(planned: Callable[..., Planned]) -> None:
    platform, cluster = "platform/platform.yaml", "platform/clusters/euw1-a.yaml"
    exclusion = "  argocd: {exclusions: [{apiGroups: [a.example], kinds: [Big]}]}\n"
    edits = {
        platform: ("  secretStore:\n", f"{exclusion}  secretStore:\n"),
        cluster: ("[192.0.2.32/28]", "[192.0.2.32/29]"),
    }
    told = whats(of(planned(edits).plan, "euw1-a"), "availability")
    assert "ConfigMap argocd-cm changes; Argo CD reads it at once" in told
    assert "ConfigMap traefik-static changes; Traefik reads it when its Pods start, so restart them" in told


def test_a_moved_tenant_is_data_at_risk(planned: Callable[..., Planned]) -> None:
    plan = planned({ACME: ("cell: euw1-shared-a", "cell: euw1-shared-b")}).plan
    acme = of(plan, "acme-production")
    assert acme.risk == plan.risk == "data"
    assert any("its database would be elsewhere, and empty" in what for what in whats(acme, "data"))
    assert ("platform-leads", "data: acme (production)") in {(one.who, one.why) for one in plan.approvals}


def test_a_removed_tenant_is_named_as_such(planned: Callable[..., Planned]) -> None:
    plan = planned({}, removed=(ACME,)).plan
    assert of(plan, "acme-production").action == "removed"
    assert of(plan, "acme-production").risk == "data"
    assert plan.steps[-1].what.startswith("removal")


def test_a_lifted_control_is_isolation(planned: Callable[..., Planned]) -> None:
    text = next((REPOSITORY / "policies/exceptions").glob("*.yaml")).read_text()
    name = "acme-login"
    lines = ["metadata:", f"  name: {name}"]
    head, _, spec = text.partition("spec:")
    assert "kind: Exception" in head
    changed = "\n".join(["apiVersion: tenantry.io/v1alpha1", "kind: Exception", *lines, "spec:" + spec])
    changed = changed.replace("tenant: iberia-travel", "tenant: acme")
    plan = planned({}, added={f"policies/exceptions/{name}.yaml": changed}).plan
    acme = of(plan, "acme-production")
    assert acme.risk == "isolation"
    assert acme.controls.lifted_before == ()
    assert acme.controls.lifted_after == ("EDGE-04",)
    assert any(what.startswith("control EDGE-04 is lifted until ") for what in whats(acme, "isolation"))


def test_a_tier_change_hits_its_tenants_and_no_others(planned: Callable[..., Planned]) -> None:
    plan = planned({"tiers/segmented.yaml": ("requestsPerSecond: 50", "requestsPerSecond: 60")}).plan
    tenants = {change.subject.tenant for change in plan.subjects if change.objects}
    assert "northwind-partners" in tenants
    assert not tenants & {"acme", "globex-eu", "smith-advisory"}


def test_release_and_infrastructure_in_one_change_are_said(planned: Callable[..., Planned]) -> None:
    made = planned({
        STANDARD: ("production: odoo-18.0-20261012", "production: odoo-18.0-20261109"),
        "tenants/northwind-partners.yaml": ("users: 140", "users: 160"),
    })  # fmt: skip
    assert [(f.code, f.tenant) for f in made.findings] == [("B010", "northwind-partners")]


def test_a_suspended_tenant_is_down_until_it_is_active(planned: Callable[..., Planned]) -> None:
    plan = planned({ACME: ("  tier: shared\n", "  tier: shared\n  state: suspended\n")}).plan
    assert "until it is active again" in of(plan, "acme-production").downtimes
    assert of(plan, "acme-production").objectives == ()


def test_staging_comes_before_production(planned: Callable[..., Planned]) -> None:
    plan = planned({"tiers/segmented.yaml": ("requestsPerSecond: 50", "requestsPerSecond: 60")}).plan
    kinds = [step.what.split(":")[0] for step in plan.steps]
    assert kinds == sorted(kinds, key=["shared services", "staging and recovery", "production"].index)
    assert "staging and recovery" in kinds
