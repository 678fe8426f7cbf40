"""Contents of AlertmanagerConfigs: receivers, routes, time intervals, and which alert makes which other one superfluous.

Each lies in Alertmanager's own namespace, beside the Secret with the receivers' keys. Alertmanager must be told to take
alerts of all namespaces from there (`alertmanagerConfigMatcherStrategy`). v1alpha1: the only version without a webhook.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tenantry.model.alerting import Receiver
from tenantry.resolve.on_call import OnCall, Range

RECEIVERS = "alert-receivers"
"""Secret in the monitoring namespace with a key for each receiver."""
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SUPPORT, _WINDOWS = "support-hours", "maintenance"
_Value = dict[str, Any]


def routing(where: Mapping[str, str], call: OnCall) -> _Value:
    """The spec of one that takes the alerts with these labels.

    Outside of the hours a page becomes a ticket, so it is never lost. In maintenance windows symptoms are silent; what
    holds data back or leaves it unsaved is not.
    """
    intervals = {name: found for name, found in ((_SUPPORT, call.hours or ()), (_WINDOWS, call.muted)) if found}
    spec: _Value = {
        "receivers": [_receiver(receiver) for receiver in dict.fromkeys((call.page, call.ticket))],
        "route": {
            "receiver": call.ticket.name, "matchers": [_equals(label, value) for label, value in where.items()],
            "groupBy": ["alertname", "namespace"], "repeatInterval": "4h", "routes": list(_routes(call)),
        },
    }  # fmt: skip
    if intervals:
        spec["muteTimeIntervals"] = [
            {"name": name, "timeIntervals": _weekly(found)} for name, found in intervals.items()
        ]
    return spec


def inhibitions() -> list[_Value]:
    """Symptoms of tenants are no news while the edge, their cell or their own database is down. All that `equal` names is on
    every alert, or nothing would be equal to nothing."""
    symptom = [_equals("scope", "tenant"), _equals("symptom", "true")]
    return [
        {"sourceMatch": [_equals("scope", "platform"), _equals("severity", "page")], "targetMatch": symptom, "equal": ["cluster"]},
        {"sourceMatch": [_equals("scope", "cell"), _equals("severity", "page")], "targetMatch": symptom, "equal": ["cluster", "cell"]},
        {"sourceMatch": [_equals("scope", "tenant"), _equals("alertname", "PostgresqlDown")], "targetMatch": symptom,
         "equal": ["cluster", "namespace"]},
    ]  # fmt: skip


def _routes(call: OnCall) -> Iterator[_Value]:
    page, ticket = call.page.name, call.ticket.name
    muted = [_WINDOWS] if call.muted else []
    urgent, symptom = _equals("severity", "page"), _equals("symptom", "true")
    for matchers, silent in (([urgent, symptom], muted), ([urgent], [])) if muted else (([urgent], []),):
        if call.hours is None:
            yield _route(page, matchers, mute=silent)
        else:
            yield {**_route(page, matchers, active=[_SUPPORT], mute=silent), "continue": True}
            yield _route(ticket, matchers, mute=[_SUPPORT, *silent])
    if muted:
        yield _route(ticket, [_equals("severity", "ticket"), symptom], mute=muted)
    yield _route(ticket, [_equals("severity", "ticket")])


def _route(
    receiver: str, matchers: list[_Value], active: list[str] | None = None, mute: list[str] | None = None
) -> _Value:
    found: _Value = {"receiver": receiver, "matchers": matchers}
    if active:
        found["activeTimeIntervals"] = active
    if mute:
        found["muteTimeIntervals"] = mute
    return found


def _equals(name: str, value: str) -> _Value:
    return {"name": name, "matchType": "=", "value": value}


def _receiver(receiver: Receiver) -> _Value:
    key = {"name": RECEIVERS, "key": receiver.name}
    config = {
        "pagerduty": ("pagerdutyConfigs", "routingKey"),
        "opsgenie": ("opsgenieConfigs", "apiKey"),
        "webhook": ("webhookConfigs", "urlSecret"),
    }
    field, credential = config[receiver.kind]
    return {"name": receiver.name, field: [{credential: key, "sendResolved": True}]}


def _weekly(found: tuple[Range, ...]) -> list[_Value]:
    """Days with the same times together."""
    times: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for first, end in found:
        times[first // 1440].append((first % 1440, end - first // 1440 * 1440))
    days: dict[tuple[tuple[int, int], ...], list[str]] = defaultdict(list)
    for day, there in sorted(times.items()):
        days[tuple(there)].append(_DAYS[day])
    return [
        {"weekdays": names, "times": [{"startTime": _clock(first), "endTime": _clock(end)} for first, end in there]}
        for there, names in days.items()
    ]


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
