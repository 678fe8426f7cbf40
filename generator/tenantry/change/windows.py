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


def next_opening(instance: Instance, since: str) -> tuple[datetime.datetime, Window] | None:
    """When the next window of a production instance opens, that is not over at `since`; None if a freeze covers all.

    `since` is a day (YYYY-MM-DD: from its start, in UTC) or a moment with its time zone, as ISO 8601.
    """
    moment = datetime.datetime.fromisoformat(since)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
    return min(_openings(instance, moment), default=None, key=lambda found: found[0])


def next_window(instance: Instance, since: str) -> str:
    """`Sun 2026-11-29 01:00 Europe/Madrid, 4 h`; `at once` for what has no windows."""
    if instance.environment != "production":
        return AT_ONCE
    first = next_opening(instance, since)
    if first is None:
        return f"no window within {_DAYS_AHEAD} days"
    opens, window = first
    return f"{opens:%a %Y-%m-%d %H:%M} {window.time_zone or 'UTC'}, {window.hours} h"


def _openings(instance: Instance, since: datetime.datetime) -> Iterator[tuple[datetime.datetime, Window]]:
    for window in instance.settings.windows:
        hour, minute = map(int, window.start.split(":"))
        zone = zoneinfo.ZoneInfo(window.time_zone or "UTC")
        for ahead in range(_DAYS_AHEAD):
            day = since.date() + datetime.timedelta(days=ahead)
            opens = datetime.datetime.combine(day, datetime.time(hour, minute), zone)
            over = opens + datetime.timedelta(hours=window.hours) <= since
            frozen = any(_covers(freeze, day) for freeze in instance.tenant.freezes)
            if DAYS[day.weekday()] in window.days and not frozen and not over:
                yield opens, window
                break


def _covers(freeze: Freeze, day: datetime.date) -> bool:
    """Whether a day lies in a freeze of this year or, over New Year, of the last."""
    for year in (day.year - 1, day.year):
        for month in freeze.month:
            begin = datetime.date(year, month, freeze.day)
            if begin <= day < begin + datetime.timedelta(days=freeze.days):
                return True
    return False
