"""What was proved, tenant by tenant: what an auditor can file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from tenantry.assurance import InstanceCost, Lifted, Objective, Step, TenantAssurance
from tenantry.controls import CONTROLS
from tenantry.manifest import Manifest, text
from tenantry.model.tenant import Tenant
from tenantry.model.tier import Tier
from tenantry.prove.cost import costs
from tenantry.prove.fleet import Proved
from tenantry.prove.objectives import FOREVER, derive
from tenantry.prove.promises import Promises
from tenantry.prove.world import State


def assurances(promises: Promises, states: Mapping[str, State], proved: Proved) -> tuple[TenantAssurance, ...]:
    """One for each tenant whose clusters were all looked at."""
    breached = _breached(states, proved)
    cost = {(c.tenant, c.environment): c for s in states.values() for c in costs(s, states.get(s.cluster.dr_partner))}
    found = []
    for name, tenant in promises.fleet.all(Tenant).items():
        instances = [i for i in promises.instances.values() if i.tenant.name == name]
        sites = [i.site.cluster.name for i in instances] + [i.standby.cluster.name for i in instances if i.standby]
        tier = promises.fleet.find(Tier, tenant.tier)
        if tier is None or not instances or not states.keys() >= set(sites):
            continue
        environments = tuple(i.environment for i in instances)
        lifted = _lifted(proved, name)
        broken = tuple(c for c in CONTROLS if c in breached[name])
        lifted_ids = {entry.control for entry in lifted}
        not_kept = tuple(c for c in CONTROLS if c in tier.controls_not_kept)
        found.append(
            TenantAssurance(
                tenant=name, display_name=tenant.display_name, tier=tier.name, environments=environments,
                kept=tuple(c for c in CONTROLS if c not in {*broken, *lifted_ids, *not_kept}),
                lifted=lifted, breached=broken, not_promised=not_kept,
                objectives=tuple(objectives_of(states, name)),
                costs=tuple(
                    InstanceCost(e, round(c.total, 2), {k: round(v, 2) for k, v in c.parts.items()})
                    for e in environments if (c := cost.get((name, e))) is not None
                ),
                cost_at_most=tier.cost.max_euro,
            )
        )  # fmt: skip
    return tuple(found)


def objectives_of(states: Mapping[str, State], tenant: str) -> Iterator[Objective]:
    """Objectives of a tenant's running production, with their derivations."""
    for state in states.values():
        for home in state.homes_at("instance"):
            instance = home.instance
            if (
                instance is None
                or home.tenant != tenant
                or instance.environment != "production"
                or not instance.running
            ):
                continue
            for derived in derive(state, home, states.get(state.cluster.dr_partner)):
                value = None if derived.value == FOREVER else derived.value
                steps = tuple(Step(what, given, source) for what, given, source in derived.steps)
                yield Objective(
                    instance.environment, derived.objective, derived.unit, derived.promised, value, derived.kept, steps
                )


def _breached(states: Mapping[str, State], proved: Proved) -> dict[str, set[str]]:
    """Tenant -> controls that are broken for it. What a cell or a cluster breaks, it breaks for all who share it."""
    by_object = {id(manifest): state for state in states.values() for manifest in state.manifests}
    found: dict[str, set[str]] = defaultdict(set)
    for manifest, problem in proved.breaches:
        whose = text(manifest.labels.get("tenantry.io/tenant")) if problem.tenant is None else problem.tenant
        state = by_object.get(id(manifest))
        for tenant in [whose] if whose else _sharing(state, manifest):
            found[tenant].add(problem.control)
    return found


def _sharing(state: State | None, manifest: Manifest) -> list[str]:
    if state is None:
        return []
    home = state.home(manifest)
    if home is not None and home.role == "cell":
        return [member.tenant.name for member in home.members]
    return [other.tenant for other in state.homes_at("instance", "standby")]


def _lifted(proved: Proved, tenant: str) -> tuple[Lifted, ...]:
    exceptions = {e.name: e for e, _ in proved.lifted if e.tenant == tenant}
    return tuple(
        Lifted(e.control, e.name, e.reason, e.compensating_control, e.owner, e.approver, e.expires)
        for e in exceptions.values()
    )
