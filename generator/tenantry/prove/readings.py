"""Has the engine read all texts of a run's objects that hold a language, each once, before the proofs begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tenantry.engine.kustomize import Engine
from tenantry.engine.languages import Readings
from tenantry.prove import schedules
from tenantry.prove.cluster_state import State
from tenantry.prove.edge import routes, served


def read(engine: Engine, states: Mapping[str, State]) -> None:
    """Give the states their readings: one request for schedules, one for rules, one for the paths that the rules take."""
    every = states.values()
    if not every:
        return  # nothing is promised of what is judged
    intervals = engine.intervals({cron: None for state in every for cron in schedules.crons(state)})
    rules = engine.rules({text: None for state in every for text in routes.texts(state)})
    readings = Readings(intervals, rules)
    for state in every:
        state.readings = readings
    expressions = {pattern: None for state in every for pattern in routes.patterns(state)}
    together = {group: None for state in every for group in routes.walks(state)}
    readings = replace(readings, paths=engine.paths(expressions, served.PATHS, together))
    for state in every:
        state.readings = readings
