"""A failover's entry is one that can be made: there is another place, and nothing else is under way."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.findings import Finding
from tenantry.core.suggestions import choices
from tenantry.model.cell import Cell
from tenantry.model.failover import Failover
from tenantry.model.restore import CLOSED
from tenantry.plan.scope import Scope
from tenantry.resolve.instance import Instance


def possible(scope: Scope) -> Iterator[Finding]:
    """F045: failovers of instances with a replica at their DR site."""
    for instance in scope.instances.values():
        if not instance.failovers:
            continue
        why, hint = _impossible(instance)
        if why:
            yield _at(scope, instance, (), f"{instance.name} can't fail over: {why}", hint)
        elif instance.standby is not None:
            yield from _entries(scope, instance)


def _at(scope: Scope, instance: Instance, path: tuple[str | int, ...], message: str, hint: str) -> Finding:
    return scope.at(instance.tenant, ("environments", instance.environment, "failovers", *path), "F045", message, hint)


def _impossible(instance: Instance) -> tuple[str, str]:
    """Why there is no way, and what to do instead; empty if there is one."""
    placed, standby = instance.tenant.environments[instance.environment], instance.standby
    if standby is None:
        why = f"tier '{instance.tier.name}' keeps no replica of {instance.environment} at a DR site"
        return why, "its backups are what can come back: 'tenantry simulate region-loss' says where"
    if standby.region == instance.site.region:
        return f"both places are in region '{standby.region}', and would be lost together", "choose another DR partner"
    if instance.tenant.migration is not None:
        return "it moves", "end the move first, or go back: 'tenantry move --back'"
    if any(restore.step not in CLOSED for restore in placed.restores):
        return "it is being restored", "end the restore first: 'tenantry restore --next', or '--drop'"
    if instance.state != "active":
        return f"it is {instance.state}", "resume it first"
    return "", ""


def _entries(scope: Scope, instance: Instance) -> Iterator[Finding]:
    home = scope.fleet.all(Cell)[instance.tenant.environments[instance.environment].cell].cluster
    assert instance.standby is not None
    places, highest, serving = {instance.site.cluster.name, instance.standby.cluster.name}, 1, home
    for index, failover in enumerate(instance.failovers):
        last = index == len(instance.failovers) - 1
        if failover.generation <= highest:
            message = f"generation {failover.generation} is not above {highest}, so its archive may not be empty"
            yield _at(scope, instance, (index, "generation"), message, f"write {highest + 1}")
        if failover.to not in places:
            message = f"cluster '{failover.to}' has no copy of it"
            yield _at(scope, instance, (index, "to"), message, choices(failover.to, places, "its places"))
        elif failover.to == serving:
            yield _at(scope, instance, (index, "to"), f"it is in cluster '{serving}' already", "name the other place")
        if failover.step != "done" and not last:
            message = f"generation {failover.generation} is in the step '{failover.step}', although a later failover has begun"
            yield _at(scope, instance, (index, "step"), message, "end it first: 'tenantry failover --next'")
        yield from _token(scope, instance, index, failover)
        highest, serving = max(highest, failover.generation), failover.to


def _token(scope: Scope, instance: Instance, index: int, failover: Failover) -> Iterator[Finding]:
    if failover.promotion_token and failover.step == "demote":
        message = "the server is demoted in this step, and has not said yet where it ends"
        yield _at(scope, instance, (index, "promotionToken"), message, "write it with the step 'promote'")
    elif failover.promotion_token and failover.step == "rebuild":
        message = "the place that was demoted follows already, so nothing is made again"
        yield _at(scope, instance, (index, "step"), message, "write 'done'")
