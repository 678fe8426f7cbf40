"""A region is lost: each instance goes to its replica at the DR site, comes back from its archive, or has no place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tenantry.model.cell import Cell
from tenantry.model.cluster import Cluster
from tenantry.plan.capacity import by_cell, load
from tenantry.prove.budgets import Need
from tenantry.prove.cluster_state import State
from tenantry.prove.objectives import Derived, database_of, replica_at, rpo_of_region, rto_of_region
from tenantry.prove.promises import Home, Promises
from tenantry.prove.schedules import FOREVER
from tenantry.resolve.instance import Instance
from tenantry.simulate.loss import DOWN, Attained, Course, Loss, Outcome, Room
from tenantry.simulate.pools import needs, pool_rooms


@dataclass
class Evacuation:
    """Where instances of the lost region go, in their order; room that one takes is no longer there for the next."""

    promises: Promises
    states: Mapping[str, State]
    loss: Loss
    region: str
    arriving: dict[str, list[Instance]] = field(default_factory=dict)
    """By cell."""
    asked: dict[str, dict[str, Need]] = field(default_factory=dict)
    """By cluster and node pool."""
    taken: dict[str, str] = field(default_factory=dict)
    """Cell whose server comes back as a whole -> the cell that it comes back in."""

    def course(self, instance: Instance) -> Course | None:
        """What becomes of an instance; None if the loss does not concern it."""
        if instance.site.cluster.name not in self.loss.clusters:
            return self._exposed(instance)
        state = self.states[instance.site.cluster.name]
        home = state.homes[instance.names.namespace]
        server = database_of(state, home)
        if instance.environment != "production" or not instance.running or server is None:
            return _course(instance, "waits")
        partner = self.states.get(instance.site.partner.name)
        rpo, rto = rpo_of_region(state, home, instance, server, partner), rto_of_region(state, instance, server)
        follows = replica_at(partner, home) is not None
        if instance.standby is not None and follows and instance.standby.cluster.name not in self.loss.clusters:
            return self._arrives(instance, home, instance.standby.cell, "promoted", (rpo, rto))
        return self._from_archive(instance, home, (rpo, rto))

    def _from_archive(self, instance: Instance, home: Home, derived: tuple[Derived, Derived]) -> Course:
        rpo, rto = derived
        copied = home.cluster.object_storage.replication
        if copied is None or copied.region == self.region:
            gone = f"backups in {home.cluster.object_storage.backup_bucket}: there is no copy outside of {self.region}"
            return _course(instance, "nowhere", rpo=_never(rpo, gone), rto=_never(rto, gone), missing=(gone,))
        cell = self._cell_for(instance)
        if cell is not None:
            return self._arrives(instance, home, cell, "restored", derived)
        whole = "" if home.own_postgresql else " and no tenants: the server of a cell comes back as a whole"
        missing = (
            f"Odoo and its database: outside of {self.region} no cell of tier {instance.tier.name} has room{whole}"
        )
        return _course(instance, "nowhere", rpo=_kept(rpo), rto=_never(rto, missing), missing=(missing,))

    def _arrives(
        self, instance: Instance, home: Home, cell: Cell, outcome: Outcome, derived: tuple[Derived, Derived]
    ) -> Course:
        self.arriving.setdefault(cell.name, []).append(instance)
        asked = self.asked.setdefault(cell.cluster, {})
        pools = {home.site.cell.node_pool: cell.node_pool, home.site.cell.database_node_pool: cell.database_node_pool}
        state = self.states[home.cluster.name]
        for pool, need in needs(state, home, servers=outcome != "promoted").items():
            asked[pools.get(pool, pool)] = asked.get(pools.get(pool, pool), Need()) + need
        rpo, rto = derived
        return _course(instance, outcome, f"{cell.cluster}/{cell.name}", rpo=_kept(rpo), rto=_kept(rto))

    def _cell_for(self, instance: Instance) -> Cell | None:
        """The first cell with room, the DR partner's first."""
        home = instance.site.cell
        if home.name in self.taken:
            return self.promises.fleet.find(Cell, self.taken[home.name])
        shared = instance.settings.postgresql is None
        there = by_cell(self.promises.instances.values())
        come = there[home.name] if shared else [instance]
        for cell in sorted(self._open_cells(instance), key=lambda c: (c.cluster != home.cluster, c.name)):
            members = [*there.get(cell.name, ()), *self.arriving.get(cell.name, ())]
            if all(used <= most for used, most, _, _ in load(cell, [*members, *come])) and not (shared and members):
                if shared:
                    self.taken[home.name] = cell.name
                return cell
        return None

    def _open_cells(self, instance: Instance) -> Iterator[Cell]:
        for cell in self.promises.fleet.all(Cell).values():
            cluster = self.promises.clusters[cell.cluster]
            usable = cell.tier == instance.tier.name and cell.state == "open" and cell.purpose == "service"
            allowed = cluster.region in instance.tenant.residency and cell.cluster not in self.loss.clusters
            if usable and allowed and instance.environment in cell.environments:
                yield cell

    def _exposed(self, instance: Instance) -> Course | None:
        copied = instance.site.cluster.object_storage.replication
        lost = []
        if instance.standby is not None and instance.standby.cluster.name in self.loss.clusters:
            lost.append(f"its replica at the DR site {instance.standby.cluster.name}")
        if copied is not None and copied.region == self.region:
            lost.append(f"the copies of its backups in {copied.region}")
        return (
            _course(instance, "exposed", missing=tuple(lost)) if lost and instance.environment == "production" else None
        )

    def rooms(self) -> Iterator[Room]:
        """Every limit of the cells that instances go to, and of these clusters' node pools."""
        there = by_cell(self.promises.instances.values())
        for name, come in sorted(self.arriving.items()):
            cell = self.promises.fleet.all(Cell)[name]
            for used, most, unit, _ in load(cell, [*there.get(name, ()), *come]):
                yield Room(f"{cell.cluster}/{name}", unit, used, most)
        for cluster, asked in sorted(self.asked.items()):
            for room in pool_rooms(self.states[cluster], asked, self.loss):
                if room.place.split("/")[1] in asked:
                    yield room


def clusters_of(clusters: Mapping[str, Cluster], region: str) -> tuple[str, ...]:
    """Clusters in a region."""
    return tuple(name for name, cluster in sorted(clusters.items()) if cluster.region == region)


def _course(
    instance: Instance, outcome: Outcome, place: str = "", rpo: Attained | None = None, rto: Attained | None = None,
    missing: Sequence[str] = (),
) -> Course:  # fmt: skip
    commands: list[tuple[str, ...]] = []
    if outcome == "promoted":
        to = place.partition("/")[0]
        commands.append(("tenantry", "failover", instance.tenant.name, "--to", to, "--lost", "--reason", "REASON"))
    if outcome in DOWN:
        commands.append(("tenantry", "runbook", instance.tenant.name, "region-lost"))
    return Course(
        instance=instance.name, tenant=instance.tenant.name, tier=instance.tier.name, outcome=outcome, place=place,
        rpo=rpo, rto=rto, missing=tuple(missing), commands=tuple(commands),
    )  # fmt: skip


def _kept(derived: Derived) -> Attained:
    value = None if derived.value == FOREVER else derived.value
    return Attained(value, derived.promised, tuple((what, amount) for what, amount, _ in derived.steps))


def _never(derived: Derived, why: str) -> Attained:
    return Attained(None, derived.promised, ((why, ""),))
