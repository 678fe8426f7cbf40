"""When a change may be applied: the next window of an instance that no freeze covers."""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Iterator

from tenantry.model.common import DAYS, Window
from tenantry.model.tenant import Freeze
from tenantry.resolve.instance import Instance

AT_ONCE = "at once"
_DAYS_AHEAD = 120
"""A freeze lasts weeks, so a window is found in this many days, or there is none worth waiting for."""


def next_opening(instance: Instance, as_of: str) -> tuple[datetime.datetime, Window] | None:
    """When the next window of a production instance opens, counted from `as_of` (YYYY-MM-DD); None if a freeze covers all."""
    return min(_openings(instance, datetime.date.fromisoformat(as_of)), default=None, key=lambda found: found[0])


def next_window(instance: Instance, as_of: str) -> str:
    """`Sun 2026-11-29 01:00 Europe/Madrid, 4 h`; `at once` for what has no windows."""
    if instance.environment != "production":
        return AT_ONCE
    first = next_opening(instance, as_of)
    if first is None:
        return f"no window within {_DAYS_AHEAD} days"
    opens, window = first
    return f"{opens:%a %Y-%m-%d %H:%M} {window.time_zone or 'UTC'}, {window.hours} h"


def _openings(instance: Instance, start: datetime.date) -> Iterator[tuple[datetime.datetime, Window]]:
    since = _moment(start)
    for window in instance.settings.windows:
        hour, minute = map(int, window.start.split(":"))
        zone = zoneinfo.ZoneInfo(window.time_zone or "UTC")
        for ahead in range(_DAYS_AHEAD):
            day = start + datetime.timedelta(days=ahead)
            opens = datetime.datetime.combine(day, datetime.time(hour, minute), zone)
            over = opens + datetime.timedelta(hours=window.hours) <= since
            frozen = any(_covers(freeze, day) for freeze in instance.tenant.freezes)
            if DAYS[day.weekday()] in window.days and not frozen and not over:
                yield opens, window
                break


def _moment(day: datetime.date) -> datetime.datetime:
    """The start of a day, or now when it is today: what is over by now is not the next window."""
    now = datetime.datetime.now(datetime.UTC)
    return now if day == now.date() else datetime.datetime.combine(day, datetime.time(), datetime.UTC)


def _covers(freeze: Freeze, day: datetime.date) -> bool:
    """Whether a day lies in a freeze of this year or, over New Year, of the last."""
    for year in (day.year - 1, day.year):
        for month in freeze.month:
            begin = datetime.date(year, month, freeze.day)
            if begin <= day < begin + datetime.timedelta(days=freeze.days):
                return True
    return False
