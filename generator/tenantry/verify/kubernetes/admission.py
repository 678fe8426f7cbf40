"""Whether a namespace's ResourceQuota and LimitRange let Pods in: plugin/pkg/admission of Kubernetes 1.37."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, how_many, items, mapping
from tenantry.verify import values
from tenantry.verify.index import POD_KINDS, Index, pod_specs
from tenantry.verify.registration import references_of

_COMPUTE = ("cpu", "memory", "ephemeral-storage")


def _by_namespace(index: Index, kind: str) -> dict[str, list[Manifest]]:
    found: dict[str, list[Manifest]] = {}
    for manifest in index.of("", kind):
        found.setdefault(manifest.identity.namespace, []).append(manifest)
    return found


def _quotas(index: Index) -> dict[str, list[Manifest]]:
    return _by_namespace(index, "ResourceQuota")


def ranges_by_namespace(index: Index) -> dict[str, list[Manifest]]:
    """LimitRanges by their namespace."""
    return _by_namespace(index, "LimitRange")


def requirements(index: Index, namespace: str, container: Value) -> dict[str, Mapping[str, object]]:
    """Requests and limits of a container, as they are once LimitRanges and the API server have filled them in."""
    given = mapping(container.get("resources"))
    limits, requests = dict(mapping(given.get("limits"))), dict(mapping(given.get("requests")))
    defaults: dict[str, object] = {}
    for limit in _container_limits(index, namespace):
        for name, value in {**mapping(limit.get("max")), **mapping(limit.get("default"))}.items():
            defaults.setdefault(name, value)
        lowest = {**defaults, **mapping(limit.get("defaultRequest"))}
        for name, value in lowest.items():
            requests.setdefault(name, limits.get(name, value))
    for name, value in limits.items():
        requests.setdefault(name, value)
    return {"requests": requests, "limits": {**defaults, **limits}}


def _container_limits(index: Index, namespace: str) -> Iterator[Value]:
    for manifest in index.once(ranges_by_namespace).get(namespace, ()):
        for _, limit in entries(manifest.spec.get("limits")):
            if limit.get("type") == "Container":
                yield limit


@references_of("apps", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")
@references_of("batch", "CronJob", "Job")
@references_of("", "Pod", "ReplicationController")
@references_of("postgresql.cnpg.io", "Cluster")
def counted(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A quota of a resource refuses each Pod that does not say how much of it every container takes."""
    namespace = manifest.identity.namespace
    for quota in index.once(_quotas).get(namespace, ()):
        if items(quota.spec.get("scopes")) or quota.spec.get("scopeSelector"):
            continue  # it counts some Pods only
        for path, container in _containers(manifest):
            yield from _uncounted(index, quota, path, container)
    for path, container in _containers(manifest):
        yield from _out_of_range(index, namespace, path, container)


def _containers(manifest: Manifest) -> Iterator[tuple[Path, Value]]:
    if manifest.kind not in POD_KINDS:
        yield ("spec",), manifest.spec  # an operator gives the resources to the container that it makes
        return
    for path, _, spec in pod_specs(manifest):
        for part in ("initContainers", "containers"):
            for number, container in entries(spec.get(part)):
                yield (*path, part, number), container


def _uncounted(index: Index, quota: Manifest, path: Path, container: Value) -> Iterator[Problem]:
    found = requirements(index, quota.identity.namespace, container)
    for name in mapping(quota.spec.get("hard")):
        part, _, resource = name.rpartition(".")
        part = part or "requests"
        if part in found and resource in _COMPUTE and resource not in found[part]:
            message = f"the quota '{quota.identity.name}' counts {name}, and nothing says how much: no Pod is ever made"
            hint = f"set resources.{part}.{resource}, or give the namespace a LimitRange"
            yield Problem("V052", (*path, "resources", part), message, hint)


def _out_of_range(index: Index, namespace: str, path: Path, container: Value) -> Iterator[Problem]:
    given = mapping(container.get("resources"))
    for limit in _container_limits(index, namespace):
        for part, bound, over in (("limits", "max", True), ("requests", "min", False)):
            for name, written in mapping(given.get(part)).items():
                asked, edge = values.quantity(written), values.quantity(mapping(limit.get(bound)).get(name))
                if asked is not None and edge is not None and (asked > edge if over else asked < edge):
                    message = (
                        f"{written} is {'over' if over else 'below'} the {bound} {limit[bound][name]} of the namespace"
                    )
                    yield Problem("V052", (*path, "resources", part, name), f"{message}: no Pod is ever made")


@references_of("", "ResourceQuota")
def room(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Claims of the namespace that the quota can't hold: the last Pods wait for their volumes for ever."""
    if index.partial:
        return
    claims = list(_claims(index, manifest.identity.namespace))
    totals = {"persistentvolumeclaims": Decimal(len(claims)), "requests.storage": sum(claims, Decimal(0))}
    for name, wanted in totals.items():
        allowed = values.quantity(mapping(manifest.spec.get("hard")).get(name))
        if allowed is not None and wanted > allowed:
            shown = f"{wanted}" if name == "persistentvolumeclaims" else f"{wanted / 2**30:.1f}Gi"
            message = f"the namespace's claims need {shown}, so the last ones are never made"
            yield Problem("V052", ("spec", "hard", name), message, f"allow {shown} or more")


def _claims(index: Index, namespace: str) -> Iterator[Decimal]:
    """The size of each claim of the namespace, those of StatefulSets and of PostgreSQL's instances included."""
    for claim in index.of("", "PersistentVolumeClaim"):
        if claim.identity.namespace == namespace:
            yield _size(claim.spec)
    for stateful in index.of("apps", "StatefulSet"):
        if stateful.identity.namespace == namespace:
            for _, template in entries(stateful.spec.get("volumeClaimTemplates")):
                yield from [_size(mapping(template.get("spec")))] * how_many(stateful.spec.get("replicas"), 1)
    for cluster in index.of("postgresql.cnpg.io", "Cluster"):
        if cluster.identity.namespace == namespace:
            sizes = [mapping(cluster.spec.get(part)).get("size") for part in ("storage", "walStorage")]
            known = [size for size in map(values.quantity, sizes) if size is not None]
            yield from known * how_many(cluster.spec.get("instances"), 1)


def _size(spec: Value) -> Decimal:
    return values.quantity(mapping(mapping(spec.get("resources")).get("requests")).get("storage")) or Decimal(0)
