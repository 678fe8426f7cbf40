"""The reference instance and cell of a tier, for which its base is rendered.

A base reads like a tenant that could be deployed: it stands in the platform's first region, on node pools and storage
named for their use, and runs an image from the platform's registry. Overlays hold what differs. Addresses come from
ranges reserved for documentation; no overlay can leave one in place, because each patch is computed against the base.
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
from tenantry.resolve.settings import resolve_instance

NAME = "reference"
_POOLS = {"cell-shared": "shared", "cell-segment": "segment", "cluster": "app"}
"""By the tier's isolation of nodes."""


def _cluster(platform: Platform, tier: Tier, region: str) -> Cluster:
    pool = _POOLS[tier.isolation.nodes]
    taint = None if tier.isolation.nodes == "cell-shared" else pool
    return Cluster(
        name=NAME, region=region, zones=("a", "b", "c"), kubernetes_version="1.36", dr_partner=NAME,
        networks=Networks(pods=("192.0.2.0/26",), services=("192.0.2.64/26",), nodes=("192.0.2.128/26",), api_server=("192.0.2.192/28",)),
        node_pools=(
            NodePool(name=pool, purpose="app", cpu=8, memory_gib=32, max_nodes=3, price_euro=0, taint=taint),
            NodePool(name=f"{pool}-db", purpose="database", cpu=8, memory_gib=64, max_nodes=3, price_euro=0, taint=f"{pool}-db"),
        ),
        storage_classes=StorageClasses(database="fast-encrypted", general="standard-encrypted"),
        object_storage=ObjectStorage(
            endpoint=f"https://objects.{region}.{platform.domain}", cidrs=("192.0.2.208/28",), backup_bucket=f"{NAME}-backup",
            attachment_bucket=f"{NAME}-files", velero_bucket=f"{NAME}-velero", lock_days=0,
        ),
        traefik=EntryPoints(public_entry_point="websecure"),
    )  # fmt: skip


def _cell(tier: Tier) -> Cell:
    own = tier.isolation.postgresql == "own"
    postgresql = CellPostgresql(
        major=17, instances=3, cpu_millicores=4000, memory_mib=16384, storage_gib=100, wal_gib=30, max_connections=1000
    )
    pool = _POOLS[tier.isolation.nodes]
    return Cell(
        name=NAME, cluster=NAME, tier=tier.name, environments=tier.environments,
        capacity=Capacity(instances=1, users=1, cpu_millicores=1, memory_mib=1), node_pool=pool, database_node_pool=f"{pool}-db",
        postgresql=None if own else postgresql, postgresql_major=17 if own else None,
        redis=None if tier.isolation.redis == "own" else CellRedis(memory_mib=1024, replicas=1),
    )  # fmt: skip


def reference_site(platform: Platform, tier: Tier) -> Site:
    region = platform.regions[0]
    here, there = (_cluster(platform, tier, name) for name in (region.name, region.dr_partner))
    return Site(platform=platform, cluster=here, cell=_cell(tier), partner=there)


def reference_instance(platform: Platform, tier: Tier, environment: EnvironmentName) -> Instance:
    """A tenant of the tier's reference size, with nothing of its own."""
    registry = platform.images.backup.partition("/")[0]
    site = reference_site(platform, tier)
    release = Release(
        name="odoo-18.0", odoo_version="18.0", image=f"{registry}/odoo/odoo:18.0", built="2026-01-01", user=ImageUser(uid=100, gid=101),
        server_wide_modules=("base", "web", "session_redis"), modules=("base", "web"),
        storage_modules=("fs_attachment_environment",), session_store_needs_scan=False,
        postgresql_majors=(17,), proved=(),
    )  # fmt: skip
    tenant = Tenant(
        name=NAME, display_name="Reference", tier=tier.name, owner=Owner(team=NAME, contact="reference@provider.example"),
        classification=Classification(data_sensitivity="internal", customization="none", integration="none", availability="standard"),
        residency=(site.region,), users=tier.sizing.reference_users, channel=NAME, environments={environment: Environment(cell=NAME)},
    )  # fmt: skip
    return resolve_instance(tenant, environment, tier, site, release)[0]
