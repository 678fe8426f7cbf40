"""`tenantry verify`: judges a folder of plain manifests, the fleet's own or anybody's."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tenantry import engine_build, pipeline
from tenantry.blame import Blamer
from tenantry.engine import Engine
from tenantry.findings import Finding, Result, UsageError, in_order
from tenantry.model.cluster import Cluster
from tenantry.render.units import units
from tenantry.verify.folder import Folder, read_folder
from tenantry.verify.judge import Blame, judge, no_blame, to_findings
from tenantry.verify.layout import State, is_known, states
from tenantry.verify.locate import Locator
from tenantry.verify.native import known_versions
from tenantry.verify.references.index import Index
from tenantry.workspace import Workspace

_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")


def verify(root: Path, known_fleet: KnownFleet, version: str, say: Callable[[str], None], shown: str = "") -> Result:
    """Judge every manifest below `root`, which must be a folder; a single file is judged in its folder's place.

    `known_fleet` tells of the fleet at hand: a folder called like one of its clusters is judged by its version.
    `version` (like `1.34`) wins over that. Places are shown below `shown`. Raises UsageError for a version without schemas.
    """
    base, inside = (root.parent, root.name) if root.is_file() else (root, "")
    known = {cluster.name: cluster for cluster in known_fleet.clusters}
    versions = {name: cluster.kubernetes_version for name, cluster in known.items()}
    findings: list[Finding] = []
    counts = {"clusters": 0, "files": 0, "objects": 0}
    with Engine(engine_build.ensure_engine(say)) as engine:
        for state in _states(base, inside, versions, version):
            folder = read_folder(engine, base, inside or state.folder)
            folder = _with_definitions(engine, folder, base, inside or state.folder)
            cluster = known.get(state.folder or base.name)
            classes = cluster.storage_classes.names if cluster else frozenset()
            index = Index(folder.manifests, storage_classes=classes)
            locator = Locator(lambda file: (base / file).read_text(encoding="utf-8-sig", errors="replace"))
            findings += folder.findings
            findings += to_findings(judge(index, state.version), locator, known_fleet.blame)
            counts["clusters"] += 1
            counts["files"] += folder.files
            counts["objects"] += len(folder.manifests)
    prefix = shown.rstrip("/") if not inside else str(Path(shown).parent)
    ordered = in_order(_shown_below(finding, prefix) for finding in findings)
    result = Result("verify", ordered, counts)
    if counts["files"] == 0:
        raise UsageError(f"{root} holds no manifests", "manifests end in .yaml, .yml or .json")
    note = f"{counts['objects']} objects in {counts['files']} files: nothing to refuse."
    return Result("verify", ordered, counts, (note,) if result.ok else ())


def _shown_below(finding: Finding, prefix: str) -> Finding:
    if prefix in ("", "."):
        return finding
    return dataclasses.replace(finding, place=dataclasses.replace(finding.place, file=f"{prefix}/{finding.place.file}"))


@dataclass(frozen=True, slots=True)
class KnownFleet:
    """What a fleet's inputs tell about a tree: its clusters, and who is to blame for a value."""

    clusters: tuple[Cluster, ...] = ()
    blame: Blame = no_blame


def known_fleet(space: Workspace, target: Path) -> KnownFleet:
    """What is known of the fleet in the workspace, if there is one. Only its own rendered tree is blamed on its inputs."""
    if not (space.root / "platform").is_dir():
        return KnownFleet()
    inputs = pipeline.read_inputs(space.root, space.as_of, space.store("documents.json"))
    clusters = tuple(inputs.fleet.all(Cluster).values())
    if not inputs.usable or target != space.root / "rendered":
        return KnownFleet(clusters)
    all_units = units(inputs.fleet, inputs.resolution.instances)
    return KnownFleet(clusters, Blamer(inputs.fleet, all_units))


def _states(root: Path, inside: str, versions: dict[str, str], version: str) -> list[State]:
    found = [State("", version)] if inside and version else states(root, versions, version)
    if inside:
        found = [State("", version or versions.get(root.name, found[0].version))]
    for state in found:
        if not is_known(state.version):
            known = known_versions()
            raise UsageError(
                f"there are no schemas of Kubernetes {state.version}", f"there are those of {known[0]} to {known[-1]}"
            )
    return found


def _with_definitions(engine: Engine, folder: Folder, root: Path, inside: str) -> Folder:
    """When the tree brings CustomResourceDefinitions, its objects are judged by them, so it is read once more."""
    definitions = [manifest.value for manifest in folder.manifests if manifest.kind == _CRD]
    if not definitions:
        return folder
    engine.define(definitions)
    return read_folder(engine, root, inside)
