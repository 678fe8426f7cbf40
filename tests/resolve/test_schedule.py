"""Backups keep out of maintenance windows in every season."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.engine.kustomize import Engine
from tenantry.engine.languages import Cron
from tenantry.model.common import DAYS, Window
from tenantry.resolve.schedule import (
    BASE_MINUTES,
    MINUTES_OF_WEEK,
    BackupTimes,
    Every,
    backup_times,
    collides,
    overlap,
    utc_starts,
    window_cron,
)


def window(days: str, start: str, hours: int, zone: str = "UTC") -> Window:
    return Window(days=tuple(days.split(",")), start=start, hours=hours, time_zone=zone)  # type: ignore[arg-type]


@given(
    st.text(min_size=1, max_size=20), st.sampled_from(DAYS), st.integers(0, 23), st.integers(1, 12), st.sampled_from([6, 12, 24])
)  # fmt: skip
def test_a_backup_meets_no_window_when_there_is_room(name: str, day: str, hour: int, hours: int, every: int) -> None:
    chosen = window(day, f"{hour:02}:00", hours, "Europe/Madrid")
    times = backup_times(name, every, 24, (chosen,))
    # The clock change makes the window an hour longer, and a base backup runs for an hour.
    assert collides(times.base, BASE_MINUTES, [chosen]) is (hours + 2 >= every)


@pytest.mark.parametrize(
    ("hour", "minute", "meets"), [(20, 59, False), (21, 1, True), (22, 0, True), (23, 59, True), (0, 0, False)]
)
def test_a_backup_collides_when_it_would_run_in_a_window(hour: int, minute: int, meets: bool) -> None:
    assert collides(Every(24, hour * 60 + minute), BASE_MINUTES, [window("sat", "22:00", 2)]) is meets


def test_windows_open_at_two_utc_times_where_clocks_change_and_at_one_where_they_do_not() -> None:
    assert utc_starts(window("sun", "01:00", 4, "Europe/Madrid")) == {6 * 1440, 5 * 1440 + 23 * 60}
    assert utc_starts(window("sun", "01:00", 4, "Atlantic/Reykjavik")) == {6 * 1440 + 60}


def test_a_season_that_is_neither_januarys_nor_julys_counts_too() -> None:
    """Morocco's clocks go back for Ramadan only."""
    assert utc_starts(window("sun", "01:00", 4, "Africa/Casablanca")) == {6 * 1440, 6 * 1440 + 60}


def test_backup_cron_has_six_fields_for_the_database_and_five_for_velero() -> None:
    times = backup_times("acme-production", 6, 12, ())
    assert len(times.base_cron.split()) == 6
    assert times.base_cron.startswith("0 ")
    assert len(times.velero.cron.split()) == 5


def test_the_operators_library_runs_a_backup_as_often_as_it_was_meant(parser: Engine) -> None:
    meant = {
        cron: hours
        for hours in (1, 2, 3, 4, 6, 8, 12, 24)
        for first in range(0, hours * 60, 7)
        for times in [BackupTimes(Every(hours, first), Every(hours, first))]
        for cron in (Cron(times.base_cron, seconds=True), Cron(times.velero.cron))
    }
    found = parser.intervals(meant)
    assert {cron: interval.longest_seconds for cron, interval in found.items()} == {  # type: ignore[union-attr]
        cron: hours * 3600 for cron, hours in meant.items()
    }


def test_the_operators_library_opens_a_window_each_week_by_its_own_clock(parser: Engine) -> None:
    chosen = window("sun", "01:00", 4, "Europe/Madrid")
    cron = Cron(window_cron(chosen), zone=chosen.time_zone or "")
    longest = parser.intervals([cron])[cron].longest_seconds  # type: ignore[union-attr]
    winter, summer = sorted(utc_starts(chosen))[::-1]
    assert longest == (MINUTES_OF_WEEK + winter - summer) * 60


def test_window_cron_counts_sunday_as_zero() -> None:
    assert window_cron(window("sat,sun,mon", "22:30", 4)) == "30 22 * * 1,6,0"


def test_windows_overlap_across_midnight_and_the_week() -> None:
    assert overlap(window("sun", "23:00", 3), window("mon", "01:00", 1))
    assert not overlap(window("sun", "23:00", 2), window("mon", "01:00", 1))
