"""Hours of support and windows in UTC: nothing outside of a window is silent, nothing within the hours is asleep."""

from __future__ import annotations

import datetime
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.model.alerting import Alerting, AlertRoute, Receiver
from tenantry.model.common import DAYS, Window
from tenantry.prove.alertmanager import ALWAYS, bits
from tenantry.resolve.on_call import ranges, support_hours

ZONES = ("UTC", "Europe/Madrid", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Africa/Casablanca")


def minutes(found: tuple[tuple[int, int], ...]) -> int:
    return sum(bits(span) for span in found)


def in_week(window: Window, monday: datetime.date) -> int:
    """Minutes of a UTC week that belong to a window, by the clock of its zone."""
    zone, found = zoneinfo.ZoneInfo(window.time_zone or "UTC"), 0
    start = datetime.datetime.combine(monday, datetime.time(), datetime.UTC)
    hour, minute = map(int, window.start.split(":"))
    for day in range(-2, 9):
        date = monday + datetime.timedelta(days=day)
        if DAYS[date.weekday()] not in window.days:
            continue
        opens = datetime.datetime(date.year, date.month, date.day, hour, minute, tzinfo=zone).astimezone(datetime.UTC)
        first = int((opens - start).total_seconds()) // 60
        found |= bits((max(0, first), min(10080, max(0, first + window.hours * 60))))
    return found & ALWAYS


SEASONS = [datetime.date(2026, 1, 12), datetime.date(2026, 7, 13)]


@given(
    st.lists(st.sampled_from(DAYS), min_size=1, max_size=3, unique=True), st.integers(0, 23), st.integers(1, 12),
    st.sampled_from(ZONES), st.sampled_from(SEASONS),
)  # fmt: skip
def test_certain_minutes_are_in_the_window_and_possible_ones_hold_it(
    days: list[str], hour: int, hours: int, zone: str, monday: datetime.date
) -> None:
    window = Window(days=tuple(days), start=f"{hour:02}:00", hours=hours, time_zone=zone)  # type: ignore[arg-type]
    there = in_week(window, monday)
    assert minutes(ranges([window], certain=True)) & ~there == 0
    assert there & ~minutes(ranges([window], certain=False)) == 0


def test_a_range_ends_at_midnight_and_a_week_begins_where_the_last_one_ended() -> None:
    window = Window(days=("sun",), start="22:00", hours=4, time_zone="UTC")
    assert ranges([window], certain=True) == ((0, 120), (6 * 1440 + 22 * 60, 7 * 1440))


def test_a_window_of_an_hour_in_a_zone_that_changes_its_clocks_mutes_nothing() -> None:
    window = Window(days=("wed",), start="22:00", hours=1, time_zone="Europe/Madrid")
    assert ranges([window], certain=True) == ()


@pytest.mark.parametrize(("hours", "of_a_week"), [("office", 5 * 9), ("12x5", 5 * 13)])
def test_support_is_awake_an_hour_more_than_sold_where_clocks_change(hours: str, of_a_week: int) -> None:
    found = support_hours(hours, "Europe/Madrid")
    assert found is not None
    assert minutes(found).bit_count() == of_a_week * 60
    assert support_hours("24x7", "Europe/Madrid") is None


def test_the_most_specific_entry_of_a_route_counts() -> None:
    def entry(page: str, **whose: str) -> AlertRoute:
        return AlertRoute(route="team", page=page, ticket="t", **whose)

    alerting = Alerting(
        receivers=(Receiver(name="t", kind="webhook"),),
        routes=(
            entry("all"),
            entry("emea", team="emea"),
            entry("acme", tenant="acme"),
            entry("both", team="emea", tenant="acme"),
        ),
    )

    def page(team: str, tenant: str) -> str:
        found = alerting.route("team", team, tenant)
        return found.page if found else ""

    assert [page("us", "beta"), page("emea", "beta"), page("us", "acme"), page("emea", "acme")] == [
        "all",
        "emea",
        "acme",
        "both",
    ]
    assert alerting.route("cell") is None
