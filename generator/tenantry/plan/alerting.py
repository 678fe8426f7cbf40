"""Alerts reach somebody: receivers that exist, that wake people where they must, for every route that a tier uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tenantry.core.findings import Finding
from tenantry.core.suggestions import choices
from tenantry.model.alerting import WAKING, Alerting
from tenantry.model.tenant import Tenant
from tenantry.model.tier import Tier
from tenantry.plan.scope import Scope


def heard(scope: Scope) -> Iterator[Finding]:
    """F050: alerts that nobody hears. F051: receivers and routes that do not fit each other."""
    platform = scope.fleet.platform
    if platform.alerting is None:
        hint = "add alerting to platform.yaml: receivers, and routes to them"
        yield Finding("F050", scope.fleet.place(platform), "alerts are rendered, and reach nobody", hint, "warning")
        return
    yield from _receivers(scope, platform.alerting)
    yield from _entries(scope, platform.alerting)
    for needed in ("platform", "cell"):
        if platform.alerting.route(needed) is None:
            message = f"no route '{needed}' says who is notified"
            yield Finding("F051", scope.fleet.place(platform, "alerting", "routes"), message, "add it, for everybody")
    for tier in scope.fleet.all(Tier).values():
        if platform.alerting.route(tier.support.route) is None:
            message = f"alerts of tier '{tier.name}' take the route '{tier.support.route}', which no entry in platform.yaml is for"
            place = scope.fleet.place(tier, "support", "route")
            yield Finding("F051", place, message, "add one without a team and a tenant to alerting.routes")


def _receivers(scope: Scope, alerting: Alerting) -> Iterator[Finding]:
    names = Counter(receiver.name for receiver in alerting.receivers)
    for index, receiver in enumerate(alerting.receivers):
        place = scope.fleet.place(scope.fleet.platform, "alerting", "receivers", index, "name")
        if names[receiver.name] > 1:
            yield Finding("F051", place, f"two receivers are called '{receiver.name}'", "give each a name of its own")
        if not any(receiver.name in (entry.page, entry.ticket) for entry in alerting.routes):
            yield Finding(
                "F051", place, f"no route leads to the receiver '{receiver.name}'", "remove it, or name it in a route"
            )


def _entries(scope: Scope, alerting: Alerting) -> Iterator[Finding]:
    seen: set[tuple[str, str, str]] = set()
    for index, entry in enumerate(alerting.routes):
        where = ("alerting", "routes", index)
        for field, name in (("page", entry.page), ("ticket", entry.ticket)):
            receiver, place = alerting.receiver(name), scope.fleet.place(scope.fleet.platform, *where, field)
            if receiver is None:
                hint = choices(name, [known.name for known in alerting.receivers])
                yield Finding("F051", place, f"there is no receiver '{name}'", hint)
            elif field == "page" and receiver.kind not in WAKING:
                hint = f"name one of kind {' or '.join(sorted(WAKING))}"
                yield Finding("F051", place, f"pages go to '{name}', a {receiver.kind}, which wakes nobody", hint)
        place = scope.fleet.place(scope.fleet.platform, *where, "route")
        whose = (entry.route, entry.team, entry.tenant)
        if whose in seen:
            yield Finding(
                "F051", place, f"the route '{entry.route}' is there twice for the same alerts", "remove one of them"
            )
        seen.add(whose)
        if (
            entry.route in ("platform", "cell")
            and entry.team + entry.tenant
            and not (entry.route == "cell" and entry.tenant)
        ):
            yield Finding(
                "F051", place, f"the route '{entry.route}' knows no team and no tenant", "remove team and tenant"
            )
        if (
            entry.tenant
            and scope.fleet.find(Tenant, entry.tenant) is None
            and not scope.fleet.is_broken(Tenant, entry.tenant)
        ):
            place = scope.fleet.place(scope.fleet.platform, *where, "tenant")
            yield Finding(
                "F051", place, f"there is no tenant '{entry.tenant}'", "remove the entry together with its tenant"
            )
