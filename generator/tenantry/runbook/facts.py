"""The head of each runbook: where the instance is, what was promised, who is called and when they answer."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.resolve.instance import Instance
from tenantry.resolve.schedule import window_cron

_HOURS = {"office": "in office hours", "12x5": "12 hours a day from Monday to Friday", "24x7": "at any hour"}
_ROUTES = {
    "cell": "the queue of cell {cell}",
    "team": "the pager of team {team}",
    "tenant": "the tenant's own route, and team {team}",
}


def facts(instance: Instance) -> Iterator[tuple[str, str]]:
    """(what, value) in the order in which they are needed."""
    site, tier, owner = instance.site, instance.tier, instance.tenant.owner
    support, promised = tier.support, tier.objectives
    route = _ROUTES[support.route].format(cell=site.cell.name, team=owner.team)
    customer = f", of customer {instance.tenant.customer}" if instance.tenant.customer else ""
    yield "tenant", f"{instance.tenant.display_name}{customer}, tier {tier.display_name}, {instance.environment}"
    yield (
        "place",
        f"cluster {site.cluster.name}, region {site.region}, cell {site.cell.name}, namespace {instance.names.namespace}",
    )
    yield "called", f"{route}, {_HOURS[support.hours]}; first answer within {support.first_answer_minutes} min"
    yield "informed", f"{owner.team} <{owner.contact}>, who speaks to the customer"
    clients = ", ".join(client.name for client in instance.tenant.access.api_clients)
    if clients:
        yield "clients", f"{clients}: programs with a certificate of the tenant's own authority"
    if support.named_engineer:
        yield "engineer", "this tenant has an engineer by name, and crisis roles of its own"
    if instance.environment == "production":
        yield (
            "promised",
            (
                f"RPO {promised.rpo_minutes} min, {promised.rpo_region_loss_minutes} min when the region is lost; RTO {promised.rto_minutes} min; "
                f"availability {promised.availability_percent:g} %; backups of {instance.settings.backup_retention_days} days"
            ),
        )
        windows = ", ".join(f"{window_cron(w)} for {w.hours} h, {w.time_zone}" for w in instance.settings.windows)
        yield "synced", f"automatically at {windows}; at any other time manually"
    for freeze in instance.tenant.freezes:
        yield (
            "freeze",
            f"{freeze.name}: {freeze.days} days from day {freeze.day} of month {', '.join(map(str, freeze.month))}; no sync, not manually either",
        )
    yield "approve", ", ".join(site.platform.approvers.data) or "whoever answers for customers' data"
