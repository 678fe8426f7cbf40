"""The file that the Prometheus operator makes of AlertmanagerConfigs (pkg/alertmanager/amcfg.go), for amtool."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_CREDENTIALS = {"pagerdutyConfigs": ("pagerduty_configs", "routing_key"), "opsgenieConfigs": ("opsgenie_configs", "api_key"), "webhookConfigs": ("webhook_configs", "url")}  # fmt: skip
_NOBODY = "nobody"


def alertmanager_file(configs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Each route below a root that tells nobody; names with those of their object before them; matchers of no namespace are
    added, as `OnNamespaceExceptForAlertmanagerNamespace` says."""
    found: dict[str, Any] = {
        "route": {"receiver": _NOBODY, "routes": []}, "receivers": [{"name": _NOBODY}], "time_intervals": [], "inhibit_rules": [],
    }  # fmt: skip
    for config in sorted(configs, key=lambda value: str(value["metadata"]["name"])):
        before = f"{config['metadata']['namespace']}/{config['metadata']['name']}/"
        spec = config["spec"]
        found["route"]["routes"].append({**_route(spec["route"], before), "continue": True})
        found["receivers"] += [_receiver(one, before) for one in spec["receivers"]]
        found["time_intervals"] += [_interval(one, before) for one in spec.get("muteTimeIntervals", [])]
        found["inhibit_rules"] += [_inhibition(one) for one in spec.get("inhibitRules", [])]
    return found


def _route(route: Mapping[str, Any], before: str) -> dict[str, Any]:
    made: dict[str, Any] = {"receiver": before + route["receiver"], "matchers": _matchers(route["matchers"])}
    for field, name in (("activeTimeIntervals", "active_time_intervals"), ("muteTimeIntervals", "mute_time_intervals")):
        if route.get(field):
            made[name] = [before + one for one in route[field]]
    if route.get("continue"):
        made["continue"] = True
    if route.get("groupBy"):
        made["group_by"] = route["groupBy"]
    return {**made, "routes": [_route(child, before) for child in route.get("routes", [])]}


def _matchers(given: Iterable[Mapping[str, str]]) -> list[str]:
    return [f'{one["name"]}{one["matchType"]}"{one["value"]}"' for one in given]


def _receiver(receiver: Mapping[str, Any], before: str) -> dict[str, Any]:
    made: dict[str, Any] = {"name": before + receiver["name"]}
    for field, (name, credential) in _CREDENTIALS.items():
        if field in receiver:
            made[name] = [{credential: "http://127.0.0.1/"} for _ in receiver[field]]
    return made


def _interval(interval: Mapping[str, Any], before: str) -> dict[str, Any]:
    return {
        "name": before + interval["name"],
        "time_intervals": [
            {
                "weekdays": one["weekdays"],
                "times": [{"start_time": time["startTime"], "end_time": time["endTime"]} for time in one["times"]],
            }
            for one in interval["timeIntervals"]
        ],
    }


def _inhibition(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "source_matchers": _matchers(rule["sourceMatch"]),
        "target_matchers": _matchers(rule["targetMatch"]),
        "equal": rule["equal"],
    }
