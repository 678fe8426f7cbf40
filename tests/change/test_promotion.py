"""A release goes through a channel in steps, each proved before the next."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from conftest import REPOSITORY
from tenantry.change.promotion import next_step, way_back
from tenantry.core.findings import UsageError
from tenantry.inputs.fleet import Fleet
from tenantry.model.channel import Channel, Rollout
from tenantry.model.release import Proof, Release
from tenantry.plan.inputs import Inputs, read_inputs
from tenantry.resolve.instances import resolve
from tenantry.runtime.cache import Store

AS_OF = "2026-11-27"
NEXT = "odoo-18.0-20261109"
PASSED = [
    Proof(environment=e, date="2026-11-20", by="A", migration="passed", probes="passed")
    for e in ("staging", "production")
]  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def example() -> Inputs:
    return read_inputs(REPOSITORY, AS_OF, Store())


def fleet_with(example: Inputs, channel: dict[str, object], proved: Sequence[Proof] = ()) -> Inputs:
    fleet = example.fleet
    standard = dataclasses.replace(fleet.all(Channel)["standard"], **channel)  # type: ignore[arg-type]
    release = dataclasses.replace(fleet.all(Release)[NEXT], proved=tuple(proved))
    entries = {
        **fleet.entries,
        "Channel": {**fleet.entries["Channel"], "standard": standard},
        "Release": {**fleet.entries["Release"], NEXT: release},
    }
    changed = Fleet(fleet.root, entries, fleet.documents, fleet.broken)
    return Inputs(changed, resolve(changed), [])


def in_staging(example: Inputs, release: str) -> dict[str, object]:
    releases = example.fleet.all(Channel)["standard"].releases
    return {"releases": dataclasses.replace(releases, staging=release)}


def test_staging_is_first(example: Inputs) -> None:
    step = next_step(fleet_with(example, in_staging(example, "odoo-18.0-20261012")), "standard", NEXT, AS_OF)
    assert step.edits == (f"spec.releases.staging={NEXT}",)
    assert "--record staging" in step.then


@pytest.mark.parametrize(
    ("proved", "said"),
    [
        ([], f"'{NEXT}' was not proved in staging"),
        ([Proof(environment="staging", date="2026-11-16")], f"'{NEXT}' was not proved in staging"),
        (
            [PASSED[0], Proof(environment="staging", date="2026-11-21", by="B", migration="failed", probes="passed")],
            f"'{NEXT}' failed in staging on 2026-11-21 (B)",
        ),
    ],
)
def test_what_staging_did_not_prove_does_not_reach_production(example: Inputs, proved: list[Proof], said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("(", r"\(").replace(")", r"\)")) as refused:
        next_step(fleet_with(example, {}, proved), "standard", NEXT, AS_OF)
    assert f"tenantry promote standard {NEXT} --record staging" in refused.value.hint


def test_the_smallest_tenant_is_the_canary_unless_others_are_named(example: Inputs) -> None:
    step = next_step(fleet_with(example, {}, PASSED), "standard", NEXT, AS_OF)
    assert step.edits == (f'spec.rollout={{"release": "{NEXT}", "tenants": ["the-longest-tenant-name-we-had"]}}',)
    assert step.tenants == ("the-longest-tenant-name-we-had: Sun 2026-11-29 01:00 Europe/Madrid, 4 h",)
    step = next_step(fleet_with(example, {"canaries": ("acme",)}, PASSED), "standard", NEXT, AS_OF)
    assert '"tenants": ["acme"]' in step.edits[0]


def test_a_wave_waits_for_the_record_of_the_canaries(example: Inputs) -> None:
    rollout = {"rollout": Rollout(release=NEXT, tenants=("acme",))}
    with pytest.raises(UsageError, match="was not proved in production"):
        next_step(fleet_with(example, rollout, PASSED[:1]), "standard", NEXT, AS_OF)


def test_waves_grow_and_the_last_one_ends_the_rollout(example: Inputs) -> None:
    followers = [
        i.tenant.name for i in example.resolution.instances.values()
        if i.tenant.channel == "standard" and i.environment == "production" and not i.leaving
    ]  # fmt: skip
    tenants: tuple[str, ...] = ()
    sizes = []
    while True:
        channel = {"rollout": Rollout(release=NEXT, tenants=tenants) if tenants else None, "waves": (25, 50, 100)}
        step = next_step(fleet_with(example, channel, PASSED), "standard", NEXT, AS_OF)
        sizes.append(len(step.tenants))
        if not step.edits[0].startswith("spec.rollout="):
            break
        tenants += tuple(line.split(":")[0] for line in step.tenants)
    assert step.edits == (f"spec.releases.production={NEXT}", f"spec.releases.recovery={NEXT}", "spec.rollout-")
    assert sum(sizes) == len(followers)
    assert sizes[0] == 1
    assert len(sizes) == 4


def test_a_tenant_of_the_rollout_runs_the_new_release_in_production_only(example: Inputs) -> None:
    instances = fleet_with(example, {"rollout": Rollout(release=NEXT, tenants=("acme",))}, PASSED).resolution.instances
    assert instances["acme-production"].release.name == NEXT
    assert instances["acme-corp-production"].release.name == "odoo-18.0-20261012"


def test_another_rollout_is_finished_first(example: Inputs) -> None:
    rollout = {"rollout": Rollout(release="odoo-18.0-20261012", tenants=("acme",))}
    with pytest.raises(UsageError, match="is in the middle of a rollout of"):
        next_step(fleet_with(example, rollout, PASSED), "standard", NEXT, AS_OF)


def test_only_what_was_not_merged_is_taken_back(example: Inputs) -> None:
    before = fleet_with(example, {"rollout": Rollout(release=NEXT, tenants=("acme",))}, PASSED)
    after = fleet_with(example, {"rollout": Rollout(release=NEXT, tenants=("acme", "acme-corp"))}, PASSED)
    back = way_back(before, after, "standard")
    assert (back.taken_back, [i.name for i in back.migrated]) == (("acme-corp",), ["acme-production"])
    assert back.edits == (f'spec.rollout={{"release": "{NEXT}", "tenants": ["acme"]}}',)
    assert way_back(fleet_with(example, {}), after, "standard").edits == ("spec.rollout-",)
    assert way_back(None, after, "standard").edits == ()  # nobody knows what was applied


def test_a_finished_promotion_has_no_way_back(example: Inputs) -> None:
    with pytest.raises(UsageError, match="channel 'standard' has no rollout") as refused:
        way_back(None, example, "standard")
    assert "build a new release with the fix" in refused.value.hint


@pytest.mark.parametrize(
    ("channel", "release", "said"),
    [("standart", NEXT, "there is no channel 'standart'"), ("standard", "odoo-18.0-20261119", "there is no release")],
)
def test_unknown_names_get_a_suggestion(example: Inputs, channel: str, release: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        next_step(example, channel, release, AS_OF)
    assert "did you mean" in refused.value.hint
