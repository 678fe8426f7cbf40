"""`tenantry verify`: judges a folder of plain manifests, and holds the fleet's promises against it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenantry import engine_build, pipeline
from tenantry.assurance import Objective
from tenantry.blame import Blamer
from tenantry.engine import Engine
from tenantry.findings import Finding, FindingsError, Place, Result, UsageError, in_order
from tenantry.model.policy import Policy
from tenantry.policy_engine import PolicyEngine
from tenantry.prove.fleet import Proved, prove_fleet
from tenantry.prove.policies import ask
from tenantry.prove.promises import Promises, promises
from tenantry.prove.report import assurances, objectives_of
from tenantry.prove.world import State
from tenantry.render.units import units
from tenantry.verify.folder import Folder, read_files, read_folder
from tenantry.verify.judge import Blame, judge, no_blame, to_findings
from tenantry.verify.layout import Layout, is_known, layouts
from tenantry.verify.locate import Locator
from tenantry.verify.native import known_versions
from tenantry.verify.references.index import Index
from tenantry.workspace import Workspace

_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")


@dataclass(frozen=True, slots=True)
class KnownFleet:
    """What a fleet's inputs tell about a tree: what is promised of it, and who is to blame for a value."""

    promises: Promises | None = None
    blame: Blame = no_blame
    findings: tuple[Finding, ...] = ()
    """What is wrong with the inputs; no promise can be held against the objects then."""


def known_fleet(space: Workspace) -> KnownFleet:
    """What is known of the fleet in the workspace, if there is one."""
    if not (space.root / "platform").is_dir():
        return KnownFleet()
    inputs = pipeline.read_inputs(space.root, space.as_of, space.store("documents.json"))
    if not inputs.usable:
        return KnownFleet(findings=tuple(inputs.findings))
    instances = inputs.resolution.instances
    blame = Blamer(inputs.fleet, units(inputs.fleet, instances))
    return KnownFleet(promises(inputs.fleet, instances, space.as_of), blame, tuple(inputs.findings))


def verify(root: Path, fleet: KnownFleet, version: str, say: Callable[[str], None], shown: str = "") -> Result:
    """Judge every manifest below `root`, which must be a folder; a single file is judged in its folder's place.

    A folder called like one of the fleet's clusters is judged by its version, and by all that is promised of it.
    `version` (like `1.34`) wins. Places are shown below `shown`. Raises UsageError for a version without schemas.
    """
    base, inside = (root.parent, root.name) if root.is_file() else (root, "")
    clusters = fleet.promises.clusters if fleet.promises else {}
    versions = {name: cluster.kubernetes_version for name, cluster in clusters.items()}
    findings: list[Finding] = list(fleet.findings)
    counts = {"clusters": 0, "files": 0, "objects": 0}
    states: dict[str, State] = {}
    locator = Locator(lambda file: (base / file).read_text(encoding="utf-8-sig", errors="replace"))
    judged: list[tuple[Layout, Index]] = []
    with Engine(engine_build.ensure_engine(say)) as engine:
        for layout in _layouts(base, inside, versions, version):
            folder = read_folder(engine, base, inside or layout.folder)
            folder = _with_definitions(engine, folder, base, inside or layout.folder)
            name = layout.folder or base.name
            cluster = clusters.get(name)
            index = Index(folder.manifests, storage_classes=cluster.storage_classes.names if cluster else frozenset())
            findings += folder.findings
            judged.append((layout, index))
            counts["clusters"] += 1
            counts["files"] += folder.files
            counts["objects"] += len(folder.manifests)
            if fleet.promises is not None and cluster is not None and not inside:
                states[name] = State(fleet.promises, cluster, index, layout.folder or ".", states)
    if counts["files"] == 0:
        raise UsageError(f"{root} holds no manifests", "manifests end in .yaml, .yml or .json")

    def judge_all() -> None:
        for layout, index in judged:
            findings.extend(to_findings(judge(index, layout.version), locator, fleet.blame))

    proved = Proved()
    if fleet.promises is None or not states:
        judge_all()
    else:
        proved, more = prove(fleet.promises, states, say, judge_all)
        findings += more
        findings += to_findings(proved.breaches, locator, fleet.blame)
        if len(states) > 1:
            findings += _missing(fleet.promises, states)
    prefix = shown.rstrip("/") if not inside else str(Path(shown).parent)
    ordered = in_order(_shown_below(finding, prefix) for finding in findings)
    counts["controls_lifted"] = len({lift.name for lift, _ in proved.lifted})
    result = Result("verify", ordered, counts)
    told = assurances(fleet.promises, states, proved) if fleet.promises is not None else ()
    return dataclasses.replace(result, notes=_notes(result, states, fleet), assurances=told)


def prove(
    known: Promises,
    states: Mapping[str, State],
    say: Callable[[str], None],
    meanwhile: Callable[[], None] = lambda: None,
) -> tuple[Proved, list[Finding]]:
    """The proofs and the policies' verdicts, side by side; `meanwhile` is done while Kyverno judges."""
    if not known.fleet.all(Policy):
        meanwhile()
        proved = prove_fleet(known, states, None)
        hint = "'tenantry init' lays those of the example"
        none = Finding(
            "V073", Place("policies"), "the fleet has no policies, so Kyverno would guard nothing", hint, "warning"
        )
        return proved, [*proved.findings, none]
    with PolicyEngine(engine_build.ensure(engine_build.POLICY_ENGINE, say)) as policies:
        verdicts = ask(policies, known, states)
        meanwhile()
        proved = prove_fleet(known, states, verdicts)
        return proved, [*proved.findings, *verdicts.findings]


def prove_files(
    known: Promises,
    blame: Blame,
    files: Mapping[str, Sequence[str]],
    content: Callable[[str], str],
    say: Callable[[str], None],
) -> list[Finding]:
    """Findings of the proofs on files of rendered/, by cluster, wherever their content lies."""
    states: dict[str, State] = {}
    with Engine(engine_build.ensure_engine(say)) as engine:
        for name, cluster in known.clusters.items():
            manifests = read_files(engine, files.get(name, ()), content)
            if manifests:
                states[name] = State(known, cluster, Index(manifests), f"rendered/{name}", states)
    if not states:
        return []
    proved, more = prove(known, states, say)
    return [*more, *to_findings(proved.breaches, Locator(content), blame)]


def objectives(space: Workspace, tenant: str) -> tuple[Objective, ...]:
    """Objectives of a tenant, derived from the fleet's rendered tree."""
    fleet = known_fleet(space)
    if fleet.promises is None:
        raise FindingsError(fleet.findings)
    files = {
        name: sorted(map(str, (space.root / "rendered" / name).rglob("*.yaml"))) for name in fleet.promises.clusters
    }
    states: dict[str, State] = {}
    with Engine(engine_build.ensure_engine(space.say)) as engine:
        for name, cluster in fleet.promises.clusters.items():
            manifests = read_files(engine, files[name], lambda file: Path(file).read_text(encoding="utf-8"))
            states[name] = State(fleet.promises, cluster, Index(manifests), f"rendered/{name}", states)
    return tuple(objectives_of(states, tenant))


def _notes(result: Result, states: Mapping[str, State], fleet: KnownFleet) -> tuple[str, ...]:
    if not result.ok:
        return ()
    counts = result.counts
    notes = [f"{counts['objects']} objects in {counts['files']} files: nothing to refuse."]
    if states:
        homes = sum(len(state.homes) for state in states.values())
        notes.append(
            f"{len(states)} clusters, {homes} namespaces: every control that is promised is kept or lifted by an exception."
        )
    elif fleet.promises is None:
        notes.append("No fleet is here (-C DIR), so nothing is promised of these objects, and no isolation was proved.")
    else:
        notes.append("No folder is called like a cluster of the fleet, so no isolation was proved.")
    return tuple(notes)


def _missing(known: Promises, states: Mapping[str, State]) -> Iterator[Finding]:
    for name, homes in known.homes.items():
        if homes and name not in states:
            tenants = sorted({home.tenant for home in homes.values() if home.tenant})
            message = f"cluster '{name}' is not in the tree; {len(homes)} namespaces are promised to it ({', '.join(tenants[:3]) or 'cells'})"
            yield Finding("V074", Place(name), message, "run 'tenantry render', or verify the cluster's folder alone")


def _shown_below(finding: Finding, prefix: str) -> Finding:
    inputs = ("tenants/", "tiers/", "platform/", "policies/")
    if prefix in ("", ".") or finding.place.file.startswith(inputs):
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
