"""Weekly windows, backup times that avoid them, and their cron and Argo CD forms.

Nothing here reads the clock. Daylight saving is handled by considering all offsets of a zone. How often a cron
expression runs is answered by the engine (languages.py); this module only writes its own.
"""

from __future__ import annotations

import datetime
import hashlib
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from tenantry.model.common import DAYS, Window

MINUTES_OF_WEEK = 7 * 24 * 60
BASE_MINUTES = 60
"""Assumed duration of a base backup; a window opens no earlier than this after its start."""
VELERO_MINUTES = 15
"""The same for Velero's backup of a namespace's objects and small volumes."""


@dataclass(frozen=True, slots=True)
class Every:
    """Start times in UTC: the first of the day in minutes after midnight, then every `hours` hours."""

    hours: int
    first: int

    @property
    def cron(self) -> str:
        """Five cron fields."""
        hours = ",".join(str(hour) for hour in range(self.first // 60, 24, self.hours))
        return f"{self.first % 60} {hours} * * *"

    @property
    def week(self) -> list[int]:
        """All starts in a week, in minutes from Monday 00:00."""
        return [day * 1440 + self.first + hour * 60 for day in range(7) for hour in range(0, 24, self.hours)]


@dataclass(frozen=True, slots=True)
class BackupTimes:
    """When base backups and Velero's backups start."""

    base: Every
    velero: Every

    @property
    def base_cron(self) -> str:
        """Six fields, seconds first: CloudNativePG reads five fields as if the first were seconds."""
        return f"0 {self.base.cron}"


@lru_cache(maxsize=4096)
def backup_times(name: str, base_hours: int, velero_hours: int, windows: tuple[Window, ...]) -> BackupTimes:
    """Times derived from the name alone, moved if they would collide with the instance's own windows."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return BackupTimes(
        _clear(base_hours, seed, BASE_MINUTES, windows), _clear(velero_hours, seed // 1440, VELERO_MINUTES, windows)
    )


def _clear(hours: int, seed: int, runs: int, windows: Sequence[Window]) -> Every:
    """The first start after the seeded one that avoids all windows, else the seeded one (a fleet rule reports it)."""
    period = hours * 60
    candidates = (Every(hours, (seed + step) % period) for step in range(0, period, 5))
    return next((every for every in candidates if not collides(every, runs, windows)), Every(hours, seed % period))


def collides(every: Every, runs: int, windows: Sequence[Window]) -> bool:
    """True when a backup of that start and duration would collide with a window in any season."""
    return _collides(every, runs, tuple(windows))


@lru_cache(maxsize=16384)
def _collides(every: Every, runs: int, windows: tuple[Window, ...]) -> bool:
    """Most instances share their windows, and there are few starts in a day."""
    starts = every.week
    return any(
        (start - (begin - runs)) % MINUTES_OF_WEEK < window.hours * 60 + runs
        for window in windows
        for begin in utc_starts(window)
        for start in starts
    )


@lru_cache(maxsize=1024)
def utc_starts(window: Window) -> frozenset[int]:
    """Minutes of the week, UTC, Monday 00:00 = 0, at which the window may open, in any season."""
    hour, minute = map(int, window.start.split(":"))
    return frozenset(
        (DAYS.index(day) * 1440 + hour * 60 + minute - offset) % MINUTES_OF_WEEK
        for day in window.days
        for offset in _utc_offsets(window.time_zone or "UTC")
    )


@lru_cache(maxsize=1024)
def utc_ranges(window: Window, *, certain: bool) -> tuple[tuple[int, int], ...]:
    """First minute and end of each opening, UTC, from Monday 00:00, before 0 or after the week's end where the zone says so:
    what belongs to it in every season (`certain`), or in some."""
    hour, minute = map(int, window.start.split(":"))
    offsets = _utc_offsets(window.time_zone or "UTC")
    early, late = max(offsets), min(offsets)
    first, last = (late, early) if certain else (early, late)
    opens = [DAYS.index(day) * 1440 + hour * 60 + minute for day in window.days]
    return tuple((start - first, start - last + window.hours * 60) for start in opens)


@cache
def _utc_offsets(zone: str) -> frozenset[int]:
    """UTC offsets in minutes for each month of a fixed year, so that output is reproducible.

    Some zones have an offset in neither January nor July: Morocco changes its clocks for Ramadan.
    """
    info = zoneinfo.ZoneInfo(zone)
    moments = (datetime.datetime(2026, month, 15, 12, tzinfo=info) for month in range(1, 13))
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
