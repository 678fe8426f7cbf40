"""What is closed takes no new tenants."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.change.guards.registration import Comparison, guards
from tenantry.core.findings import Finding
from tenantry.model.cell import Cell
from tenantry.model.channel import Channel
from tenantry.resolve.instance import Instance


@guards
def channels(comparison: Comparison) -> Iterator[Finding]:
    """B008: a tenant joins a channel only while that takes new tenants."""
    before = comparison.before.fleet.entries["Tenant"]
    for tenant in comparison.after.fleet.entries["Tenant"].values():
        channel = comparison.after.fleet.find(Channel, tenant.channel)
        earlier = before.get(tenant.name)
        joins = earlier is None or earlier.channel != tenant.channel
        if channel is not None and joins and not channel.takes_new_tenants:
            message = f"channel '{channel.name}' takes no new tenants"
            known = comparison.after.fleet.all(Channel).values()
            open_ones = sorted(f"{c.name} ({c.description})" for c in known if c.takes_new_tenants)
            place = comparison.after.fleet.place(tenant, "channel")
            yield Finding("B008", place, message, f"channels that do: {', '.join(open_ones)}", tenant=tenant.name)


@guards
def cells(comparison: Comparison) -> Iterator[Finding]:
    """B008: an instance comes into a cell only while that is open."""
    for instance in comparison.after.instances.values():
        earlier = comparison.before.instances.get(instance.name)
        yield from _target(comparison, earlier, instance)
        cell = comparison.after.fleet.find(Cell, instance.site.cell.name)
        joins = earlier is None or instance.site.cell.name not in _places(earlier)
        if cell is not None and joins and cell.state != "open":
            message = f"cell '{cell.name}' is {cell.state}, so nothing new comes into it"
            path = ("environments", instance.environment, "cell")
            yield comparison.at(
                instance, path, "B008", message, "choose an open cell: 'tenantry new tenant' proposes one"
            )


def _target(comparison: Comparison, earlier: Instance | None, instance: Instance) -> Iterator[Finding]:
    """B008 for the cell that an instance begins to move to."""
    cell = instance.move.other.site.cell if instance.move is not None else None
    if cell is not None and cell.state != "open" and cell.name not in (_places(earlier) if earlier else ()):
        message = f"cell '{cell.name}' is {cell.state}, so nothing new comes into it"
        path = ("migration", "to", "cells", instance.environment)
        yield comparison.at(instance, path, "B008", message, "choose an open cell")


def _places(instance: Instance) -> set[str]:
    """Cells that an instance is in, or moves to or from."""
    other = {instance.move.other.site.cell.name} if instance.move is not None else set()
    return {instance.site.cell.name, *other}
