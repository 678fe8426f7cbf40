"""Parts of a pair of clusters: what shares neither a tenant nor a cell lies in different parts.

What is promised to a home names its tenant, its cell and the platform only, so the proofs compare a part's objects with
each other and with what the clusters hold for all, never with another part's. What could lead from one part into another
(a policy that selects its namespaces, an object outside of its own, another's name) is its border, and looked at by itself.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tenantry.core.file_names import file_name
from tenantry.core.findings import ObjectId
from tenantry.core.manifest import Manifest, Value, entries, text
from tenantry.core.paths import folder_of, name_of, parse_unit, rendered_folder, unit_of
from tenantry.model import names
from tenantry.prove.cluster_state import State
from tenantry.prove.network.classes import NAME_LABEL, namespace_labels
from tenantry.prove.network.policies import Peer
from tenantry.prove.network.reach import Namespaces
from tenantry.prove.network.selectors import Labels, selector
from tenantry.prove.pairs import Pair
from tenantry.prove.promises import Home, Homes, Promises
from tenantry.prove.template_conformance import Conformance, Templates

_OUTSIDE = frozenset({
    ("argoproj.io", "AppProject"), ("argoproj.io", "Application"), ("velero.io", "Schedule"),
    ("monitoring.coreos.com", "AlertmanagerConfig"),
    ("policies.kyverno.io", "PolicyException"),
})  # fmt: skip
"""Kinds that a tenant's units may put into a namespace of the platform; each is of one instance, by its name."""
OWN_MATTERS = frozenset({
    "BKP-01", "BKP-04", "BKP-05", "CST-01", "EDGE-03", "EDGE-04", "OBS-01", "OBS-02", "OBS-03", "RUN-01", "RUN-02", "RUN-03", "RUN-04",
    "RUN-05", "RUN-06", "RUN-07", "RUN-08", "SUP-01", "SUP-04",
})  # fmt: skip
"""Controls of what a home has for itself. With an exception from any other, nothing says that parts concern only themselves."""
_Node = tuple[str, str]


@dataclass(frozen=True, eq=False)
class PairPart:
    """Tenants and cells of a pair that are connected, with all that is theirs."""

    tenants: frozenset[str]
    cells: frozenset[str]
    homes: Mapping[str, Homes]
    """By cluster."""
    folders: frozenset[str]
    """Folders of rendered/."""
    deliveries: frozenset[str]
    """Names of files that lie in the clusters' own folders: what Argo CD and Alertmanager know of the cells."""


@dataclass(frozen=True)
class Border:
    """What other parts could meet: by cluster, the labels of the namespaces, and what policies select namespaces by."""

    spaces: Mapping[str, Mapping[str, Labels]] = field(default_factory=dict)
    selectors: Mapping[str, Sequence[Value]] = field(default_factory=dict)
    met: frozenset[str] = frozenset()
    """Policies that matched an object of the part."""

    @property
    def namespaces(self) -> frozenset[tuple[str, str]]:
        """(cluster, namespace) of each home."""
        return frozenset((cluster, name) for cluster, there in self.spaces.items() for name in there)


@dataclass(frozen=True)
class Partition:
    """All parts of a pair, and which folder is whose; the clusters' own folders are no part's."""

    parts: tuple[PairPart, ...]
    owners: Mapping[str, PairPart]
    """By folder."""

    @cached_property
    def namespaces(self) -> frozenset[tuple[str, str]]:
        """(cluster, namespace) of each home."""
        return frozenset(
            (cluster, name) for part in self.parts for cluster, homes in part.homes.items() for name in homes
        )

    def files(self, files: Mapping[str, Sequence[str]], chosen: Iterable[PairPart]) -> dict[str, list[str]]:
        """Of the files of each cluster, those of some parts, and those of no part."""
        wanted = {None, *chosen}
        others = {name for part in self.parts if part not in wanted for name in part.deliveries}
        kept = {
            cluster: [f for f in there if self.owners.get(folder_of(f)) in wanted and name_of(f) not in others]
            for cluster, there in files.items()
        }
        return {cluster: there for cluster, there in kept.items() if there}


def partition(promises: Promises, templates: Templates, pair: Pair) -> Partition:
    """The parts of a pair. Where a tenant is promised a cluster of its own, all is one part: the proof looks at everybody."""
    homes = [(cluster, home) for cluster in pair for home in promises.homes_of(cluster).values()]
    alone = any(home.tier.isolation.nodes == "cluster" for _, home in homes)
    roots = _connected((_node(home), ("cell", "" if alone else cell)) for _, home in homes for cell in _cells(home))
    members: dict[_Node, set[_Node]] = defaultdict(set)
    for node, root in roots.items():
        members[root].add(node)
    own: dict[_Node, dict[str, dict[str, Home]]] = defaultdict(lambda: {cluster: {} for cluster in pair})
    for cluster, home in homes:
        own[roots[_node(home)]][cluster][home.namespace] = home
    folders: dict[_Node, set[str]] = defaultdict(set)
    for unit in (unit for cluster in pair for unit in templates.units.get(cluster, ())):
        node = ("tenant", unit.tenant) if unit.tenant else ("cell", parse_unit(unit.path).cell)
        if node in roots:
            folders[roots[node]].add(rendered_folder(unit.path))
    parts = {
        root: PairPart(*_names(nodes), own[root], frozenset(folders[root]), _deliveries(promises, nodes))
        for root, nodes in members.items()
    }
    return Partition(tuple(parts.values()), {folder: parts[root] for root in parts for folder in folders[root]})


def _node(home: Home) -> _Node:
    return ("tenant", home.tenant) if home.tenant else ("cell", home.site.cell.name)


def _cells(home: Home) -> Iterator[str]:
    """The cell of a home, and that which its instance moves to or from."""
    yield home.site.cell.name
    if home.instance is not None and home.instance.beside is not None:
        yield home.instance.beside.site.cell.name


def _names(nodes: Iterable[_Node]) -> tuple[frozenset[str], frozenset[str]]:
    by_kind: dict[str, set[str]] = {"tenant": set(), "cell": set()}
    for kind, name in nodes:
        by_kind[kind].add(name)
    return frozenset(by_kind["tenant"]), frozenset(by_kind["cell"])


def _deliveries(promises: Promises, nodes: Iterable[_Node]) -> frozenset[str]:
    argocd, monitoring = promises.platform.namespaces.argocd, promises.platform.namespaces.monitoring
    made = (
        ("argoproj.io", "AppProject", argocd, names.cell_application), ("argoproj.io", "Application", argocd, names.cell_application),
        ("monitoring.coreos.com", "AlertmanagerConfig", monitoring, names.cell_namespace),
    )  # fmt: skip
    return frozenset(
        file_name(ObjectId(group, kind, space, called(name)))
        for what, name in nodes if what == "cell" for group, kind, space, called in made
    )  # fmt: skip


def _connected(links: Iterable[tuple[_Node, _Node]]) -> dict[_Node, _Node]:
    """For each node one that stands for all that it is connected with."""
    parents: dict[_Node, _Node] = {}

    def root(node: _Node) -> _Node:
        while (parent := parents.setdefault(node, node)) != node:
            parents[node] = node = parents[parent]
        return node

    for one, other in links:
        parents[root(one)] = root(other)
    return {node: root(node) for node in list(parents)}


# --- borders


def borders(
    partition: Partition,
    parts: Iterable[PairPart],
    states: Mapping[str, State],
    files: Mapping[str, Sequence[str]],
    met: Iterable[tuple[str, str]],
) -> dict[PairPart, Border] | None:
    """The borders of some parts; None if one of their objects, or one of the clusters' own, could be another part's too.

    `files` are those of all parts: the name of a file is that of its object. `met` says which policies matched something
    in which folders.
    """
    for cluster, state in states.items():
        called = Counter(map(name_of, files[cluster]))
        if not all(_is_inside(partition, state, manifest, called) for manifest in state.manifests):
            return None
    there = list(met)
    return {part: _border(part, states, frozenset(name for name, f in there if f in part.folders)) for part in parts}


def _is_inside(partition: Partition, state: State, manifest: Manifest, called: Counter[str]) -> bool:
    """Whether an object is in a namespace of its own part, or one that may lie elsewhere, and no other has its name."""
    part = partition.owners.get(folder_of(manifest.file))
    space = manifest.identity.name if manifest.kind == ("", "Namespace") else manifest.identity.namespace
    name, cluster = name_of(manifest.file), state.cluster.name
    if called[name] != 1 or name != file_name(manifest.identity):
        return False
    if part is not None and space in part.homes.get(cluster, {}):
        return True
    if (cluster, space) in partition.namespaces:
        return False
    tenant = text(manifest.labels.get("tenantry.io/tenant"))
    return part is None or (manifest.kind in _OUTSIDE and tenant in part.tenants | {""})


def unchanged(states: Mapping[str, State], partition: Partition) -> dict[str, Conformance]:
    """Of the clusters' own units: they are as their templates say, since they have not changed."""
    found: dict[str, list[ObjectId]] = defaultdict(list)
    for state in states.values():
        for manifest in state.manifests:
            folder = folder_of(manifest.file)
            if folder not in partition.owners:
                found[unit_of(manifest.file)].append(manifest.identity)
    return {unit: Conformance(made, {}) for unit, made in found.items()}


def _border(part: PairPart, states: Mapping[str, State], met: frozenset[str]) -> Border:
    spaces: dict[str, dict[str, Labels]] = {}
    selectors: dict[str, list[Value]] = {}
    for cluster, homes in part.homes.items():
        state = states.get(cluster)
        labels = namespace_labels(state) if state else {}
        spaces[cluster] = {name: labels.get(name, {NAME_LABEL: name}) for name in homes}
        found = {json.dumps(s, sort_keys=True): s for name in homes for s in (_selectors(state, name) if state else ())}
        selectors[cluster] = list(found.values())
    return Border(spaces, selectors, met)


def _selectors(state: State, namespace: str) -> Iterator[Any]:
    for manifest in state.of("networking.k8s.io", "NetworkPolicy", namespace):
        for direction, word in (("ingress", "from"), ("egress", "to")):
            for _, rule in entries(manifest.spec.get(direction)):
                for _, peer in entries(rule.get(word)):
                    if "namespaceSelector" in peer:
                        yield peer["namespaceSelector"]


def apart(chosen: Iterable[Border], others: Iterable[Border]) -> bool:
    """Whether no policy on one side selects a namespace of the other."""
    mine, theirs = list(chosen), list(others)
    return not _meets(mine, theirs) and not _meets(theirs, mine)


def _meets(selecting: Iterable[Border], selected: Iterable[Border]) -> bool:
    """Whether a policy of the one selects a namespace of the other."""
    spaces: dict[str, dict[str, Labels]] = defaultdict(dict)
    for border in selected:
        for cluster, there in border.spaces.items():
            spaces[cluster].update(there)
    known = {cluster: Namespaces(there) for cluster, there in spaces.items()}
    return any(
        known[cluster].taken_by(Peer(None, selector(value)), "")
        for border in selecting
        for cluster, values in border.selectors.items() if cluster in known
        for value in values
    )  # fmt: skip


__all__ = ["Border", "PairPart", "Partition", "apart", "borders", "partition"]
