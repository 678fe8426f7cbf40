"""Who hears an alert: the part `alerting` of the kind Platform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ReceiverKind = Literal["pagerduty", "opsgenie", "webhook"]
WAKING: frozenset[ReceiverKind] = frozenset({"pagerduty", "opsgenie"})
"""Kinds that wake somebody; a webhook makes a ticket."""
RouteName = Literal["platform", "cell", "team", "tenant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Somebody who is notified. What it is reached by is in a Secret, under its name."""

    name: str
    kind: ReceiverKind


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRoute:
    """Receivers of the alerts of a route; of one team's or one tenant's where it is named."""

    route: RouteName
    page: str
    ticket: str
    team: str = ""
    tenant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """Receivers, routes, and the prober outside."""

    receivers: tuple[Receiver, ...]
    routes: tuple[AlertRoute, ...]
    prober: str = ""

    def receiver(self, name: str) -> Receiver | None:
        """The receiver of that name."""
        return next((receiver for receiver in self.receivers if receiver.name == name), None)

    def route(self, name: str, team: str = "", tenant: str = "") -> AlertRoute | None:
        """The most specific entry of a route: the tenant's, the team's, everybody's."""
        for whose in ((team, tenant), ("", tenant), (team, ""), ("", "")):
            for entry in self.routes:
                if entry.route == name and (entry.team, entry.tenant) == whose:
                    return entry
        return None
