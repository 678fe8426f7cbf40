"""The parts that an instance needs, and what a zone's or a node's loss leaves of each at the worst."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tenantry.core.manifest import Manifest, dig, entries, how_many, mapping, text
from tenantry.model.names import cell_namespace
from tenantry.prove.budgets import least_replicas
from tenantry.prove.cluster_state import State
from tenantry.prove.objectives import ZONE, database_of
from tenantry.prove.promises import Home
from tenantry.prove.workloads import Workload, workloads

HOST = "kubernetes.io/hostname"
Domain = Literal["zone", "node"]


@dataclass(frozen=True, slots=True)
class NeededPart:
    """A workload that an instance needs. `bound` ones have volumes that stay in a zone, and Pods that nobody replaces on
    a node that is gone."""

    name: str
    kind: Literal["Pods", "Redis", "PostgreSQL"]
    replicas: int
    left: int
    pool: str
    bound: bool
    manifest: Manifest


def parts_of(state: State, home: Home, domain: Domain) -> Iterator[NeededPart]:
    """Those of its own namespace and those of its cell."""
    zones = max(1, len(state.cluster.zones))
    shared = cell_namespace(home.site.cell.name)
    for namespace in (home.namespace, *([] if home.own_redis else [shared])):
        for work in workloads(state, namespace):
            if work.manifest.identity.kind in ("Deployment", "StatefulSet"):
                part = _workload(state, work, domain, zones)
                if part.replicas:
                    yield part
    server = database_of(state, home)
    if server is not None:
        yield _server(server, domain)


def _workload(state: State, work: Workload, domain: Domain, zones: int) -> NeededPart:
    replicas = least_replicas(state, work.manifest)
    spread = {
        text(constraint.get("topologyKey"))
        for _, constraint in entries(work.spec.get("topologySpreadConstraints"))
        if constraint.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule"
    }
    bound = bool(entries(work.manifest.spec.get("volumeClaimTemplates")))
    pool = text(mapping(work.spec.get("nodeSelector")).get("tenantry.io/pool"))
    kind: Literal["Pods", "Redis"] = "Redis" if bound else "Pods"
    return NeededPart(work.name, kind, replicas, _left(replicas, spread, domain, zones), pool, bound, work.manifest)


def _server(server: Manifest, domain: Domain) -> NeededPart:
    affinity = mapping(server.spec.get("affinity"))
    apart = affinity.get("podAntiAffinityType") == "required" and affinity.get("enablePodAntiAffinity") is not False
    key = text(affinity.get("topologyKey")) or HOST
    count = how_many(server.spec.get("instances"), 1)
    pool = text(dig(affinity, "nodeSelector", "tenantry.io/pool"))
    left = count - 1 if apart and (key == ZONE or domain == "node") else 0
    return NeededPart(server.identity.name, "PostgreSQL", count, left, pool, True, server)


def _left(replicas: int, spread: set[str], domain: Domain, zones: int) -> int:
    """Of Pods that are not made to keep apart, all may be in one place. Those in one zone bound those on one node."""
    if domain == "node" and HOST in spread:
        return replicas - 1
    return replicas - -(-replicas // zones) if ZONE in spread else 0
