"""How often the schedules of backups and drills run, as the operators' own library reads them."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, text
from tenantry.engine.languages import Cron, Interval, Refusal
from tenantry.prove.cluster_state import State

FOREVER = float("inf")
_SECONDS = {
    ("postgresql.cnpg.io", "ScheduledBackup"): True,
    ("velero.io", "Schedule"): False,
    ("batch", "CronJob"): False,
}
"""Whether the seconds come first in a kind's schedule."""


def crons(state: State) -> Iterator[Cron]:
    """The schedules that proofs ask about."""
    for kind in _SECONDS:
        yield from map(_cron, state.of(*kind))


def interval(state: State, manifest: Manifest) -> Interval | Refusal:
    """How often a ScheduledBackup, a Velero Schedule or a CronJob runs."""
    return state.readings.intervals[_cron(manifest)]


def longest_hours(state: State, manifest: Manifest) -> float:
    """The largest gap between two runs; FOREVER for a schedule that never runs or can't be read."""
    found = interval(state, manifest)
    return FOREVER if isinstance(found, Refusal) else found.longest_seconds / 3600


def runs_a_day(state: State, manifest: Manifest) -> float:
    """On average."""
    found = interval(state, manifest)
    return 0.0 if isinstance(found, Refusal) else found.runs_a_year / 365.2425


def _cron(manifest: Manifest) -> Cron:
    return Cron(text(manifest.spec.get("schedule")), _SECONDS[manifest.kind])
