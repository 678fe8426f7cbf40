"""Objects of the units that differ between two states, built in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tenantry.change.side import Side
from tenantry.core.findings import Finding, ObjectId
from tenantry.core.manifest import Manifest
from tenantry.core.paths import platform_path
from tenantry.engine.kustomize import Engine
from tenantry.prove.template_conformance import Templates
from tenantry.publish.bases import Bases
from tenantry.publish.building import Built, build
from tenantry.render.units import Unit

Key = tuple[str, ObjectId]
"""(cluster, identity)"""


@dataclass(frozen=True)
class BuiltSide:
    """The objects of one state, as far as they were built."""

    side: Side
    objects: Mapping[Key, Manifest] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def of_cluster(self, cluster: str) -> list[Manifest]:
        """Objects in the order of their files."""
        return [manifest for (name, _), manifest in sorted(self.objects.items()) if name == cluster]


def differing_units(before: Side, after: Side) -> set[str]:
    """Paths of units that exist in one state only, or are made of other inputs."""
    paths = before.units.keys() | after.units.keys()
    return {path for path in paths if _key(before, path) != _key(after, path)}


def _key(side: Side, path: str) -> str:
    unit = side.units.get(path)
    return unit.key if unit is not None else ""


def surroundings(side: Side, paths: Iterable[str]) -> Iterator[str]:
    """Units that costs and objectives of other units depend on: the common platform of their clusters and DR partners."""
    for path in paths:
        unit = side.units.get(path)
        cluster = side.fleet.entries["Cluster"].get(unit.cluster) if unit else None
        if cluster is not None:
            for name in cluster.pair:
                common = platform_path(name, "common")
                if common in side.units:
                    yield common


def build_units(engine: Engine, side: Side, wanted: Sequence[Unit], templates: Templates) -> Iterator[Built]:
    """The results of units of one state, in order. The engine keeps the bases of one state, so build one after the other."""
    bases = Bases(side.fleet)
    engine.store(bases.files(unit.base for unit in wanted))
    yield from build(engine, wanted, bases, templates)


def build_side(engine: Engine, side: Side, paths: Iterable[str]) -> BuiltSide:
    """Build the units of one state that have one of these paths."""
    wanted = [side.units[path] for path in sorted(set(paths)) if path in side.units]
    if not wanted:
        return BuiltSide(side)
    objects: dict[Key, Manifest] = {}
    findings: list[Finding] = []
    for built in build_units(engine, side, wanted, Templates(side.fleet.platform, wanted)):
        findings += built.findings
        objects |= {(built.unit.cluster, m.identity): m for m in built.objects.values()}
    return BuiltSide(side, objects, tuple(findings))
