"""What node pools are asked for, and what they have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from tenantry.core.manifest import Manifest, Value, dig, how_many, mapping, text
from tenantry.model.cluster import NodePool
from tenantry.prove.budgets import GIBIBYTE, Need, most_replicas, pod_need, server_need
from tenantry.prove.cluster_state import State
from tenantry.prove.promises import Home
from tenantry.prove.workloads import workloads
from tenantry.simulate.loss import Loss, Room


def needs(state: State, home: Home, *, servers: bool = True) -> Mapping[str, Need]:
    """Requests of a home's Pods by node pool, at its autoscalers' most; with its own PostgreSQL `servers` or without."""
    found: dict[str, Need] = defaultdict(Need)
    for work in workloads(state, home.namespace):
        if work.manifest.identity.kind in ("Deployment", "StatefulSet"):
            found[_pool(work.spec)] += pod_need(work.spec).times(most_replicas(state, work.manifest))
    for server in state.of("postgresql.cnpg.io", "Cluster", home.namespace) if servers else ():
        pool = text(dig(server.spec, "affinity", "nodeSelector", "tenantry.io/pool"))
        found[pool] += server_need(state, server).times(_instances(server))
    for pooler in state.of("postgresql.cnpg.io", "Pooler", home.namespace):
        template = mapping(dig(pooler.spec, "template", "spec"))
        found[_pool(template)] += pod_need(template).times(_instances(pooler))
    return found


def pool_rooms(state: State, more: Mapping[str, Need], loss: Loss) -> Iterator[Room]:
    """Cores and memory of each pool after the loss, against what its Pods and those that come ask for."""
    asked: dict[str, Need] = defaultdict(Need, more)
    for home in state.homes.values():
        for name, need in needs(state, home).items():
            asked[name] += need
    for pool in state.cluster.node_pools:
        if pool.name in asked:
            need, nodes = asked[pool.name], pool.max_nodes - _gone(pool, state, loss)
            place = f"{state.cluster.name}/{pool.name}"
            yield Room(place, f"cores of {nodes} nodes", float(need.cpu), nodes * pool.cpu)
            yield Room(place, f"GiB of memory of {nodes} nodes", float(need.memory / GIBIBYTE), nodes * pool.memory_gib)


def _gone(pool: NodePool, state: State, loss: Loss) -> int:
    """How many nodes of a pool are lost with it, when it is as large as it may be."""
    if state.cluster.name not in loss.clusters:
        return 0
    if loss.kind == "node-loss":
        return int(pool.name == loss.pool)
    return -(-pool.max_nodes // max(1, len(state.cluster.zones)))


def _pool(spec: Value) -> str:
    return text(mapping(spec.get("nodeSelector")).get("tenantry.io/pool"))


def _instances(manifest: Manifest) -> int:
    return how_many(manifest.spec.get("instances"), 1)
