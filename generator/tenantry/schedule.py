"""Times: weekly windows, backup times that keep out of them, and their cron and Argo CD forms.

Nothing here asks for the current time. Daylight saving is met by taking both of a zone's offsets as possible.
"""

from __future__ import annotations

import datetime
import hashlib
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from tenantry.model.common import DAYS, Window

MINUTES_OF_WEEK = 7 * 24 * 60
BASE_MINUTES = 60
"""How long a base backup is taken to run; a window opens no earlier than this after its start."""
VELERO_MINUTES = 15
"""The same for Velero's backup of a namespace's objects and its small volumes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupTimes:
    """Start times in UTC. The hour is the first of the day; others follow every `every_hours`."""

    base_every_hours: int
    base_hour: int
    velero_every_hours: int
    velero_hour: int
    minute: int

    @property
    def base_cron(self) -> str:
        """Six fields, seconds first: CloudNativePG reads five fields as if the first were seconds."""
        return f"0 {self.minute} {_hours(self.base_hour, self.base_every_hours)} * * *"

    @property
    def velero_cron(self) -> str:
        """Five fields, in UTC."""
        return f"{self.minute} {_hours(self.velero_hour, self.velero_every_hours)} * * *"


def _hours(first: int, every: int) -> str:
    return ",".join(str(hour) for hour in range(first, 24, every))


def backup_times(name: str, base_every: int, velero_every: int, windows: Sequence[Window]) -> BackupTimes:
    """Times that depend on the name alone, moved where they would meet one of its own windows."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    minute = seed % 60
    base = _free_hour(base_every, seed // 60, minute, BASE_MINUTES, windows)
    velero = _free_hour(velero_every, seed // 60 + 1, minute, VELERO_MINUTES, windows)
    return BackupTimes(
        base_every_hours=base_every, base_hour=base, velero_every_hours=velero_every, velero_hour=velero, minute=minute
    )


def _free_hour(every: int, seed: int, minute: int, runs: int, windows: Sequence[Window]) -> int:
    """The first hour below `every` whose starts keep out of all windows, else the seeded one (a fleet rule tells)."""
    start = seed % every
    candidates = [(start + step) % every for step in range(every)]
    return next((hour for hour in candidates if not collides(hour, every, minute, runs, windows)), start)


def collides(hour: int, every: int, minute: int, runs: int, windows: Sequence[Window]) -> bool:
    """True when a backup that starts then, and runs that many minutes, would meet a window in any season."""
    starts = [day * 1440 + h * 60 + minute for day in range(7) for h in range(hour, 24, every)]
    return any(
        (start - (begin - runs)) % MINUTES_OF_WEEK < window.hours * 60 + runs
        for window in windows
        for begin in utc_starts(window)
        for start in starts
    )


def utc_starts(window: Window) -> set[int]:
    """Minutes of the week, UTC, Monday 00:00 = 0, at which the window may open, in winter and in summer."""
    hour, minute = map(int, window.start.split(":"))
    return {
        (DAYS.index(day) * 1440 + hour * 60 + minute - offset) % MINUTES_OF_WEEK
        for day in window.days
        for offset in _utc_offsets(window.time_zone or "UTC")
    }


@cache
def _utc_offsets(zone: str) -> frozenset[int]:
    """Minutes ahead of UTC in January and in July of a fixed year, so that the same input gives the same bytes."""
    info = zoneinfo.ZoneInfo(zone)
    moments = (datetime.datetime(2026, month, 15, 12, tzinfo=info) for month in (1, 7))
    return frozenset(int((moment.utcoffset() or datetime.timedelta()).total_seconds()) // 60 for moment in moments)


def window_cron(window: Window) -> str:
    """Five cron fields of the window's opening, in its own time zone."""
    hour, minute = window.start.split(":")
    days = ",".join(str((DAYS.index(day) + 1) % 7) for day in sorted(window.days, key=DAYS.index))
    return f"{int(minute)} {int(hour)} * * {days}"


def overlap(first: Window, second: Window) -> bool:
    """True when two windows share a minute in any season."""
    for a in utc_starts(first):
        for b in utc_starts(second):
            if (b - a) % MINUTES_OF_WEEK < first.hours * 60 or (a - b) % MINUTES_OF_WEEK < second.hours * 60:
                return True
    return False
