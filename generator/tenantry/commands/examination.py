"""Reads, checks and proves the objects of related clusters."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tenantry.core.assurance import TenantAssurance
from tenantry.core.findings import Finding, FindingsError
from tenantry.core.manifest import Manifest
from tenantry.engine.engines import Engines
from tenantry.engine.kustomize import Engine
from tenantry.plan.inputs import read_inputs
from tenantry.prove import readings
from tenantry.prove.cluster_state import State
from tenantry.prove.promises import Promises, promises
from tenantry.prove.report import assurances
from tenantry.prove.run import Prover, release
from tenantry.prove.template_conformance import Templates
from tenantry.prove.unpromised.evidence import Evidence
from tenantry.prove.unpromised.statements import evidence
from tenantry.render.blame import Blamer
from tenantry.render.units import units
from tenantry.runtime.workspace import Workspace
from tenantry.verify import policies
from tenantry.verify import readings as texts
from tenantry.verify.definitions import read_defined
from tenantry.verify.folder import ReadManifests, read_folder, read_texts
from tenantry.verify.index import Index
from tenantry.verify.judge import Blame, judge, no_blame, to_findings
from tenantry.verify.layout import Layout
from tenantry.verify.locate import Locator


@dataclass(frozen=True, slots=True)
class KnownFleet:
    """What a fleet's inputs say about a tree: its promises, and which input decided a value."""

    promises: Promises | None = None
    templates: Templates | None = None
    blame: Blame = no_blame
    findings: tuple[Finding, ...] = ()
    """What is wrong with the inputs; if anything is, the objects can't be checked against promises."""
    rendered: Path | None = None
    """The fleet's own rendered tree, in which no cluster may be missing."""


def known_fleet(space: Workspace) -> KnownFleet:
    """What is known about the fleet in the workspace, if there is one."""
    if not (space.root / "platform").is_dir():
        return KnownFleet()
    inputs = read_inputs(space.root, space.as_of, space.store("documents"))
    if not inputs.usable:
        return KnownFleet(findings=tuple(inputs.findings))
    instances = inputs.resolution.instances
    known = promises(inputs.fleet, instances, space.as_of)
    all_units = list(units(inputs.fleet, instances))
    templates, blame = Templates(inputs.fleet.platform, all_units), Blamer(inputs.fleet, all_units)
    return KnownFleet(known, templates, blame, tuple(inputs.findings), space.root / "rendered")


def known_promises(space: Workspace) -> Promises:
    """What the inputs promise. Raises FindingsError when they are wrong."""
    fleet = known_fleet(space)
    if fleet.promises is None:
        raise FindingsError(fleet.findings)
    return fleet.promises


@dataclass
class Part:
    """Results for a group of related clusters."""

    findings: list[Finding] = field(default_factory=list)
    """About objects; their places are relative to the verified folder."""
    of_inputs: list[Finding] = field(default_factory=list)
    """About the fleet's own files, such as policies that match no object."""
    counts: Counter[str] = field(default_factory=Counter)
    clusters: list[str] = field(default_factory=list)
    """Clusters of the fleet whose objects were checked against their promises."""
    used: set[str] = field(default_factory=set)
    """Names of the exceptions that were used."""
    assurances: list[TenantAssurance] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    """What the objects of clusters without promises show of the controls."""

    def add(self, other: Part) -> None:
        """Merge the results of other clusters into these."""
        self.findings += other.findings
        self.of_inputs += other.of_inputs
        self.counts += other.counts
        self.clusters += other.clusters
        self.used |= other.used
        self.assurances += other.assurances
        self.evidence += other.evidence


def _severe(finding: Finding) -> Finding:
    """A cluster of a fleet has no file that can't be checked."""
    return dataclasses.replace(finding, severity="error")


@dataclass(frozen=True)
class Job:
    """One verification: a folder, and the promises for it."""

    base: Path
    inside: str
    fleet: KnownFleet
    engines: Engines
    given: Mapping[str, str] = field(default_factory=dict)
    """Texts by name, if the manifests are not in a folder."""

    def examine(self, layouts: Sequence[Layout]) -> Part:
        """Read, check and prove the objects of a group of clusters."""
        part, states = Part(), dict[str, State]()
        judged: list[tuple[Layout, Index]] = []
        promised = self.fleet.promises
        clusters = promised.clusters if promised else {}
        engine = self.engines.engine
        for layout in layouts:
            folder = read_defined(engine, partial(self._read, engine, self.inside or layout.folder))
            name = layout.folder or self.base.name
            cluster = clusters.get(name)
            classes = cluster.storage_classes.names if cluster else frozenset()
            index = Index(folder.manifests, storage_classes=classes, pinned=cluster is not None)
            judged.append((layout, index))
            part.findings += folder.findings if cluster is None else map(_severe, folder.findings)
            part.counts.update(clusters=1, files=folder.files, objects=len(folder.manifests))
            if promised is not None and cluster is not None and not self.inside:
                states[name] = State(promised, cluster, index, layout.folder or ".", states)
        readings.read(engine, states)
        for layout, index in judged:
            state = states.get(layout.folder or self.base.name)
            index.readings = state.readings if state is not None else texts.read(engine, [index])
        locator = Locator(self._text)

        def judge_all() -> list[Manifest]:
            found = [breach for layout, index in judged for breach in judge(index, layout.version)]
            part.findings.extend(to_findings(found, locator, self.fleet.blame))
            return [manifest for manifest, _ in found]

        if promised is None or self.fleet.templates is None or not states:
            judge_all()
            part.findings += self._of_policies([index for _, index in judged], locator)
            part.evidence += (one for _, index in judged for one in evidence(index))
            return part
        prover = Prover(promised, self.fleet.templates, self.fleet.blame, self.engines)
        proved, more = prover.prove(states, judge_all)
        part.of_inputs += (finding for finding in more if finding.object is None)
        part.findings += (finding for finding in more if finding.object is not None)
        part.findings += to_findings(proved.breaches, locator, self.fleet.blame)
        part.clusters += states
        part.used |= {lift.name for lift, _ in proved.lifted}
        part.assurances += assurances(promised, states, proved)
        release(states)
        return part

    def _of_policies(self, indexes: Sequence[Index], locator: Locator) -> list[Finding]:
        """About policies that a tree brings; the policy engine is started for those only."""
        found: list[Finding] = []
        for index in indexes:
            if policies.found(index):
                problems = policies.problems(self.engines.policies, index)
                found += to_findings(problems, locator, self.fleet.blame)
        return found

    def _read(self, engine: Engine, where: str) -> ReadManifests:
        return read_texts(engine, self.given.items()) if self.given else read_folder(engine, self.base, where)

    def _text(self, file: str) -> str:
        """Text of a file; empty if it was removed since it was read."""
        if file in self.given:
            return self.given[file]
        try:
            return (self.base / file).read_text(encoding="utf-8-sig", errors="replace")
        except OSError:
            return ""
