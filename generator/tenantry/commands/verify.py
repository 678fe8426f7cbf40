"""`tenantry verify`: checks a folder of plain manifests, also against the fleet's promises."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tenantry.commands.examination import Job, KnownFleet, Part, known_fleet
from tenantry.core.assurance import ControlStatement, TenantAssurance
from tenantry.core.findings import Finding, Place, Result, UsageError, in_order
from tenantry.engine.engines import Engines
from tenantry.plan.unused_exceptions import unused_exceptions
from tenantry.prove.promises import Promises
from tenantry.prove.report import merged
from tenantry.prove.unpromised.statements import statements
from tenantry.runtime.workspace import Workspace
from tenantry.verify.folder import REQUEST_SECONDS
from tenantry.verify.layout import DEFAULT_VERSION, Layout, beside, is_known, layouts
from tenantry.verify.native import known_versions


def verify(space: Workspace, root: Path, version: str, shown: str = "") -> Result:
    """Check every manifest below `root`; a single file is checked as part of its folder.

    A folder named after one of the fleet's clusters is checked for that cluster's version and promises. `version`
    (like `1.34`) takes precedence. Places are shown relative to `shown`. Raises UsageError for a version without schemas.
    """
    base, inside = (root.parent, root.name) if root.is_file() else (root, "")
    with Engines(space.say, request_seconds=REQUEST_SECONDS) as engines:
        fleet = known_fleet(space)
        found = _layouts(base, inside, _versions(fleet), version)
        whole = examine(Job(base, inside, fleet, engines), found)
    whole.findings += beside(base, found, _versions(fleet))
    if whole.counts["files"] == 0 and not whole.findings:
        raise UsageError(f"{root} contains no manifests", "names of manifests end in .yaml, .yml or .json")
    below = shown.rstrip("/") if not inside else str(Path(shown).parent)
    return _result(fleet, whole, below, everything=len(found) > 1 or root == fleet.rendered, alone=bool(inside))


def verify_text(space: Workspace, text: str, version: str, called: str) -> Result:
    """Check manifests that are not in a file; findings give `called` as their file."""
    layout = Layout("", version or DEFAULT_VERSION)
    _must_be_known(layout)
    with Engines(space.say, request_seconds=REQUEST_SECONDS) as engines:
        fleet = known_fleet(space)
        whole = examine(Job(Path(), called, fleet, engines, {called: text}), [layout])
    if whole.counts["objects"] == 0 and not whole.findings:
        raise UsageError(f"{called} contains no manifests", "pass YAML or JSON documents")
    return _result(fleet, whole, "", everything=False, alone=True)


def _result(fleet: KnownFleet, whole: Part, below: str, *, everything: bool, alone: bool) -> Result:
    """`alone` is what was named as one file: in a fleet, nobody asks what it shows without the others."""
    findings = [*fleet.findings, *whole.of_inputs]
    assured: tuple[TenantAssurance, ...] = ()
    if fleet.promises is not None and whole.clusters:
        known = fleet.promises
        findings += unused_exceptions(known.fleet, known.instances, known.as_of, whole.clusters, whole.used)
        if everything:
            findings += _missing(fleet.promises, whole.clusters)
        assured = merged(fleet.promises, whole.clusters, whole.assurances)
    ordered = in_order([*findings, *(_shown_below(finding, below) for finding in whole.findings)])
    counts = {
        **{key: whole.counts[key] for key in ("clusters", "files", "objects")},
        "controls_lifted": len(whole.used),
    }
    said = () if whole.clusters or (alone and fleet.promises) else statements(whole.evidence, _reason(fleet))
    said = tuple(_facts_below(one, below) for one in said)
    result = Result("verify", ordered, counts, assurances=assured, statements=said)
    return dataclasses.replace(result, notes=_notes(result, whole.clusters, fleet))


def _reason(fleet: KnownFleet) -> str:
    """Why a fleet that is there promises nothing about the objects; empty without one."""
    if fleet.promises is not None:
        return "no folder is named after a cluster of the fleet, so none of its promises is about these objects"
    return "the fleet's inputs are not valid, so what they promise is not known" if fleet.findings else ""


def _versions(fleet: KnownFleet) -> Mapping[str, str]:
    return {name: c.kubernetes_version for name, c in fleet.promises.clusters.items()} if fleet.promises else {}


def examine(job: Job, found: Sequence[Layout]) -> Part:
    """Check all clusters, each together with its DR partner."""
    whole = Part()
    for group in _neighbours(job, found):
        whole.add(job.examine(group))
    return whole


def _neighbours(job: Job, found: Sequence[Layout]) -> list[Sequence[Layout]]:
    """Clusters together with their DR partners; all others alone."""
    clusters = job.fleet.promises.clusters if job.fleet.promises else {}
    groups: dict[tuple[str, ...], list[Layout]] = {}
    for layout in found:
        name = layout.folder or job.base.name
        groups.setdefault(clusters[name].pair if name in clusters else (name,), []).append(layout)
    return list(groups.values())


def _notes(result: Result, clusters: Sequence[str], fleet: KnownFleet) -> tuple[str, ...]:
    if not result.ok:
        return ()
    counts = result.counts
    notes = [f"{counts['objects']} objects in {counts['files']} files: all are valid."]
    if clusters and fleet.promises is not None:
        homes = sum(len(fleet.promises.homes_of(name)) for name in clusters)
        notes.append(
            f"{len(clusters)} clusters, {homes} namespaces: every promised control holds or is lifted by an exception."
        )
    elif fleet.promises is None:
        notes.append("No fleet was found (name one with -C DIR), so there are no promises to check.")
    else:
        notes.append("No folder is named after a cluster of the fleet, so there are no promises to check.")
    return tuple(notes)


def _missing(known: Promises, clusters: Sequence[str]) -> Iterator[Finding]:
    for name, homes in known.homes.items():
        if homes and name not in clusters:
            tenants = sorted({home.tenant for home in homes.values() if home.tenant})
            message = f"cluster '{name}' is not in the tree, but {len(homes)} namespaces belong there ({', '.join(tenants[:3]) or 'cells'})"
            yield Finding("V074", Place(name), message, "run 'tenantry render', or verify the cluster's folder alone")


def _shown_below(finding: Finding, prefix: str) -> Finding:
    if prefix in ("", "."):
        return finding
    return dataclasses.replace(finding, place=dataclasses.replace(finding.place, file=f"{prefix}/{finding.place.file}"))


def _facts_below(one: ControlStatement, prefix: str) -> ControlStatement:
    """Files as findings name them."""
    if prefix in ("", "."):
        return one
    facts = (dataclasses.replace(fact, file=fact.file and f"{prefix}/{fact.file}") for fact in one.facts)
    return dataclasses.replace(one, facts=tuple(facts))


def _layouts(root: Path, inside: str, versions: Mapping[str, str], version: str) -> list[Layout]:
    found = [Layout("", version)] if inside and version else layouts(root, versions, version)
    if inside:
        found = [Layout("", version or versions.get(root.name, found[0].version))]
    for layout in found:
        _must_be_known(layout)
    return found


def _must_be_known(layout: Layout) -> None:
    if not is_known(layout.version):
        known = known_versions()
        raise UsageError(
            f"there are no schemas for Kubernetes {layout.version}", f"available: {known[0]} to {known[-1]}"
        )
