"""Which loss is meant, and the simulation of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tenantry.core.findings import UsageError
from tenantry.core.suggestions import choices
from tenantry.model.cluster import Cluster
from tenantry.prove.cluster_state import State
from tenantry.prove.promises import Promises
from tenantry.resolve.instance import Instance
from tenantry.simulate.loss import DOWN, Course, Loss, LossKind, Room, Simulation
from tenantry.simulate.pools import pool_rooms
from tenantry.simulate.region import Evacuation, clusters_of
from tenantry.simulate.zone import course

UNKNOWN = (
    "Nodes are counted at each pool's most, without what kubelets keep for themselves; whether the provider has them then, the files don't say.",
    "Where the secret store, the registry, DNS and git run, the files don't say. All of them must outlive the loss.",
)
IN_REGION = "Object storage is taken to be in the whole region; volumes and Pods, in one zone."
RATES = "Minutes are those of the last drills (platform.yaml, recovery) and defaults of Kubernetes; several restores at once may take longer."


def loss_of(kind: LossKind, name: str, clusters: Mapping[str, Cluster]) -> Loss:
    """The loss that a name means. Raises UsageError for one that the fleet does not have, or has more than once."""
    known = _known(kind, clusters)
    what = {"region-loss": "region", "zone-loss": "zone", "node-loss": "node pool"}[kind]
    full = [one for one in known if one == name or one.rpartition("/")[2] == name]
    if name in known:
        full = [name]
    if not full:
        raise UsageError(f"there is no {what} '{name}' with a cluster", choices(name, known, f"{what}s"))
    if len(full) > 1:
        raise UsageError(f"'{name}' is not the only {what} of that name", f"name one: {', '.join(sorted(full))}")
    pool = full[0].partition("/")[2] if kind == "node-loss" else ""
    return Loss(kind=kind, name=full[0], clusters=known[full[0]], pool=pool)


def _known(kind: LossKind, clusters: Mapping[str, Cluster]) -> dict[str, tuple[str, ...]]:
    """Name -> clusters. A zone is `region/zone`: clusters of a region share its zones. A pool is `cluster/pool`."""
    regions = {cluster.region for cluster in clusters.values()}
    if kind == "region-loss":
        return {region: clusters_of(clusters, region) for region in regions}
    if kind == "node-loss":
        return {f"{name}/{pool.name}": (name,) for name, cluster in clusters.items() for pool in cluster.node_pools}
    found: dict[str, tuple[str, ...]] = {}
    for region in regions:
        there = clusters_of(clusters, region)
        for zone in {zone for name in there for zone in clusters[name].zones}:
            found[f"{region}/{zone}"] = tuple(name for name in there if zone in clusters[name].zones)
    return found


def simulate(promises: Promises, states: Mapping[str, State], loss: Loss) -> Simulation:
    """Courses of all instances, and the room that they need."""
    instances = sorted(promises.instances.values(), key=_urgency)
    if loss.kind == "region-loss":
        evacuation = Evacuation(promises, states, loss, loss.name)
        found = {instance.name: evacuation.course(instance) for instance in instances}
        rooms = tuple(evacuation.rooms())
    else:
        found = {instance.name: _in_place(states, instance, loss) for instance in instances}
        rooms = tuple(_left(states, loss))
    courses = [one for one in found.values() if one is not None]
    return Simulation(
        loss=loss, courses=sorted(courses, key=_rank), untouched=sorted(name for name, one in found.items() if one is None),
        rooms=rooms, unknown=(*UNKNOWN, *([IN_REGION] if loss.kind != "region-loss" else []), RATES),
    )  # fmt: skip


def _in_place(states: Mapping[str, State], instance: Instance, loss: Loss) -> Course | None:
    name = instance.site.cluster.name
    if name not in loss.clusters or name not in states:
        return None
    return course(states[name], states[name].homes[instance.names.namespace], loss)


def _left(states: Mapping[str, State], loss: Loss) -> Iterator[Room]:
    for name in loss.clusters:
        if name in states:
            rooms = pool_rooms(states[name], {}, loss)
            yield from (room for room in rooms if not loss.pool or room.place == loss.name)


def _urgency(instance: Instance) -> tuple[bool, float, float, int, str]:
    """Whoever was promised the shorter recovery comes first; among equals, more users, then the name."""
    promised = instance.tier.objectives
    apart = instance.environment != "production"
    return apart, promised.rto_minutes, promised.rpo_region_loss_minutes, -instance.tenant.users, instance.name


def _rank(course: Course) -> int:
    """Those that must be brought back, in the order of urgency; then those that go on, then those that wait."""
    return 0 if course.outcome in DOWN else 2 if course.outcome == "waits" else 1
