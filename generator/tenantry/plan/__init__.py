"""Rules of the whole fleet that need no manifest. A new rule is a function in a module here and a line in CHECKS."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tenantry.findings import Finding
from tenantry.fleet import Fleet
from tenantry.instance import Instance
from tenantry.plan import capacity, contract, exceptions, hosts, network, placement, releases, windows
from tenantry.plan.scope import Scope

CHECKS: tuple[Callable[[Scope], Iterator[Finding]], ...] = (
    hosts.unique,
    hosts.outside_of_platform_domain,
    placement.cell_fits_instance,
    placement.residency,
    placement.own_cluster,
    placement.environments_apart,
    placement.regions,
    capacity.cells,
    contract.classification,
    contract.demanded_controls,
    contract.offered,
    contract.bounds,
    windows.chosen,
    windows.clear_of_backups,
    network.clusters_apart,
    network.integrations,
    releases.database_major,
    releases.staged_first,
    exceptions.valid,
)


def check_plan(fleet: Fleet, instances: Mapping[str, Instance], as_of: str) -> list[Finding]:
    """All findings of all rules. `as_of` (YYYY-MM-DD) is the day on which expiries are judged."""
    scope = Scope(fleet, instances, as_of)
    return [finding for check in CHECKS for finding in check(scope)]
