"""Cost and objectives of changed instances in one state, derived from the objects as the proofs derive them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from tenantry.change.building import BuiltSide
from tenantry.core.assurance import Objective
from tenantry.core.paths import rendered_folder
from tenantry.engine.kustomize import Engine
from tenantry.engine.languages import Readings
from tenantry.prove import schedules
from tenantry.prove.cluster_state import State
from tenantry.prove.cost import costs
from tenantry.prove.promises import Promises, promises
from tenantry.prove.report import objectives_of
from tenantry.resolve.instance import with_elsewhere
from tenantry.verify.index import Index


@dataclass(frozen=True)
class Figures:
    """By instance: EUR a month, and the objectives of running production instances."""

    costs: Mapping[str, float] = field(default_factory=dict)
    objectives: Mapping[str, tuple[Objective, ...]] = field(default_factory=dict)


def figures(engine: Engine, built: BuiltSide, instances: Collection[str], as_of: str) -> Figures:
    """Figures of these instances, all of whose units, cells and platforms were built."""
    side = built.side
    there = [name for name in instances if name in side.instances]
    if not there:
        return Figures()
    known = _only(promises(side.fleet, side.instances, as_of), built, there)
    states = _states(engine, known, built)
    found: dict[str, float] = {}
    for state in states.values():
        for cost in costs(state, states.get(state.cluster.dr_partner)):
            name = f"{cost.tenant}-{cost.environment}"  # one that moves to another cluster costs at both places
            found[name] = round(found.get(name, 0.0) + cost.total, 2)
    derived = {
        name: tuple(objectives_of(states, side.instances[name].tenant.name))
        for name in there
        if side.instances[name].environment == "production"
    }
    return Figures(found, derived)


def _only(known: Promises, built: BuiltSide, instances: Collection[str]) -> Promises:
    """The promises of some instances and of the cells that they are in."""
    cells = {i.site.cell.name for i in with_elsewhere(built.side.instances[name] for name in instances)}
    homes = {
        cluster: {
            space: home
            for space, home in of_cluster.items()
            if (home.instance is None and home.site.cell.name in cells)
            or (home.instance is not None and home.instance.name in instances)
        }
        for cluster, of_cluster in known.homes.items()
    }
    return Promises(known.fleet, known.instances, known.as_of, homes)


def _states(engine: Engine, known: Promises, built: BuiltSide) -> dict[str, State]:
    states: dict[str, State] = {}
    for name, cluster in known.clusters.items():
        manifests = built.of_cluster(name)
        if manifests and known.homes_of(name):
            states[name] = State(known, cluster, Index(manifests), rendered_folder(name), states)
    readings = Readings(engine.intervals({cron: None for state in states.values() for cron in schedules.crons(state)}))
    for state in states.values():
        state.readings = readings
    return states
