"""BKP-05 (RPO, RTO) and RUN-06 (availability): derived from the objects, compared with the contract.

Formulas, each with its source, are those of docs/reference/objectives.md: CloudNativePG's replication.md and wal_archiving.md,
Velero's schedules, and rates of the last drills (platform.yaml, recovery).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod

from tenantry.core.manifest import Manifest, dig, entries, how_many, mapping, text
from tenantry.model import names
from tenantry.prove.backups import archive_timeout, base_backups, in_days
from tenantry.prove.budgets import GIBIBYTE, least_replicas
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof
from tenantry.prove.replicas import fenced, follows
from tenantry.prove.schedules import FOREVER, longest_hours
from tenantry.resolve.instance import Instance
from tenantry.verify.values import quantity

ZONE = "topology.kubernetes.io/zone"


@dataclass
class Derived:
    """One number, the promise that it must keep, and how it follows. `steps` are (what, value, where it comes from)."""

    objective: str
    control: str
    promised: float
    value: float
    unit: str
    steps: list[tuple[str, str, str]] = field(default_factory=list)
    anchor: Manifest | None = None
    at_least: bool = False

    @property
    def kept(self) -> bool:
        return self.value >= self.promised - 1e-9 if self.at_least else self.value <= self.promised + 1e-9


def derive(state: State, home: Home, partner: State | None) -> list[Derived]:
    """Objectives of a production instance, from the objects of its cluster and of its DR partner."""
    instance = home.instance
    assert instance is not None
    server = database_of(state, home)
    if server is None:
        return []
    found = [
        rpo_in_region(instance, server),
        None if instance.exposed else rpo_of_region(state, home, instance, server, partner),
        rto_of_region(state, instance, server),
        _availability(state, home, instance, server),
        _retention(state, home, instance, server),
    ]
    return [d for d in found if d is not None]


@proof("BKP-04", "BKP-05", "RUN-06")
def objectives(state: State) -> Iterator[Breach]:
    """Breaches of objectives."""
    partner = state.others.get(state.cluster.dr_partner)
    for home, _ in state.productions():
        for derived in derive(state, home, partner):
            if derived.kept or derived.objective == "backup retention":  # BKP-04 reports that at the object itself
                continue
            how = "; ".join(f"{what}: {value}" for what, value, _ in derived.steps)
            message = f"{derived.objective} of {home} is {show(derived.value, derived.unit)}; {show(derived.promised, derived.unit)} is promised ({how})"
            manifest = derived.anchor or state.anchor(home)
            hint = f"'tenantry explain {home.tenant} --objectives' shows the derivation"
            yield breach(manifest, derived.control, ("spec",), message, hint, tenant=home.tenant)


def show(value: float, unit: str) -> str:
    """A value with its unit; 'unbounded' for FOREVER."""
    if value == FOREVER:
        return "unbounded"
    return f"{value:.4g} {unit}" if unit != "%" else f"{value:.4g} %"


def database_of(state: State, home: Home) -> Manifest | None:
    """The Cluster that an instance works on, its own or its cell's; None if the trees lack it."""
    space = home.namespace if home.own_postgresql else names.cell_namespace(home.site.cell.name)
    assert home.instance is not None
    return state.get("postgresql.cnpg.io", "Cluster", space, home.instance.database_server.name)


def _archives(server: Manifest) -> bool:
    return any(p.get("isWALArchiver") and p.get("enabled", True) for _, p in entries(server.spec.get("plugins")))


def rpo_in_region(instance: Instance, server: Manifest) -> Derived:
    """What is lost with a server while its region is there."""
    promised = instance.tier.objectives.rpo_minutes
    result = Derived("RPO in the region", "BKP-05", promised, FOREVER, "min", anchor=server)
    spec = server.spec
    standbys = how_many(spec.get("instances"), 1) - 1
    synchronous = mapping(dig(spec, "postgresql", "synchronous"))
    required = synchronous.get("dataDurability", "required") == "required"
    acknowledged = how_many(synchronous.get("number"))
    # Of more standbys than acknowledge a commit, one may lack it and be promoted (CloudNativePG, failover.md).
    safe = synchronous.get("failoverQuorum") is True or standbys <= acknowledged
    if synchronous and acknowledged >= 1 and standbys >= 1 and required and safe and _spread(server):
        result.value = 0
        result.steps.append(("synchronous standby in another zone, required", "0 min", "CloudNativePG replication.md"))
        return result
    if not _archives(server):
        result.steps.append(("no WAL archive", "unbounded", "wal_archiving.md"))
        return result
    if standbys < 1:
        result.steps.append(("no standby: what was not archived is lost", "", "replication.md"))
    elif not synchronous:
        result.steps.append(("standbys replicate asynchronously", "", "replication.md"))
    elif not required:
        result.steps.append(("synchronous while a standby is available (preferred)", "0 min", "replication.md"))
    elif not safe:
        result.steps.append(("a standby that lacks commits may be promoted (no failoverQuorum)", "", "failover.md"))
    result.value = archive_timeout(server)
    result.steps.append(("otherwise archive_timeout limits the loss", show(result.value, "min"), "wal_archiving.md"))
    return result


def _spread(server: Manifest) -> bool:
    affinity = mapping(server.spec.get("affinity"))
    return (
        affinity.get("topologyKey") == ZONE
        and affinity.get("podAntiAffinityType") == "required"
        and affinity.get("enablePodAntiAffinity") is not False
    )


def replica_at(partner: State | None, home: Home) -> Manifest | None:
    """The Cluster at the DR partner that follows an instance's own; None if there is none, or it follows nothing."""
    there = partner.of("postgresql.cnpg.io", "Cluster", home.namespace) if partner else []
    return next((copy for copy in there if follows(copy) and not fenced(copy)), None)


def rpo_of_region(state: State, home: Home, instance: Instance, server: Manifest, partner: State | None) -> Derived:
    """What is lost with the region."""
    promised = instance.tier.objectives.rpo_region_loss_minutes
    result = Derived("RPO when the region is lost", "BKP-05", promised, FOREVER, "min", anchor=server)
    if not _archives(server):
        result.steps.append(("no WAL archive", "unbounded", "wal_archiving.md"))
        return result
    archive = archive_timeout(server)
    result.steps.append(("archive_timeout", show(archive, "min"), "wal_archiving.md"))
    if instance.standby is not None:
        if replica_at(partner, home) is not None:
            result.value = archive
            result.steps.append(
                (
                    "replica in the DR region replays the archive",
                    f"{instance.standby.cluster.region}",
                    "replica_cluster.md",
                )
            )
            return result
        result.steps.append(("no replica in the DR region", "", "replica_cluster.md"))
    copied = state.cluster.object_storage.replication
    if copied is None:
        result.steps.append(("the bucket has no copy in another region", "unbounded", "platform/clusters"))
        return result
    result.value = archive + copied.max_delay_minutes
    result.steps.append(
        (
            f"copy of the bucket in {copied.region}",
            f"{copied.max_delay_minutes} min",
            "platform/clusters, objectStorage.replication",
        )
    )
    return result


def rto_of_region(state: State, instance: Instance, server: Manifest) -> Derived:
    """How long it takes until an instance serves in the other region."""
    rates = state.promises.platform.recovery
    result = Derived("RTO", "BKP-05", instance.tier.objectives.rto_minutes, 0, "min", anchor=server)
    steps: list[tuple[str, float, str]] = [
        ("detect", rates.detect_minutes, "platform.yaml"),
        ("decide", rates.decide_minutes, "platform.yaml"),
    ]
    if instance.standby is None:
        steps += restore_minutes(state, server)
    steps += [
        ("start Odoo", rates.start_minutes, "platform.yaml"),
        ("DNS points there", rates.dns_minutes, "platform.yaml"),
    ]
    result.value = sum(value for _, value, _ in steps)
    result.steps = [(what, show(value, "min"), source) for what, value, source in steps]
    return result


def restore_minutes(state: State, server: Manifest) -> list[tuple[str, float, str]]:
    """How long a server takes to come back from its archive: (what, minutes, where that comes from)."""
    rates = state.promises.platform.recovery
    size = float((quantity(dig(server.spec, "storage", "size")) or 0) / GIBIBYTE)
    hours = _base_interval_hours(state, server)
    wal = hours * rates.write_gib_per_hour
    replay = f"replay {wal:.0f} GiB of WAL since the last base backup ({hours:.4g} h)"
    what = "no base backup is taken" if hours == FOREVER else replay
    return [
        (
            f"restore {size:.0f} GiB",
            size / rates.restore_gib_per_hour * 60,
            "Cluster storage.size, rate of the last drill",
        ),
        (what, wal / rates.replay_gib_per_hour * 60, "ScheduledBackup, rates of the last drill"),
    ]


def _base_interval_hours(state: State, server: Manifest) -> float:
    """The longest time between two base backups; FOREVER when no schedule makes any."""
    gaps = [longest_hours(state, schedule) for schedule in base_backups(state, server)]
    return min(gaps, default=FOREVER)


def _availability(state: State, home: Home, instance: Instance, server: Manifest) -> Derived:
    rates = state.promises.platform.recovery
    one = rates.single_pod_availability_percent / 100
    result = Derived("availability", "RUN-06", instance.tier.objectives.availability_percent, 0, "%", at_least=True)
    parts: list[tuple[str, float, str]] = [("edge", rates.edge_availability_percent / 100, "platform.yaml")]
    for name in ("odoo-web", "odoo-websocket"):
        deployment = state.get("apps", "Deployment", home.namespace, name)
        if deployment is not None:
            replicas = least_replicas(state, deployment)
            apart = min(replicas, len(state.cluster.zones)) if _zones(deployment) else 1
            parts.append(
                (
                    f"{name}, {replicas} in {apart} zones",
                    1 - (1 - one) ** apart if replicas else 0.0,
                    "Deployment, autoscaler",
                )
            )
            result.anchor = result.anchor or deployment
    instances = how_many(server.spec.get("instances"), 1) if _spread(server) else 1
    parts.append((f"PostgreSQL, {instances} in zones of their own", 1 - (1 - one) ** min(instances, 3), "Cluster"))
    parts.append(("Redis, one primary that is restarted", one, "docs/decisions/0007"))
    result.value = prod(value for _, value, _ in parts) * 100
    result.steps = [(what, f"{value * 100:.5g} %", source) for what, value, source in parts]
    return result


def _zones(manifest: Manifest) -> bool:
    spec = mapping(dig(manifest.spec, "template", "spec"))
    return any(c.get("topologyKey") == ZONE for _, c in entries(spec.get("topologySpreadConstraints")))


def _retention(state: State, home: Home, instance: Instance, server: Manifest) -> Derived | None:
    store = state.get("barmancloud.cnpg.io", "ObjectStore", server.identity.namespace, "postgresql")
    days = in_days(text(store.spec.get("retentionPolicy"))) if store else None
    wanted = instance.settings.backup_retention_days if home.own_postgresql else instance.tier.backup.retention_days
    result = Derived("backup retention", "BKP-04", wanted, days or 0, "days", anchor=store, at_least=True)
    result.steps.append(("ObjectStore retentionPolicy", f"{days or 0} days", "ObjectStore"))
    return result
