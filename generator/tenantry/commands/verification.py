"""`tenantry verify`: judges a folder of plain manifests, and holds the fleet's promises against it."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tenantry.core.assurance import TenantAssurance
from tenantry.core.findings import Finding, Place, Result, UsageError, in_order
from tenantry.core.manifest import Manifest
from tenantry.engine import build as engine_build
from tenantry.engine.kustomize import Engine
from tenantry.plan.inputs import read_inputs
from tenantry.plan.unused_exceptions import unused_exceptions
from tenantry.prove import readings
from tenantry.prove.cluster_state import State
from tenantry.prove.promises import Promises, promises
from tenantry.prove.report import assurances, merged
from tenantry.prove.run import prove
from tenantry.render.blame import Blamer
from tenantry.runtime.processes import side_by_side
from tenantry.runtime.workspace import Workspace
from tenantry.verify.folder import Folder, read_folder
from tenantry.verify.judge import Blame, judge, no_blame, to_findings
from tenantry.verify.layout import Layout, is_known, layouts
from tenantry.verify.locate import Locator
from tenantry.verify.native import known_versions
from tenantry.verify.references.index import Index

_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")


@dataclass(frozen=True, slots=True)
class KnownFleet:
    """What a fleet's inputs tell about a tree: what is promised of it, and who is to blame for a value."""

    promises: Promises | None = None
    blame: Blame = no_blame
    findings: tuple[Finding, ...] = ()
    """What is wrong with the inputs; no promise can be held against the objects then."""
    rendered: Path | None = None
    """The fleet's own tree, in which no cluster may be missing."""


def known_fleet(space: Workspace) -> KnownFleet:
    """What is known of the fleet in the workspace, if there is one."""
    if not (space.root / "platform").is_dir():
        return KnownFleet()
    inputs = read_inputs(space.root, space.as_of, space.store("documents"))
    if not inputs.usable:
        return KnownFleet(findings=tuple(inputs.findings))
    instances = inputs.resolution.instances
    known = promises(inputs.fleet, instances, space.as_of)
    blame = Blamer(inputs.fleet, known.units)
    return KnownFleet(known, blame, tuple(inputs.findings), space.root / "rendered")


@dataclass
class Part:
    """What was found in clusters that have to do with each other."""

    findings: list[Finding] = field(default_factory=list)
    """Of objects: their places are below the folder that is judged."""
    of_inputs: list[Finding] = field(default_factory=list)
    """Of the fleet's own files: policies that guard nothing."""
    counts: Counter[str] = field(default_factory=Counter)
    clusters: list[str] = field(default_factory=list)
    """Clusters of the fleet whose promises were held against their objects."""
    used: set[str] = field(default_factory=set)
    """Exceptions that lift something."""
    assurances: list[TenantAssurance] = field(default_factory=list)

    def add(self, other: Part) -> None:
        self.findings += other.findings
        self.of_inputs += other.of_inputs
        self.counts += other.counts
        self.clusters += other.clusters
        self.used |= other.used
        self.assurances += other.assurances


@dataclass(frozen=True)
class Job:
    """One verification: a folder, and what is promised of it."""

    base: Path
    inside: str
    fleet: KnownFleet
    say: Callable[[str], None]

    def examine(self, layouts: Sequence[Layout]) -> Part:
        """Read, judge and prove the objects of some clusters."""
        part, states = Part(), dict[str, State]()
        judged: list[tuple[Layout, Index]] = []
        promised = self.fleet.promises
        clusters = promised.clusters if promised else {}
        with Engine(engine_build.ensure_engine(self.say)) as engine:
            for layout in layouts:
                where = self.inside or layout.folder
                folder = _with_definitions(engine, read_folder(engine, self.base, where), self.base, where)
                name = layout.folder or self.base.name
                cluster = clusters.get(name)
                index = Index(
                    folder.manifests, storage_classes=cluster.storage_classes.names if cluster else frozenset()
                )
                judged.append((layout, index))
                part.findings += folder.findings
                part.counts.update(clusters=1, files=folder.files, objects=len(folder.manifests))
                if promised is not None and cluster is not None and not self.inside:
                    states[name] = State(promised, cluster, index, layout.folder or ".", states)
            readings.read(engine, states)
        locator = Locator(lambda file: (self.base / file).read_text(encoding="utf-8-sig", errors="replace"))

        def judge_all() -> list[Manifest]:
            found = [breach for layout, index in judged for breach in judge(index, layout.version)]
            part.findings.extend(to_findings(found, locator, self.fleet.blame))
            return [manifest for manifest, _ in found]

        if promised is None or not states:
            judge_all()
            return part
        proved, more = prove(promised, states, self.say, judge_all)
        part.of_inputs += (finding for finding in more if finding.object is None)
        part.findings += (finding for finding in more if finding.object is not None)
        part.findings += to_findings(proved.breaches, locator, self.fleet.blame)
        part.clusters += states
        part.used |= {lift.name for lift, _ in proved.lifted}
        part.assurances += assurances(promised, states, proved)
        return part


def verify(root: Path, fleet: KnownFleet, version: str, say: Callable[[str], None], shown: str = "") -> Result:
    """Judge every manifest below `root`, which must be a folder; a single file is judged in its folder's place.

    A folder called like one of the fleet's clusters is judged by its version, and by all that is promised of it.
    `version` (like `1.34`) wins. Places are shown below `shown`. Raises UsageError for a version without schemas.
    """
    base, inside = (root.parent, root.name) if root.is_file() else (root, "")
    versions = {name: c.kubernetes_version for name, c in fleet.promises.clusters.items()} if fleet.promises else {}
    found = _layouts(base, inside, versions, version)
    whole = examine(Job(base, inside, fleet, say), found)
    if whole.counts["files"] == 0:
        raise UsageError(f"{root} holds no manifests", "manifests end in .yaml, .yml or .json")
    findings = [*fleet.findings, *whole.of_inputs]
    told: tuple[TenantAssurance, ...] = ()
    if fleet.promises is not None and whole.clusters:
        known = fleet.promises
        findings += unused_exceptions(known.fleet, known.instances, known.as_of, whole.clusters, whole.used)
        if len(found) > 1 or root == fleet.rendered:
            findings += _missing(fleet.promises, whole.clusters)
        told = merged(fleet.promises, whole.clusters, whole.assurances)
    prefix = shown.rstrip("/") if not inside else str(Path(shown).parent)
    ordered = in_order([*findings, *(_shown_below(finding, prefix) for finding in whole.findings)])
    counts = {
        **{key: whole.counts[key] for key in ("clusters", "files", "objects")},
        "controls_lifted": len(whole.used),
    }
    result = Result("verify", ordered, counts, assurances=told)
    return dataclasses.replace(result, notes=_notes(result, whole.clusters, fleet))


def examine(job: Job, found: Sequence[Layout]) -> Part:
    """All clusters, those that have nothing to do with each other side by side."""
    whole = Part()
    for part in side_by_side(
        job.examine,
        _neighbours(job, found),
        lambda group: sum(_file_count(job.base / layout.folder) for layout in group),
        lambda: engine_build.ensure_all(job.say),
    ):
        whole.add(part)
    return whole


def _neighbours(job: Job, found: Sequence[Layout]) -> list[Sequence[Layout]]:
    """Clusters together with their DR partners; all others alone."""
    clusters = job.fleet.promises.clusters if job.fleet.promises else {}
    groups: dict[tuple[str, ...], list[Layout]] = {}
    for layout in found:
        name = layout.folder or job.base.name
        groups.setdefault(clusters[name].pair if name in clusters else (name,), []).append(layout)
    return list(groups.values())


def _file_count(folder: Path) -> int:
    return sum(len(names) for _, _, names in os.walk(folder))


def _notes(result: Result, clusters: Sequence[str], fleet: KnownFleet) -> tuple[str, ...]:
    if not result.ok:
        return ()
    counts = result.counts
    notes = [f"{counts['objects']} objects in {counts['files']} files: nothing to refuse."]
    if clusters and fleet.promises is not None:
        homes = sum(len(fleet.promises.homes_of(name)) for name in clusters)
        notes.append(
            f"{len(clusters)} clusters, {homes} namespaces: every control that is promised is kept or lifted by an exception."
        )
    elif fleet.promises is None:
        notes.append("No fleet is here (-C DIR), so nothing is promised of these objects, and no isolation was proved.")
    else:
        notes.append("No folder is called like a cluster of the fleet, so no isolation was proved.")
    return tuple(notes)


def _missing(known: Promises, clusters: Sequence[str]) -> Iterator[Finding]:
    for name, homes in known.homes.items():
        if homes and name not in clusters:
            tenants = sorted({home.tenant for home in homes.values() if home.tenant})
            message = f"cluster '{name}' is not in the tree; {len(homes)} namespaces are promised to it ({', '.join(tenants[:3]) or 'cells'})"
            yield Finding("V074", Place(name), message, "run 'tenantry render', or verify the cluster's folder alone")


def _shown_below(finding: Finding, prefix: str) -> Finding:
    if prefix in ("", "."):
        return finding
    return dataclasses.replace(finding, place=dataclasses.replace(finding.place, file=f"{prefix}/{finding.place.file}"))


def _layouts(root: Path, inside: str, versions: dict[str, str], version: str) -> list[Layout]:
    found = [Layout("", version)] if inside and version else layouts(root, versions, version)
    if inside:
        found = [Layout("", version or versions.get(root.name, found[0].version))]
    for layout in found:
        if not is_known(layout.version):
            known = known_versions()
            raise UsageError(
                f"there are no schemas of Kubernetes {layout.version}", f"there are those of {known[0]} to {known[-1]}"
            )
    return found


def _with_definitions(engine: Engine, folder: Folder, root: Path, inside: str) -> Folder:
    """When the tree brings CustomResourceDefinitions, its objects are judged by them, so it is read once more."""
    definitions = [manifest.value for manifest in folder.manifests if manifest.kind == _CRD]
    if not definitions:
        return folder
    engine.define(definitions)
    return read_folder(engine, root, inside)
