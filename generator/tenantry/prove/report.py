"""What was proved, tenant by tenant: what an auditor can file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from tenantry.core.assurance import InstanceCost, Lifted, Objective, Step, TenantAssurance
from tenantry.core.controls import CONTROLS
from tenantry.core.manifest import Manifest
from tenantry.model.tenant import Tenant
from tenantry.model.tier import Tier
from tenantry.prove.cluster_state import State
from tenantry.prove.cost import Cost, costs
from tenantry.prove.objectives import derive
from tenantry.prove.promises import Promises
from tenantry.prove.proofs import Proved
from tenantry.prove.schedules import FOREVER
from tenantry.resolve.instance import with_elsewhere
from tenantry.verify.judge import tenant_of


def assurances(promises: Promises, states: Mapping[str, State], proved: Proved) -> tuple[TenantAssurance, ...]:
    """One for each tenant that has something in these clusters, as far as they tell."""
    breached = _breached(states, proved)
    by_tenant: dict[str, list[Cost]] = defaultdict(list)
    for state in states.values():
        for cost in costs(state, states.get(state.cluster.dr_partner)):
            by_tenant[cost.tenant].append(cost)
    there = {home.tenant for state in states.values() for home in state.homes.values()}
    found = []
    for name, tenant in promises.fleet.all(Tenant).items():
        tier = promises.fleet.find(Tier, tenant.tier)
        if tier is None or name not in there:
            continue
        lifted = _lifted(proved, name)
        broken = tuple(c for c in CONTROLS if c in breached[name])
        lost = {*broken, *(entry.control for entry in lifted), *tier.controls_not_kept}
        parts = tuple(
            InstanceCost(c.environment, round(c.total, 2), {k: round(v, 2) for k, v in c.parts.items()})
            for c in by_tenant[name]
        )
        found.append(
            TenantAssurance(
                tenant=name, display_name=tenant.display_name, tier=tier.name, environments=tuple(c.environment for c in parts),
                kept=tuple(c for c in CONTROLS if c not in lost), lifted=lifted, breached=broken,
                not_promised=tuple(c for c in CONTROLS if c in tier.controls_not_kept),
                objectives=tuple(objectives_of(states, name)), costs=parts, cost_at_most=tier.cost.max_euro,
            )
        )  # fmt: skip
    return tuple(found)


def merged(
    promises: Promises, clusters: Sequence[str], parts: Iterable[TenantAssurance]
) -> tuple[TenantAssurance, ...]:
    """One for each tenant, of tenants whose clusters were all looked at."""
    needed: dict[str, set[str]] = defaultdict(set)
    for instance in with_elsewhere(promises.instances.values()):
        sites = (instance.site, instance.standby)
        needed[instance.tenant.name] |= {site.cluster.name for site in sites if site is not None}
    found: dict[str, TenantAssurance] = {}
    for part in parts:
        if needed[part.tenant] <= set(clusters):
            other = found.get(part.tenant)
            found[part.tenant] = part if other is None else _together(other, part)
    return tuple(found[name] for name in sorted(found))


def _together(one: TenantAssurance, other: TenantAssurance) -> TenantAssurance:
    return replace(
        one, environments=one.environments + other.environments, objectives=one.objectives + other.objectives,
        costs=one.costs + other.costs, kept=tuple(c for c in one.kept if c in other.kept),
        breached=tuple(c for c in CONTROLS if c in {*one.breached, *other.breached}),
        lifted=tuple(dict.fromkeys(one.lifted + other.lifted)),
    )  # fmt: skip


def objectives_of(states: Mapping[str, State], tenant: str) -> Iterator[Objective]:
    """Objectives of a tenant's running production, with their derivations."""
    for state in states.values():
        for home, instance in state.productions():
            if home.tenant != tenant:
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
        whose = tenant_of(manifest, problem)
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
