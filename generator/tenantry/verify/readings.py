"""Has the engine read the schedules and routing rules of a cluster's objects, each text once."""

from __future__ import annotations

from collections.abc import Iterable

from tenantry.core.manifest import entries, text
from tenantry.engine.kustomize import Engine
from tenantry.engine.languages import Cron, Readings
from tenantry.verify.index import Index


def read(engine: Engine, indexes: Iterable[Index]) -> Readings:
    """The readings that rules look into: intervals of Velero's Schedules, and rules of IngressRoutes."""
    crons: dict[Cron, None] = {}
    rules: dict[str, None] = {}
    for index in indexes:
        crons.update((Cron(text(m.spec.get("schedule"))), None) for m in index.of("velero.io", "Schedule"))
        for route in index.of("traefik.io", "IngressRoute"):
            rules.update((text(content.get("match")), None) for _, content in entries(route.spec.get("routes")))
    return Readings(engine.intervals(crons) if crons else {}, engine.rules(rules) if rules else {})
