"""A zone or a node is lost: what is left serves, servers are promoted, Pods start elsewhere, volumes stay where they were.

At the worst: the part that is lost holds every primary, and Pods that nothing keeps apart are all there.
"""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import dig, how_many, mapping
from tenantry.prove.cluster_state import State
from tenantry.prove.objectives import database_of, restore_minutes, rpo_in_region
from tenantry.prove.promises import Home
from tenantry.prove.schedules import FOREVER
from tenantry.resolve.instance import Instance
from tenantry.simulate.loss import Attained, Course, Loss, Outcome
from tenantry.simulate.parts import Domain, NeededPart, parts_of
from tenantry.verify.values import quantity

NOTICE_MINUTES = 50 / 60
"""Until a node that is silent is not ready: kube-controller-manager, --node-monitor-grace-period."""
EVICTION_MINUTES = 300 / 60
"""Until its Pods are replaced: the tolerations that the admission plugin DefaultTolerationSeconds adds."""


def course(state: State, home: Home, loss: Loss) -> Course | None:
    """What becomes of an instance in a cluster that loses a zone or a node; None if nothing of it is there."""
    instance = home.instance
    assert instance is not None
    domain: Domain = "node" if loss.kind == "node-loss" else "zone"
    hit = [part for part in parts_of(state, home, domain) if not loss.pool or part.pool == loss.pool]
    server = database_of(state, home)
    if not hit or server is None:
        return None
    if instance.environment != "production" or not instance.running:
        return Course(instance=instance.name, tenant=instance.tenant.name, tier=instance.tier.name, outcome="waits")
    steps = {part.name: tuple(_minutes(state, part)) for part in hit}
    longest = max(steps.values(), key=lambda found: sum(minutes for _, minutes in found))
    database = next((part for part in hit if part.kind == "PostgreSQL"), None)
    value = sum(minutes for _, minutes in longest)
    rto = Attained(
        None if value == FOREVER else value,
        instance.tier.objectives.rto_minutes,
        tuple((what, f"{minutes:.4g} min") for what, minutes in longest),
    )
    rpo = rpo_in_region(instance, server)
    lost = rpo.value if database is not None else 0.0
    why = tuple((what, amount) for what, amount, _ in rpo.steps) if database is not None else ()
    return Course(
        instance=instance.name, tenant=instance.tenant.name, tier=instance.tier.name, outcome=_outcome(hit),
        place=f"{home.cluster.name}/{home.site.cell.name}", rpo=Attained(None if lost == FOREVER else lost, rpo.promised, why),
        rto=rto, missing=tuple(_missing(hit, domain)), commands=tuple(_commands(instance, loss)),
    )  # fmt: skip


def _outcome(hit: list[NeededPart]) -> Outcome:
    if any(part.kind == "PostgreSQL" and not part.left for part in hit):
        return "restored"
    return "restarts" if any(part.kind != "Pods" or not part.left for part in hit) else "serves"


def _minutes(state: State, part: NeededPart) -> Iterator[tuple[str, float]]:
    """(what, minutes) until a part works again."""
    rates = state.promises.platform.recovery
    if part.kind == "Pods" and part.left:
        yield f"{part.left} of {part.replicas} Pods of {part.name} are left", 0.0
    elif part.kind == "Pods":
        yield "the node is not ready", NOTICE_MINUTES
        yield f"Pods of {part.name} are replaced", EVICTION_MINUTES
        yield "start Odoo", rates.start_minutes
    elif part.kind == "PostgreSQL" and part.left:
        yield "the node is not ready, a standby is promoted", NOTICE_MINUTES + _delay(part)
    else:
        yield "detect", rates.detect_minutes
        yield "decide to give the volume up", rates.decide_minutes
        if part.kind == "PostgreSQL":
            yield from ((what, minutes) for what, minutes, _ in restore_minutes(state, part.manifest))
            yield "start Odoo", rates.start_minutes


def _delay(part: NeededPart) -> float:
    return float(quantity(part.manifest.spec.get("failoverDelay")) or 0) / 60


def _missing(hit: list[NeededPart], domain: Domain) -> Iterator[str]:
    for part in hit:
        if part.kind == "Redis":
            volume = "its primary has one volume, in one zone; when that is given up, sessions are lost"
            pod = "its primary's Pod is not replaced before the node is removed"
            yield f"Redis: {volume if domain == 'zone' else pod}"
        elif part.kind == "PostgreSQL" and not part.left:
            why = "it is one instance" if part.replicas == 1 else f"nothing keeps its {part.replicas} instances apart"
            yield f"PostgreSQL: {why}, so all of it may be in the {domain}"
        elif part.kind == "PostgreSQL" and _waits(part):
            yield "PostgreSQL: too few standbys are left to confirm a write, so writes wait until one is back"


def _waits(part: NeededPart) -> bool:
    """Whether commits need more standbys than are left beside the new primary."""
    synchronous = mapping(dig(part.manifest.spec, "postgresql", "synchronous"))
    required = bool(synchronous) and synchronous.get("dataDurability", "required") == "required"
    return required and how_many(synchronous.get("number")) > part.left - 1


def _commands(instance: Instance, loss: Loss) -> Iterator[tuple[str, ...]]:
    space, cluster = instance.names.namespace, instance.site.cluster.name
    if loss.kind == "node-loss":
        yield ("kubectl", "get", "pods", "--output", "wide", "--namespace", space, "--context", cluster)
    yield ("tenantry", "runbook", instance.tenant.name, "zone-lost")
