"""New clusters, releases and channels: files shaped like one that is there, with what only the new entry can say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from tenantry.commands import scaffold
from tenantry.core import addresses
from tenantry.core.findings import UsageError
from tenantry.core.suggestions import choices
from tenantry.inputs import edits
from tenantry.inputs.fleet import Fleet
from tenantry.inputs.shape import shape_of
from tenantry.inputs.source import Path_
from tenantry.model.channel import Channel
from tenantry.model.cluster import Cluster
from tenantry.model.release import Release
from tenantry.model.tenant import Tenant

T = TypeVar("T", Cluster, Release)


def new_cluster(fleet: Fleet, name: str, region: str, model_name: str | None) -> tuple[str, str]:
    """(file, text) of a new cluster, with node pools of another one, address ranges that are free, and no DR partner.

    Raises UsageError for a region or a model that is not there, and when no addresses are free.
    """
    scaffold.check_name("Cluster", name)
    known = {one.name for one in fleet.platform.regions}
    if region not in known:
        raise UsageError(f"there is no region '{region}'", choices(region, known, "regions"))
    clusters = fleet.all(Cluster)
    near = [cluster for cluster in clusters.values() if cluster.region == region]
    model = _model(clusters, model_name, [*near, *clusters.values()], "cluster")
    changes: dict[Path_, Any] = {
        ("metadata", "name"): name,
        ("spec", "region"): region,
        ("spec", "networks"): _free_networks(fleet),
        ("spec", "objectStorage"): _object_storage(name, region, near[0] if near else None, model),
        ("spec", "traefik"): {"publicEntryPoint": model.traefik.public_entry_point},
    }
    text = _like(fleet, "Cluster", model, changes, ("drPartner", "privateConnectivity"))
    return f"platform/clusters/{name}.yaml", text


def new_release(fleet: Fleet, name: str, image: str, odoo: str, built: str, model_name: str | None) -> tuple[str, str]:
    """(file, text) of a new release, with the modules of the last one of its Odoo version, and not proved anywhere."""
    scaffold.check_name("Release", name)
    releases = fleet.all(Release)
    same = sorted((r for r in releases.values() if r.odoo_version == odoo), key=lambda r: r.built, reverse=True)
    model = _model(releases, model_name, same, f"release of Odoo {odoo}")
    changes: dict[Path_, Any] = {
        ("metadata", "name"): name, ("spec", "odooVersion"): odoo, ("spec", "image"): image, ("spec", "built"): built,
        ("spec", "proved"): [],
    }  # fmt: skip
    return f"platform/releases/{name}.yaml", _like(fleet, "Release", model, changes, ())


def new_channel(fleet: Fleet, name: str, release_name: str, description: str) -> tuple[str, str]:
    """(file, text) of a new channel that runs one release everywhere."""
    scaffold.check_name("Channel", name)
    if fleet.find(Release, release_name) is None:
        raise UsageError(f"there is no release '{release_name}'", choices(release_name, fleet.all(Release), "releases"))
    channels = list(fleet.all(Channel).values())
    if not channels:
        raise UsageError("no channel is there to take the shape from", "'tenantry schema channel' lists its fields")
    changes: dict[Path_, Any] = {
        ("metadata", "name"): name, ("spec", "description"): description,
        ("spec", "releases"): dict.fromkeys(("production", "staging", "recovery"), release_name),
    }  # fmt: skip
    left_out = ("takesNewTenants", "rollout", "canaries", "waves")
    return f"platform/releases/{name}.yaml", _like(fleet, "Channel", channels[0], changes, left_out)


def _model(known: Mapping[str, T], wish: str | None, proposed: list[T], what: str) -> T:
    if wish is not None:
        if wish not in known:
            raise UsageError(f"there is no {what.partition(' ')[0]} '{wish}'", choices(wish, known, "known"))
        return known[wish]
    if not proposed:
        raise UsageError(
            f"no {what} is there to take the shape from", f"name another with --like: {', '.join(sorted(known))}"
        )
    return proposed[0]


def _like(fleet: Fleet, kind: str, model: object, changes: Mapping[Path_, Any], left_out: Iterable[str]) -> str:
    """The model's text with some values changed. Its comments are about the model, so they are left out."""
    document = fleet.document(model)
    text, shape = document.text, shape_of(kind)
    for path, value in changes.items():
        text = edits.with_value(text, shape, path, value)
    for key in left_out:
        if key in document.data["spec"]:
            text = edits.without(text, ("spec", key))
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("  #"))


def _object_storage(name: str, region: str, near: Cluster | None, model: Cluster) -> dict[str, Any]:
    """Buckets of its own at the region's endpoint; in a new region, at the model's with the region's name in its place."""
    storage = (near or model).object_storage
    endpoint = storage.endpoint if near else storage.endpoint.replace(model.region, region)
    replicated = (
        {"region": storage.replication.region, "maxDelayMinutes": storage.replication.max_delay_minutes}
        if near and storage.replication
        else None
    )
    found: dict[str, Any] = {
        "endpoint": endpoint, "cidrs": list(storage.cidrs),
        "backupBucket": f"{name}-backup", "attachmentBucket": f"{name}-files", "veleroBucket": f"{name}-velero",
        "lockDays": storage.lock_days, "attachmentVersionsDays": storage.attachment_versions_days,
    }  # fmt: skip
    return {**found, "replication": replicated} if replicated else found


def _free_networks(fleet: Fleet) -> dict[str, list[str]]:
    """Ranges below the first free 10.x.0.0/15: a /16 of Pods, a /18 of Services, a /20 of nodes."""
    taken = list(addresses.ranges(_declared(fleet)))
    for second in range(16, 256, 2):
        whole = addresses.read(f"10.{second}.0.0/15")
        if whole is not None and not any(whole.meets(other) for other in taken):
            own = f"10.{second + 1}"
            return {
                "pods": [f"10.{second}.0.0/16"], "services": [f"{own}.0.0/18"], "nodes": [f"{own}.128.0/20"],
                "apiServer": [f"{own}.144.0/28"],
            }  # fmt: skip
    raise UsageError("no 10.x.0.0/15 is free", "write platform/clusters/NAME.yaml yourself")


def _declared(fleet: Fleet) -> Iterator[str]:
    """Every range that a cluster or a tenant names."""
    for cluster in fleet.all(Cluster).values():
        for part in (
            cluster.networks.pods,
            cluster.networks.services,
            cluster.networks.nodes,
            cluster.networks.api_server,
        ):
            yield from part
        yield from cluster.object_storage.cidrs
        yield from cluster.traefik.balancer_cidrs
        yield from cluster.private_connectivity.cidrs if cluster.private_connectivity else ()
    for tenant in fleet.all(Tenant).values():
        for integration in tenant.integrations:
            yield from integration.cidrs
        yield from (*tenant.access.admin_sources, *tenant.access.sources)
