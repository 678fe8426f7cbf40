"""Which failovers can't be made, and what is said instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from change.test_guards import AS_OF, Edit, lay
from tenantry.plan.inputs import read_inputs
from tenantry.runtime.cache import Store

TENANT = "tenants/globex-eu.yaml"
HOSTS = "production: {cell: euw1-globex, hosts: [erp.globex-eu.example]"
TOKEN = "eyJkYXRhYmFzZVN5c3RlbUlkZW50aWZpZXIiOiI3In0="


def entry(step: str, to: str = "euc1-globex", generation: int = 2, token: str = "") -> str:
    given = f", promotionToken: {token}" if token else ""
    return f"{{generation: {generation}, to: {to}, step: {step}, reason: Region lost{given}}}"


def put(*entries: str) -> Edit:
    return Edit(TENANT, HOSTS, f"{HOSTS}, failovers: [{', '.join(entries)}]")


def said(folder: Path, *edits: Edit) -> list[str]:
    found = read_inputs(lay(folder / "fleet", edits), AS_OF, Store(None)).findings
    return [f"{f.code} {f.place.line} {f.message}" for f in found if f.severity == "error"]


@pytest.mark.parametrize("entries", [
    [entry("demote")], [entry("promote")], [entry("promote", token=TOKEN)], [entry("rebuild")], [entry("done")],
    [entry("done"), entry("demote", "euw1-globex", 3)], [entry("done"), entry("done", "euw1-globex", 3, TOKEN), entry("promote", generation=5)],
])  # fmt: skip
def test_failovers_between_the_two_places_are_taken(tmp_path: Path, entries: list[str]) -> None:
    assert said(tmp_path, put(*entries)) == []


@pytest.mark.parametrize(("entries", "message"), [
    ([entry("promote", "euc1-a")], "cluster 'euc1-a' has no copy of it"),
    ([entry("promote", "euw1-globex")], "it is in cluster 'euw1-globex' already"),
    ([entry("done"), entry("promote", generation=3)], "it is in cluster 'euc1-globex' already"),
    ([entry("done"), entry("done", "euw1-globex")], "generation 2 is not above 2, so its archive may not be empty"),
    ([entry("promote"), entry("promote", "euw1-globex", 3)], "generation 2 is in the step 'promote', although a later failover has begun"),
    ([entry("demote", token=TOKEN)], "the server is demoted in this step, and has not said yet where it ends"),
    ([entry("rebuild", token=TOKEN)], "the place that was demoted follows already, so nothing is made again"),
])  # fmt: skip
def test_one_that_contradicts_itself_is_refused_at_its_line(tmp_path: Path, entries: list[str], message: str) -> None:
    assert f"F045 22 {message}" in said(tmp_path, put(*entries))


MOVE = """\
  migration:
    step: prepare
    from: {tier: dedicated, cells: {recovery: euw1-globex}}
    to: {tier: dedicated, cells: {recovery: euw1-globex}}
    keepSourceUntil: "2026-12-31"
"""
RESTORE = '{generation: 2, source: 1, step: recover, targetTime: "2026-11-20T10:15:00Z", reason: Import, keepSourceUntil: "2026-12-31"}'


@pytest.mark.parametrize(("edit", "why"), [
    (Edit(TENANT, "  environments:\n", f"{MOVE}  environments:\n"), "it moves"),
    (Edit(TENANT, HOSTS, f"{HOSTS}, restores: [{RESTORE}]"), "it is being restored"),
    (Edit(TENANT, HOSTS, f"{HOSTS}, state: suspended"), "it is suspended"),
    (Edit("platform/clusters/euc1-globex.yaml", "region: eu-central", "region: eu-west"), "both places are in region 'eu-west', and would be lost together"),
    (Edit("tiers/dedicated.yaml", "replicaInDrRegion: true", "replicaInDrRegion: false"), "tier 'dedicated' keeps no replica of production at a DR site"),
])  # fmt: skip
def test_nothing_fails_over_meanwhile_or_without_another_place(tmp_path: Path, edit: Edit, why: str) -> None:
    found = said(tmp_path, put(entry("promote")), edit)
    assert any(line.startswith("F045") and f"globex-eu-production can't fail over: {why}" in line for line in found), (
        found
    )


def test_a_private_link_must_reach_as_far_from_the_dr_site(tmp_path: Path) -> None:
    edit = Edit("platform/clusters/euc1-globex.yaml", "[198.18.64.0/18, 198.18.0.0/18]", "[198.18.64.0/18]")
    assert [line.partition(" ")[0] for line in said(tmp_path, edit)] == ["F018"]
