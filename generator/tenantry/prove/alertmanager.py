"""What Alertmanager does with an alert: the routes of AlertmanagerConfigs, and the minutes of the week in which they tell.

Routes: alertmanager/dispatch/route.go (the first child that matches, further ones after `continue`); the operator puts each
object's route below the root with `continue: true` (pkg/alertmanager/amcfg.go). Times are UTC.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tenantry.core.manifest import Manifest, dig, entries, items, mapping, text

MINUTES = 7 * 24 * 60
ALWAYS = (1 << MINUTES) - 1
"""A bit for each minute of the week, from Monday 00:00 UTC."""
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_KINDS = {"pagerdutyConfigs": "pagerduty", "opsgenieConfigs": "opsgenie", "webhookConfigs": "webhook"}


@dataclass(frozen=True, slots=True)
class Notified:
    """A receiver that an alert reaches, and when; `kinds` are empty for a receiver that is not there."""

    receiver: str
    kinds: frozenset[str]
    minutes: int


def notified(config: Manifest, labels: Mapping[str, str]) -> Iterator[Notified]:
    """Whom an AlertmanagerConfig tells of an alert with these labels."""
    known = {
        text(one.get("name")): frozenset(kind for field, kind in _KINDS.items() if one.get(field))
        for _, one in entries(config.spec.get("receivers"))
    }
    intervals = {
        text(one.get("name")): one.get("timeIntervals") for _, one in entries(config.spec.get("muteTimeIntervals"))
    }
    for route, receiver in _taking(mapping(config.spec.get("route")), labels, ""):
        minutes = ALWAYS
        if items(route.get("activeTimeIntervals")):
            minutes = _together(intervals, items(route.get("activeTimeIntervals")))
        minutes &= ~_together(intervals, items(route.get("muteTimeIntervals")))
        yield Notified(receiver, known.get(receiver, frozenset()), minutes)


def _taking(
    route: Mapping[str, Any], labels: Mapping[str, str], inherited: str
) -> Iterator[tuple[Mapping[str, Any], str]]:
    if not all(_matches(matcher, labels) for _, matcher in entries(route.get("matchers"))):
        return
    receiver, taken = text(route.get("receiver")) or inherited, False
    for _, child in entries(route.get("routes")):
        found = list(_taking(child, labels, receiver))
        taken = taken or bool(found)
        yield from found
        if found and child.get("continue") is not True:
            return
    if not taken:
        yield route, receiver


def _matches(matcher: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, wanted = labels.get(text(matcher.get("name")), ""), text(matcher.get("value"))
    how = text(matcher.get("matchType")) or ("=~" if matcher.get("regex") else "=")
    try:
        equal = re.fullmatch(wanted, value) is not None if how.endswith("~") else value == wanted
    except re.error:
        return True
    return equal != how.startswith("!")


def _together(intervals: Mapping[str, object], names: Iterable[object]) -> int:
    found = 0
    for name in names:
        found |= minutes_of(json.dumps(intervals.get(text(name))))
    return found


@lru_cache(maxsize=4096)
def minutes_of(shown: str) -> int:
    """Minutes of a list of time intervals, as JSON. What is bound to months or dates does not hold each week, and counts as never."""
    found = 0
    for _, interval in entries(json.loads(shown)):
        if set(interval) - {"times", "weekdays"}:
            continue
        days = [_DAYS.index(text(day)) for day in items(interval.get("weekdays")) if text(day) in _DAYS] or range(7)
        times = [
            (_minute(time.get("startTime")), _minute(time.get("endTime"))) for _, time in entries(interval.get("times"))
        ] or [(0, 1440)]
        for day in days:
            for first, end in times:
                found |= bits((day * 1440 + first, day * 1440 + end))
    return found


def bits(span: tuple[int, int]) -> int:
    """A bit for each minute of a span, the end excluded."""
    first, end = span
    return ((1 << max(0, end - first)) - 1) << first


def _minute(clock: object) -> int:
    hour, _, minute = text(clock).partition(":")
    return int(hour) * 60 + int(minute) if hour.isdecimal() and minute.isdecimal() else 0


def of_namespace(config: Manifest) -> str:
    """The only namespace whose alerts an AlertmanagerConfig takes; empty if there are several."""
    for _, matcher in entries(dig(config.value, "spec", "route", "matchers")):
        if matcher.get("name") == "namespace" and matcher.get("matchType") == "=" and not matcher.get("regex"):
            return text(matcher.get("value"))
    return ""
