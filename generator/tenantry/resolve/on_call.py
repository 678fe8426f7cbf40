"""Who is notified of an alert, and when: receivers by route, hours of support, and windows in which symptoms are expected.

Alertmanager's time intervals are in UTC where the operator writes them, without a zone. So of a window in a zone that
changes its clocks only the hours that belong to it in every season are muted, and hours of support are all that may be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tenantry.model.alerting import Receiver
from tenantry.model.common import DAYS, Window
from tenantry.model.platform import Platform
from tenantry.resolve.instance import Instance, Site
from tenantry.resolve.schedule import MINUTES_OF_WEEK, utc_ranges

_HOURS = {"office": ("09:00", 8), "12x5": ("08:00", 12)}
"""Beginning and hours of a working day, in the zone of the region."""
Range = tuple[int, int]
"""Minutes of the week from Monday 00:00 UTC, the end excluded; both of one day."""


@dataclass(frozen=True, slots=True)
class OnCall:
    """Who is woken and who finds a ticket; `hours` in which somebody is woken, None for always; `muted` for symptoms."""

    page: Receiver
    ticket: Receiver
    hours: tuple[Range, ...] | None = None
    muted: tuple[Range, ...] = ()


def of_instance(instance: Instance, site: Site) -> OnCall | None:
    """As the tier's support says; None if nobody is named."""
    support, tenant = instance.tier.support, instance.tenant
    found = _named(site.platform, support.route, tenant.owner.team, tenant.name)
    if found is None:
        return None
    zone = next((region.time_zone for region in site.platform.regions if region.name == site.region), "UTC")
    return OnCall(*found, support_hours(support.hours, zone), ranges(instance.settings.windows, certain=True))


def of_cell(platform: Platform) -> OnCall | None:
    """At any hour: what ails a cell ails all its tenants."""
    found = _named(platform, "cell")
    return OnCall(*found) if found else None


def of_platform(platform: Platform) -> OnCall | None:
    """At any hour."""
    found = _named(platform, "platform")
    return OnCall(*found) if found else None


def _named(platform: Platform, route: str, team: str = "", tenant: str = "") -> tuple[Receiver, Receiver] | None:
    entry = platform.alerting.route(route, team, tenant) if platform.alerting else None
    if entry is None or platform.alerting is None:
        return None
    page, ticket = platform.alerting.receiver(entry.page), platform.alerting.receiver(entry.ticket)
    return (page, ticket) if page and ticket else None


def support_hours(hours: str, zone: str) -> tuple[Range, ...] | None:
    """All minutes that may be working hours in some season; None for every minute."""
    if hours not in _HOURS:
        return None
    start, length = _HOURS[hours]
    return ranges([Window(days=tuple(DAYS[:5]), start=start, hours=length, time_zone=zone)], certain=False)


def ranges(windows: Iterable[Window], *, certain: bool) -> tuple[Range, ...]:
    """Minutes of windows, in every season or in some, cut at midnight, without overlaps."""
    minutes = {
        minute
        for window in windows
        for first, end in utc_ranges(window, certain=certain)
        for minute in range(first, end)
    }
    return tuple(_runs(sorted(minute % MINUTES_OF_WEEK for minute in minutes)))


def _runs(minutes: list[int]) -> Iterator[Range]:
    first = last = -1
    for minute in minutes:
        if first >= 0 and (minute != last + 1 or minute % 1440 == 0):
            yield first, last + 1
            first = minute
        elif first < 0:
            first = minute
        last = minute
    if first >= 0:
        yield first, last + 1
