"""What a fleet runs, until when upstream supports it, and who is hit when that ends."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tenantry.core import wording
from tenantry.core.findings import Finding, Place
from tenantry.core.support_ends import COMPONENTS, KUBERNETES, ODOO, POSTGRESQL, Product
from tenantry.inputs.fleet import Fleet
from tenantry.model.cell import Cell
from tenantry.model.cluster import Cluster
from tenantry.model.release import Release
from tenantry.plan.scope import Scope
from tenantry.resolve.instance import Instance, with_elsewhere

Instances = Mapping[str, Instance]
_WARNED_DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportEnd:
    """The end of one series. `ends` (YYYY-MM-DD) is empty where no date is known; then `rule` says what is. `extended`: it is
    what a file says that was bought beyond upstream's support."""

    product: str
    series: str
    source: str
    ends: str = ""
    rule: str = ""
    extended: bool = False
    clusters: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()

    def days(self, as_of: str) -> int:
        """Days from a day until the end; below zero when it is over."""
        return (datetime.date.fromisoformat(self.ends) - datetime.date.fromisoformat(as_of)).days


def support_ends(fleet: Fleet, instances: Instances) -> list[SupportEnd]:
    """Of everything that the inputs name: the earliest first, then what has no date."""
    found = [*_kubernetes(fleet, instances), *_postgresql(fleet, instances), *_odoo(instances), *_components(fleet)]
    return sorted(found, key=lambda end: (not end.ends, end.ends, end.product, end.series))


def _end(product: Product, series: str, extended: str = "", **hit: tuple[str, ...]) -> SupportEnd:
    ends = extended or product.ends.get(series, "")
    known = "" if ends else product.rule if not product.ends else "this generator knows no date of it"
    return SupportEnd(
        product=product.name,
        series=series,
        source=product.source,
        ends=ends,
        rule=known,
        extended=bool(extended),
        **hit,
    )


def _kubernetes(fleet: Fleet, instances: Instances) -> Iterator[SupportEnd]:
    clusters: dict[tuple[str, str], set[str]] = {}
    for cluster in fleet.all(Cluster).values():
        clusters.setdefault((cluster.kubernetes_version, cluster.extended_support), set()).add(cluster.name)
    for series, there in clusters.items():
        hit = {i.tenant.name for i in with_elsewhere(instances.values()) if _sites(i) & there}
        yield _end(KUBERNETES, *series, clusters=tuple(sorted(there)), tenants=tuple(sorted(hit)))


def _sites(instance: Instance) -> set[str]:
    sites = (instance.site, instance.standby)
    return {site.cluster.name for site in sites if site is not None}


def _postgresql(fleet: Fleet, instances: Instances) -> Iterator[SupportEnd]:
    cells: dict[int, set[str]] = {}
    for cell in fleet.all(Cell).values():
        for major in (cell.postgresql.major if cell.postgresql else None, cell.postgresql_major):
            if major is not None:
                cells.setdefault(major, set()).add(cell.name)
    for major, there in cells.items():
        places = with_elsewhere(instances.values())
        hit = {
            i.tenant.name
            for i in places
            for site in (i.site, i.standby)
            if site is not None and site.cell.name in there
        }
        yield _end(POSTGRESQL, str(major), cells=tuple(sorted(there)), tenants=tuple(sorted(hit)))


def _odoo(instances: Instances) -> Iterator[SupportEnd]:
    runs: dict[tuple[str, str], list[Instance]] = {}
    for instance in instances.values():
        runs.setdefault((instance.release.odoo_version, instance.release.extended_support), []).append(instance)
    for series, there in sorted(runs.items()):
        yield _end(
            ODOO, *series, releases=tuple(sorted({i.release.name for i in there})), tenants=tuple(sorted({i.tenant.name for i in there}))
        )  # fmt: skip


def _components(fleet: Fleet) -> Iterator[SupportEnd]:
    versions = fleet.platform.components
    clusters = tuple(sorted(fleet.all(Cluster)))
    for field, product in COMPONENTS.items():
        version = getattr(versions, field)
        if version:
            yield _end(product, ".".join(version.split(".")[:2]), clusters=clusters)


def within(ends: list[SupportEnd], as_of: str, days: int) -> list[SupportEnd]:
    """Those that are over, or will be in so many days."""
    return [end for end in ends if end.ends and end.days(as_of) <= days]


def ending(scope: Scope) -> Iterator[Finding]:
    """F046, at each file that names a series whose support is over or ends within 90 days."""
    fleet = scope.fleet
    for end in within(support_ends(fleet, scope.instances), scope.as_of, _WARNED_DAYS):
        message = f"support for {end.product} {end.series} {wording.ends(end.days(scope.as_of), end.ends)}"
        bought = "" if end.product == POSTGRESQL.name else ", and 'extendedSupport' is for what was bought"
        hint = f"plan the upgrade; 'tenantry calendar' shows who is hit{bought}"
        for place in _places(fleet, end):
            yield Finding("F046", place, message, hint, "warning")


def _places(fleet: Fleet, end: SupportEnd) -> Iterator[Place]:
    if end.product == ODOO.name:
        yield from (fleet.place(fleet.all(Release)[name], "odooVersion") for name in end.releases)
    if end.product == KUBERNETES.name:
        yield from (fleet.place(fleet.all(Cluster)[name], "kubernetesVersion") for name in end.clusters)
    for name in end.cells:
        cell = fleet.all(Cell)[name]
        own = cell.postgresql is not None and str(cell.postgresql.major) == end.series
        yield fleet.place(cell, *(("postgresql", "major") if own else ("postgresqlMajor",)))


def as_fields(end: SupportEnd, as_of: str) -> dict[str, object]:
    """For JSON."""
    return {**dataclasses.asdict(end), "ends": end.ends or None, "days": end.days(as_of) if end.ends else None}
