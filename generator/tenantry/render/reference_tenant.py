"""The reference instance and cell of a tier, for which its base is rendered.

Overlays hold what differs from them. Their names and addresses are placeholders from ranges reserved for
documentation; no overlay can leave one in place, because each patch is computed against the base.
"""

from __future__ import annotations

from tenantry.model.cell import Capacity, Cell, CellPostgresql, CellRedis
from tenantry.model.cluster import Cluster, EntryPoints, Networks, NodePool, ObjectStorage, StorageClasses
from tenantry.model.common import EnvironmentName
from tenantry.model.platform import Platform
from tenantry.model.release import ImageUser, Release
from tenantry.model.tenant import Classification, Environment, Owner, Tenant
from tenantry.model.tier import Tier
from tenantry.resolve.instance import Instance, Site
from tenantry.resolve.settings import settle

NAME = "reference"
_DIGEST = "sha256:" + "0" * 64

CLUSTER = Cluster(
    name=NAME, region=NAME, zones=("a", "b", "c"), kubernetes_version="1.34", dr_partner=NAME,
    networks=Networks(pods=("192.0.2.0/26",), services=("192.0.2.64/26",), nodes=("192.0.2.128/26",), api_server=("192.0.2.192/28",)),
    node_pools=(NodePool(name=NAME, purpose="app", cpu=1, memory_gib=1, max_nodes=1, price_euro=0, taint=NAME),),
    storage_classes=StorageClasses(database=NAME, general=NAME),
    object_storage=ObjectStorage(
        endpoint="https://objects.example", cidrs=("192.0.2.208/28",), backup_bucket=NAME, attachment_bucket=NAME, velero_bucket=NAME, lock_days=0
    ),
    traefik=EntryPoints(public_entry_point="websecure"),
)  # fmt: skip


def _cell(tier: Tier) -> Cell:
    own = tier.isolation.postgresql == "own"
    postgresql = CellPostgresql(
        major=17, instances=3, cpu_millicores=4000, memory_mib=16384, storage_gib=100, wal_gib=30, max_connections=1000
    )
    return Cell(
        name=NAME, cluster=NAME, tier=tier.name, environments=tier.environments,
        capacity=Capacity(instances=1, users=1, cpu_millicores=1, memory_mib=1), node_pool=NAME, database_node_pool=NAME,
        postgresql=None if own else postgresql, postgresql_major=17 if own else None,
        redis=None if tier.isolation.redis == "own" else CellRedis(memory_mib=1024, replicas=1),
    )  # fmt: skip


def reference_site(platform: Platform, tier: Tier) -> Site:
    return Site(platform=platform, cluster=CLUSTER, cell=_cell(tier), partner=CLUSTER)


def reference_instance(platform: Platform, tier: Tier, environment: EnvironmentName) -> Instance:
    """A tenant of the tier's reference size, with nothing of its own."""
    release = Release(
        name="odoo-18.0", odoo_version="18.0", image=f"registry.example/odoo@{_DIGEST}", built="2026-01-01", user=ImageUser(uid=100, gid=101),
        server_wide_modules=("base", "web", "session_redis"), modules=("base", "web"), session_store_needs_scan=False,
        postgresql_majors=(17,), proved=(),
    )  # fmt: skip
    tenant = Tenant(
        name=NAME, display_name="Reference", tier=tier.name, owner=Owner(team=NAME, contact="reference@provider.example"),
        classification=Classification(data_sensitivity="internal", customization="none", integration="none", availability="standard"),
        residency=(NAME,), users=tier.sizing.reference_users, channel=NAME, environments={environment: Environment(cell=NAME)},
    )  # fmt: skip
    return settle(tenant, environment, tier, reference_site(platform, tier), release)[0]
