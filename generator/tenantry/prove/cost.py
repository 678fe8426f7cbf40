"""CST-01: monthly cost of an instance, from its objects and the platform's prices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tenantry.core.manifest import Manifest, dig, entries, how_many, mapping, text
from tenantry.model import names
from tenantry.model.platform import Prices
from tenantry.prove.backups import base_backups, in_days
from tenantry.prove.budgets import GIBIBYTE, least_replicas, pod_need
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof
from tenantry.prove.schedules import runs_a_day
from tenantry.prove.workloads import workloads
from tenantry.verify.values import quantity

FILL = 0.5
"""Share of a volume that is assumed to be used."""
COMPRESSION = 0.3
"""Size of a compressed base backup against its data."""
OFFICE_SHARE = 13 * 5 / (24 * 7)
"""Share of the week in which a sleeping staging environment is awake (07:00 to 20:00, five days)."""


@dataclass
class Cost:
    """Monthly cost of one instance in EUR, by part."""

    tenant: str
    environment: str
    parts: dict[str, float] = field(default_factory=dict)

    def add(self, part: str, amount: float) -> None:
        """Add EUR per month to a part; zero leaves no part behind."""
        if amount:
            self.parts[part] = self.parts.get(part, 0.0) + amount

    @property
    def total(self) -> float:
        return sum(self.parts.values())


def costs(state: State, partner: State | None = None) -> Iterator[Cost]:
    """Costs of the cluster's instances, their share of what they share, and their replica at the DR site."""
    shared = {h.namespace: _cell(state, h) for h in state.homes_at("cell")}
    for home in state.homes_at("instance"):
        instance = home.instance
        assert instance is not None
        cost = Cost(home.tenant, instance.environment)
        _computing(state, home, cost)
        _databases(state, home, cost, "PostgreSQL")
        _shares(home, shared[names.cell_namespace(home.site.cell.name)], cost)
        _fixed(state, home, cost)
        if home.instance is not None and home.instance.standby is not None and partner is not None:
            there = partner.homes.get(home.namespace)
            if there is not None:
                _databases(partner, there, cost, "DR replica")
                cost.add("DR cluster", state.promises.platform.prices.dedicated_cluster)
        yield cost


@proof("CST-01")
def envelopes(state: State) -> Iterator[Breach]:
    """A tenant's instances of all clusters against the tier's envelope, reported in the cluster of its production."""
    partner = state.others.get(state.cluster.dr_partner)
    totals: dict[str, float] = {}
    biggest: dict[str, str] = {}
    for cost in costs(state, partner):
        totals[cost.tenant] = totals.get(cost.tenant, 0.0) + cost.total
        if cost.environment == "production" and cost.parts:
            biggest[cost.tenant] = max(cost.parts, key=lambda part: cost.parts[part])
    for home in state.homes_at("instance"):
        instance = home.instance
        if instance is None or instance.environment != "production":
            continue
        most, total = home.tier.cost.max_euro, totals[home.tenant]
        if total > most:
            message = f"{home.tenant} costs {total:,.0f} EUR a month; tier '{home.tier.name}' allows at most {most:,} (largest part: {biggest.get(home.tenant, '-')})"
            hint = "'tenantry verify --format markdown' shows the parts; choose another tier or size"
            yield breach(state.anchor(home), "CST-01", (), message, hint, tenant=home.tenant)


def _prices(state: State) -> Prices:
    return state.promises.platform.prices


def _computing(state: State, home: Home, cost: Cost) -> None:
    """Requests of Pods that run; those that run always get the price of reserved capacity."""
    prices = _prices(state)
    for work in workloads(state, home.namespace):
        manifest = work.manifest
        if manifest.identity.kind in ("Job", "CronJob"):
            continue
        scaler = _scaler(state, manifest)
        always = least_replicas(state, manifest) if scaler != "ScaledObject" else 1
        awake = OFFICE_SHARE if scaler == "ScaledObject" else 1 - prices.reserved_discount
        one = pod_need(work.spec)
        amount = float(one.cpu) * prices.cpu_core + float(one.memory / GIBIBYTE) * prices.memory_gib
        cost.add("Odoo" if work.name.startswith("odoo") else work.name.title(), amount * always * awake)
        for _, claim in entries(manifest.spec.get("volumeClaimTemplates")):
            size = quantity(dig(claim, "spec", "resources", "requests", "storage")) or 0
            cost.add("volumes", float(size / GIBIBYTE) * prices.block_storage_gib * always)


def _scaler(state: State, manifest: Manifest) -> str:
    for scaler in state.of("keda.sh", "ScaledObject", manifest.identity.namespace):
        if dig(scaler.spec, "scaleTargetRef", "name") == manifest.identity.name:
            return "ScaledObject"
    return ""


def _databases(state: State, home: Home, cost: Cost, part: str) -> None:
    prices = _prices(state)
    for manifest in state.of("postgresql.cnpg.io", "Cluster", home.namespace):
        if manifest.identity.name != home.servers.serving.name:
            continue  # for as long as a restore lasts; the envelope is of every month
        asleep = manifest.annotations.get("cnpg.io/hibernation") == "on"
        instances = how_many(manifest.spec.get("instances"), 1)
        requests = mapping(dig(manifest.spec, "resources", "requests"))
        cpu, memory = quantity(requests.get("cpu")) or 0, quantity(requests.get("memory")) or 0
        amount = float(cpu) * prices.cpu_core + float(memory / GIBIBYTE) * prices.memory_gib
        cost.add(part, 0 if asleep else amount * instances * (1 - prices.reserved_discount))
        data = float((quantity(dig(manifest.spec, "storage", "size")) or 0) / GIBIBYTE)
        wal = float((quantity(dig(manifest.spec, "walStorage", "size")) or 0) / GIBIBYTE)
        cost.add(f"{part} volumes", (data + wal) * instances * prices.block_storage_gib)
        cost.add("backups", _backups(state, home, manifest, data))
        cost.add("copy in the DR region", _copied(state, home, manifest, data))
    for manifest in state.of("postgresql.cnpg.io", "Pooler", home.namespace):
        one = pod_need(mapping(dig(manifest.spec, "template", "spec")))
        amount = float(one.cpu) * prices.cpu_core + float(one.memory / GIBIBYTE) * prices.memory_gib
        cost.add("pooler", amount * how_many(manifest.spec.get("instances"), 1) * (1 - prices.reserved_discount))


def _backups(state: State, home: Home, manifest: Manifest, data: float) -> float:
    """Base backups that are kept, compressed; locked ones cost more."""
    prices = _prices(state)
    store = state.get("barmancloud.cnpg.io", "ObjectStore", home.namespace, "postgresql")
    days = in_days(text(store.spec.get("retentionPolicy"))) if store else None
    daily = sum(runs_a_day(state, schedule) for schedule in base_backups(state, manifest))
    if not days or not daily:
        return 0.0
    # barman keeps base backups whole; after the first, one in ten is taken to differ from the one before.
    kept = 1 + days * daily * 0.1
    price = prices.object_storage_locked_gib if home.tier.backup.lock_days else prices.object_storage_gib
    return data * FILL * COMPRESSION * kept * price


def _copied(state: State, home: Home, manifest: Manifest, data: float) -> float:
    """Base backups of a month that the object storage copies to another region."""
    if not home.tier.backup.copy_in_dr_region or state.cluster.object_storage.replication is None:
        return 0.0
    daily = sum(runs_a_day(state, schedule) for schedule in base_backups(state, manifest))
    return data * FILL * COMPRESSION * float(daily) * 30 * _prices(state).region_transfer_gib


def _cell(state: State, home: Home) -> tuple[Cost, int]:
    """What a cell's services cost together, and the users who share it."""
    cost = Cost("", "")
    _computing(state, home, cost)
    _databases(state, home, cost, "PostgreSQL")
    return cost, sum(member.tenant.users for member in home.members)


def _shares(home: Home, shared: tuple[Cost, int], cost: Cost) -> None:
    """A share of the cell's services, by users of the cell's capacity: an empty cell is the provider's risk."""
    total, users = shared
    instance = home.instance
    assert instance is not None
    base = max(users, home.site.cell.capacity.users)
    if total.total and base:
        cost.add("share of the cell", total.total * instance.tenant.users / base)


def _fixed(state: State, home: Home, cost: Cost) -> None:
    prices, instance = _prices(state), home.instance
    assert instance is not None
    production = instance.environment == "production"
    each = prices.log_gib_per_user_shared if home.tier.isolation.postgresql == "cell" else prices.log_gib_per_user
    share = 1.0 if production else 0.1
    cost.add("logs", instance.tenant.users * each * share * instance.settings.logs_days / 30 * prices.log_gib)
    if home.tier.isolation.nodes == "cluster" and production:
        cost.add("cluster", prices.dedicated_cluster)
        pools = {home.site.cell.node_pool, home.site.cell.database_node_pool}
        # One node more of each pool, for what a zone that is lost leaves behind.
        cost.add("spare nodes", sum(pool.price_euro for pool in state.cluster.node_pools if pool.name in pools))
        cost.add("load balancers", prices.load_balancer * (2 if home.tier.edge.private_entry_point else 1))
        if state.cluster.private_connectivity is not None:
            cost.add("private link", prices.private_link)
