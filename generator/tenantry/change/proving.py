"""Which controls are breached in a state: the pairs of clusters that a change touches, built and proved in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tenantry.change.building import build_units, differing_units
from tenantry.change.side import Side
from tenantry.core.findings import Finding
from tenantry.core.manifest import Manifest
from tenantry.core.paths import cluster_of
from tenantry.engine.engines import Engines
from tenantry.model.cluster import Cluster
from tenantry.model.policy import Policy
from tenantry.prove.cluster_state import Breach
from tenantry.prove.pairs import Pair
from tenantry.prove.promises import Promises, promises
from tenantry.prove.run import Prover, read_states, release
from tenantry.prove.template_conformance import Conformance, Templates
from tenantry.render.blame import Blamer
from tenantry.verify.judge import to_findings
from tenantry.verify.locate import Locator

Breached = Mapping[str, tuple[str, ...]]
"""Controls, sorted, by the name of an instance, a cell, or the cluster whose platform it is."""


@dataclass(frozen=True)
class Proven:
    """The controls that are breached before and after a change, and what is found after it."""

    before: Breached
    after: Breached
    findings: tuple[Finding, ...]


def prove_both(engines: Engines, before: Side, after: Side, as_of: str) -> Proven:
    """Build and prove, in both states, the pairs of clusters that have a unit which differs.

    Takes as long as a first render of those clusters, twice. Policies are those of the state that is proved.
    """
    touched = differing_units(before, after)
    found = [_prove(engines, side, touched, as_of) for side in (before, after)]
    return Proven(found[0][0], found[1][0], tuple(found[1][1]))


@dataclass
class _Objects:
    """All objects of a pair."""

    files: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """By cluster, sorted."""
    made: dict[str, Manifest] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    compared: dict[str, Conformance] = field(default_factory=dict)


def _prove(engines: Engines, side: Side, touched: Iterable[str], as_of: str) -> tuple[Breached, list[Finding]]:
    units = list(side.units.values())
    templates = Templates(side.fleet.platform, units)
    known = promises(side.fleet, side.instances, as_of)
    prover = Prover(known, templates, Blamer(side.fleet, units), engines)
    engines.compile([policy.value() for policy in side.fleet.all(Policy).values()])  # while the objects are built
    breached: dict[str, set[str]] = defaultdict(set)
    findings: list[Finding] = []
    for pair in sorted(_pairs(side, touched)):
        objects = _built(engines, side, pair, templates)
        states = read_states(engines.engine, known, objects.files, objects.texts.__getitem__, objects.made)
        proved, more = prover.prove(states, compared=objects.compared)
        findings += [*more, *to_findings(proved.breaches, Locator(objects.texts.__getitem__), prover.blame)]
        for name, control in _whose(known, proved.breaches):
            breached[name].add(control)
        release(states)
    return {name: tuple(sorted(controls)) for name, controls in breached.items()}, findings


def _pairs(side: Side, touched: Iterable[str]) -> set[Pair]:
    clusters = side.fleet.all(Cluster)
    names = {side.units[path].cluster for path in touched if path in side.units}
    return {clusters[name].pair for name in names if name in clusters}


def _built(engines: Engines, side: Side, pair: Pair, templates: Templates) -> _Objects:
    wanted = sorted((unit for unit in side.units.values() if unit.cluster in pair), key=lambda unit: unit.path)
    found = _Objects()
    for one in build_units(engines.engine, side, wanted, templates):
        found.made |= one.objects
        found.texts |= {file: one.text(file) for file in one.objects}
        if one.compared is not None:
            found.compared[one.unit.path] = one.compared
    for file in sorted(found.made):
        found.files[cluster_of(file)].append(file)
    return found


def _whose(known: Promises, breaches: Iterable[Breach]) -> Iterator[tuple[str, str]]:
    """(name of an instance, cell or cluster, control) of each breach."""
    for manifest, problem in breaches:
        cluster = cluster_of(manifest.file)
        identity = manifest.identity
        namespace = identity.name if manifest.kind == ("", "Namespace") else identity.namespace
        home = known.homes_of(cluster).get(namespace)
        if home is None:
            yield cluster, problem.control
        else:
            yield home.instance.name if home.instance else home.site.cell.name, problem.control
