"""Instances come in; findings of all rules that need no manifest come out.

Imports everything up to resolve.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tenantry.core.findings import Finding
from tenantry.inputs.fleet import Fleet
from tenantry.plan import (
    alerting,
    capacity,
    charts,
    components,
    contract,
    credentials,
    exceptions,
    failovers,
    firewall,
    hosts,
    moves,
    network,
    operators,
    placeholders,
    placement,
    releases,
    restores,
    secret_store,
    support,
    user_namespaces,
    windows,
)
from tenantry.plan.scope import Scope
from tenantry.resolve.instance import Instance

CHECKS: tuple[Callable[[Scope], Iterator[Finding]], ...] = (
    hosts.unique,
    hosts.outside_of_platform_domain,
    placement.cell_fits_instance,
    placement.residency,
    placement.own_cluster,
    placement.environments_apart,
    placement.pools,
    placement.regions,
    capacity.cells,
    moves.in_order,
    restores.possible,
    failovers.possible,
    credentials.neighbours,
    contract.classification,
    contract.demanded_controls,
    contract.integrated,
    contract.offered,
    contract.bounds,
    windows.chosen,
    windows.clear_of_backups,
    network.clusters_apart,
    network.outside,
    releases.database_major,
    releases.staged_first,
    releases.followers_only,
    releases.object_store_is_read,
    releases.server_wide_modules_are_loaded,
    releases.images_hold_modules,
    exceptions.valid,
    exceptions.dates,
    operators.known,
    components.floors,
    charts.complete,
    secret_store.fits_provider,
    secret_store.identities,
    user_namespaces.there,
    firewall.there,
    alerting.heard,
    placeholders.left,
    support.ending,
)


def check_plan(fleet: Fleet, instances: Mapping[str, Instance], as_of: str) -> list[Finding]:
    """All findings of all rules. `as_of` (YYYY-MM-DD) is the date for checking expiries."""
    scope = Scope(fleet, instances, as_of)
    return [finding for check in CHECKS for finding in check(scope)]
