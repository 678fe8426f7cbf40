"""What can be seen of a fleet's inputs: objects, findings, runbooks, figures, and what proofs say of the objects that are there."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import cache

from conftest import REPOSITORY
from controls.laboratory import AS_OF, example, running_engine
from tenantry.change.approvals import approvals
from tenantry.change.promotion import next_step
from tenantry.change.revisions import Revision
from tenantry.change.side import Side
from tenantry.change.windows import next_window
from tenantry.core.changes import RISKS, Effect, Subject, SubjectChange
from tenantry.core.findings import UsageError
from tenantry.inputs.fleet import Fleet
from tenantry.model.channel import Channel
from tenantry.model.release import Release
from tenantry.plan import check_plan
from tenantry.plan.inputs import Inputs
from tenantry.prove import readings
from tenantry.prove.cluster_state import State
from tenantry.prove.cost import costs
from tenantry.prove.promises import promises
from tenantry.prove.registry import prove
from tenantry.prove.report import objectives_of
from tenantry.render.kustomizations import component_objects, expected_objects
from tenantry.render.units import Unit, component_context, units
from tenantry.resolve.instances import Resolution
from tenantry.runbook.registration import incidents, runbook
from tenantry.verify.index import Index

SINCE = f"{AS_OF}T00:00:00+00:00"
Sight = Iterator[Hashable]
"""What is seen, piece by piece, so that a comparison ends at the first difference."""
Observer = Callable[[Fleet, Resolution, str], Sight]
"""The last is the name of the entry that was changed: what is called like it is looked at first."""


def objects(fleet: Fleet, resolution: Resolution, name: str) -> Sight:
    """Every object, and where it lies."""
    components = component_objects(component_context(fleet.platform))
    yield repr(components)
    for unit in sorted(units(fleet, resolution.instances), key=lambda unit: (name not in unit.path, *_order(unit))):
        yield unit.path
        yield from map(repr, expected_objects(unit.tree, unit.context(), components))


def _order(unit: Unit) -> tuple[int, str]:
    return (("charts", "argocd", "delivery", "cell", "platform", "app", "standby", "infra").index(unit.tree), unit.path)


def findings(fleet: Fleet, resolution: Resolution, _name: str) -> Sight:
    """Of the inputs alone."""
    yield from (repr(finding) for finding in resolution.findings)
    yield from (repr(finding) for finding in check_plan(fleet, resolution.instances, AS_OF))


def pages(fleet: Fleet, resolution: Resolution, _name: str) -> Sight:
    """Runbooks and windows of every instance, the next steps of releases, and who must agree to changes."""
    for name, instance in sorted(resolution.instances.items()):
        yield name
        yield next_window(instance, SINCE)
        yield from (repr(runbook(instance, incident)) for incident in incidents())
    inputs = Inputs(fleet, resolution, [])
    for channel in sorted(fleet.all(Channel)):
        yield from (_step(inputs, channel, release) for release in sorted(fleet.all(Release)))
    side = Side(Revision("now", REPOSITORY), inputs)
    for name, instance in sorted(resolution.instances.items()):
        subject = Subject("instance", name, instance.site.cluster.name, instance.tenant.name)
        yield repr(approvals(side, [SubjectChange(subject, "changed", tuple(Effect(risk, "") for risk in RISKS), ())]))


def _step(inputs: Inputs, channel: str, release: str) -> str:
    try:
        return repr(next_step(inputs, channel, release, SINCE))
    except UsageError as error:
        return str(error)


def figures(fleet: Fleet, resolution: Resolution, _name: str) -> Sight:
    """Cost and objectives, derived from the example's objects."""
    states = _states(fleet, resolution)
    for state in states.values():
        yield from (repr(cost) for cost in costs(state, states.get(state.cluster.partner)))
    for tenant in sorted({instance.tenant.name for instance in resolution.instances.values()}):
        yield repr(list(objectives_of(states, tenant)))


def proofs(fleet: Fleet, resolution: Resolution, _name: str) -> Sight:
    """What is no longer proved of the example's objects."""
    for state in _states(fleet, resolution).values():
        yield from (f"{problem.control} {manifest.identity} {problem.message}" for manifest, problem in prove(state))


def _states(fleet: Fleet, resolution: Resolution) -> dict[str, State]:
    known = promises(fleet, resolution.instances, AS_OF)
    states: dict[str, State] = {}
    for name, index in _indices().items():
        if name in known.clusters:
            states[name] = State(known, known.clusters[name], index, name, states, _readings()[name].readings)
    return states


@cache
def _indices() -> Mapping[str, Index]:
    known, there = example()
    return {
        name: Index(found, storage_classes=known.clusters[name].storage_classes.names) for name, found in there.items()
    }


@cache
def _readings() -> Mapping[str, State]:
    known, _ = example()
    states: dict[str, State] = {}
    for name, index in _indices().items():
        states[name] = State(known, known.clusters[name], index, name, states)
    readings.read(running_engine(), states)
    return states


OBSERVERS: tuple[Observer, ...] = (findings, pages, objects, figures, proofs)
CHEAP = (findings, pages)
FIGURES_FIRST: tuple[Observer, ...] = (figures, findings, objects, pages, proofs)
