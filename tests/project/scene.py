"""A fleet and all that follows from it, each worked out when it is asked for, and once."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property

from conftest import REPOSITORY
from controls.laboratory import AS_OF, example, running_engine
from tenantry.change.approvals import approvals
from tenantry.change.erasure import erasures
from tenantry.change.promotion import next_step
from tenantry.change.revisions import Revision
from tenantry.change.side import Side
from tenantry.change.windows import next_window
from tenantry.commands.erase import Leaving, certify
from tenantry.commands.rotation import replaced_secrets
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
from tenantry.render.files import expand, parse_object, render_text
from tenantry.render.registry import COMPONENTS, TREE_COMPONENTS, TREES, Context
from tenantry.render.units import Unit, component_context
from tenantry.resolve.instance import Instance
from tenantry.resolve.instances import resolve
from tenantry.runbook.registration import incidents, runbook
from tenantry.simulate.simulation import loss_of, simulate
from tenantry.verify.index import Index

_SINCE = f"{AS_OF}T00:00:00+00:00"


class Pieces:
    """A sequence of which no more is made than somebody looks at."""

    def __init__(self, made: Iterator[Hashable]) -> None:
        self._made, self._kept = made, list[Hashable]()

    def __iter__(self) -> Iterator[Hashable]:
        yield from self._kept
        for piece in self._made:
            self._kept.append(piece)
            yield piece

    def differs(self, other: Pieces) -> bool:
        """Looks at both up to the first difference."""
        there = iter(other)
        return any(piece != next(there, None) for piece in self) or next(there, None) is not None


@dataclass(frozen=True)
class Scene:
    """A fleet with what follows from it."""

    fleet: Fleet
    _contexts: dict[str, Context] = field(default_factory=dict)
    _objects: dict[str, Pieces] = field(default_factory=dict)

    @cached_property
    def side(self) -> Side:
        return Side(Revision("the fleet", REPOSITORY), Inputs(self.fleet, resolve(self.fleet), []))

    @property
    def instances(self) -> Mapping[str, Instance]:
        return self.side.instances

    @cached_property
    def findings(self) -> list[str]:
        """Of the inputs alone."""
        found = (*self.side.inputs.resolution.findings, *check_plan(self.fleet, self.instances, AS_OF))
        return list(map(repr, found))

    @cached_property
    def states(self) -> Mapping[str, State]:
        """The example's objects, and what this fleet promises of them."""
        known = promises(self.fleet, self.instances, AS_OF)
        states: dict[str, State] = {}
        for name, index in _indices().items():
            if name in known.clusters:
                states[name] = State(known, known.clusters[name], index, name, states, _readings()[name].readings)
        return states

    @cached_property
    def figures(self) -> list[str]:
        """Cost and objectives, derived from the example's objects."""
        states = self.states
        found = [repr(cost) for state in states.values() for cost in costs(state, states.get(state.cluster.partner))]
        tenants = sorted({instance.tenant.name for instance in self.instances.values()})
        return found + [repr(list(objectives_of(states, tenant))) for tenant in tenants]

    @cached_property
    def proofs(self) -> list[str]:
        """What is not proved of the example's objects."""
        return [
            f"{problem.control} {manifest.identity} {problem.message}"
            for state in self.states.values()
            for manifest, problem in prove(state)
        ]

    @cached_property
    def rotations(self) -> list[str]:
        """How each secret of the example's objects is replaced."""
        states = list(self.states.values())
        return [repr(one) for one in replaced_secrets(states, states[0].promises)]

    @cached_property
    def losses(self) -> Pieces:
        """What it would mean to lose a region, or a node."""
        known = next(iter(self.states.values())).promises
        regions = [("region-loss", name) for name in sorted({c.region for c in known.clusters.values()})]
        pools = [("node-loss", f"{n}/{pool.name}") for n, c in known.clusters.items() for pool in c.node_pools]
        losses = (loss_of(kind, name, known.clusters) for kind, name in (*pools, *regions))  # type: ignore[arg-type]
        return Pieces(repr(simulate(known, self.states, loss)) for loss in losses)

    @cached_property
    def steps(self) -> list[str]:
        """The next step of each release through each channel, and who must agree to a change of each instance."""
        channels, releases = sorted(self.fleet.all(Channel)), sorted(self.fleet.all(Release))
        steps = [self._step(channel, release) for channel in channels for release in releases]
        effects = tuple(Effect(risk, "") for risk in RISKS)
        for name, instance in sorted(self.instances.items()):
            subject = Subject("instance", name, instance.site.cluster.name, instance.tenant.name)
            steps.append(repr(approvals(self.side, [SubjectChange(subject, "changed", effects, ())])))
        return steps

    def _step(self, channel: str, release: str) -> str:
        try:
            return repr(next_step(self.side.inputs, channel, release, _SINCE))
        except UsageError as error:
            return f"{error} {error.hint}"

    @cached_property
    def pages(self) -> Mapping[str, Pieces]:
        """Of each instance: its window, its runbooks, and what it leaves behind."""
        return {name: Pieces(_pages(instance)) for name, instance in self.instances.items()}

    @cached_property
    def components(self) -> list[str]:
        """Texts of what is the same for all instances."""
        context = component_context(self.fleet.platform)
        return [
            render_text(f"components/{name}/{stem}", context) for name, found in COMPONENTS.items() for stem in found
        ]

    def context(self, unit: Unit) -> Context:
        """What a unit's objects are made of."""
        if unit.path not in self._contexts:
            self._contexts[unit.path] = unit.context()
        return self._contexts[unit.path]

    def objects(self, unit: Unit) -> Pieces:
        """A unit's objects, as the templates alone make them."""
        if unit.path not in self._objects:
            self._objects[unit.path] = Pieces(_objects(unit, self.context(unit)))
        return self._objects[unit.path]


def _pages(instance: Instance) -> Iterator[Hashable]:
    yield next_window(instance, _SINCE)
    yield repr(erasures([instance]))
    yield repr(instance.origins)  # what `explain` shows
    leave = instance.tenant.offboarding
    if leave is not None and instance.leaving:
        yield repr(certify(Leaving(instance.tenant, [instance], leave, instance.site.platform.display_name), AS_OF))
    yield from (repr(runbook(instance, incident)) for incident in incidents())


def _objects(unit: Unit, context: Context) -> Iterator[Hashable]:
    yield tuple(component.name for component in TREE_COMPONENTS[unit.tree] if component.when(context))
    for entry in TREES[unit.tree]:
        for file, more in expand(entry, context):
            yield file, repr(parse_object(render_text(entry.name, more), entry.name))


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
