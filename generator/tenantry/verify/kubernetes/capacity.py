"""Whether a namespace's LimitRange and ResourceQuota have room: plugin/pkg/admission and pkg/quota/v1/evaluator of Kubernetes 1.37."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, how_many, items, mapping
from tenantry.verify import values
from tenantry.verify.index import Index, pod_specs
from tenantry.verify.kubernetes.admission import ranges_by_namespace, requirements
from tenantry.verify.kubernetes.disruption import scaler_of
from tenantry.verify.registration import references_of

_LASTING = (("apps", "Deployment"), ("apps", "ReplicaSet"), ("apps", "StatefulSet"), ("postgresql.cnpg.io", "Cluster"))
"""Kinds whose Pods are all there at the same time."""


@references_of("apps", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")
@references_of("batch", "CronJob", "Job")
@references_of("", "Pod", "ReplicationController")
def fits_default(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A request over the limit that a LimitRange fills in: the API server then refuses the Pod."""
    namespace = manifest.identity.namespace
    for path, _, spec in pod_specs(manifest):
        for part in ("initContainers", "containers"):
            for number, container in entries(spec.get(part)):
                given = mapping(container.get("resources"))
                filled = requirements(index, namespace, container)["limits"]
                for name, request in mapping(given.get("requests")).items():
                    asked, limit = values.quantity(request), values.quantity(filled.get(name))
                    own = name in mapping(given.get("limits"))
                    if not own and asked is not None and limit is not None and asked > limit:
                        where: Path = (*path, part, number, "resources", "requests", name)
                        message = f"the request {request} is over the limit {filled[name]} that the namespace's LimitRange fills in: no Pod is ever made"
                        yield Problem("V052", where, message, f"set limits.{name} to {request} or more")


@references_of("", "ResourceQuota")
def enough(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Pods and Services that the quota can't hold: the last ones are never made."""
    if index.partial or items(manifest.spec.get("scopes")) or manifest.spec.get("scopeSelector"):
        return
    wanting = index.once(needed).get(manifest.identity.namespace, {})
    for name, hard in mapping(manifest.spec.get("hard")).items():
        wanted, allowed = wanting.get(QUOTA_NAMES.get(name, name)), values.quantity(hard)
        if wanted is not None and allowed is not None and wanted > allowed:
            amount = shown(name, wanted)
            message = f"the tree's objects need {amount}, so the last ones are never made"
            yield Problem("V052", ("spec", "hard", name), message, f"allow {amount} or more")


QUOTA_NAMES = {"cpu": "requests.cpu", "memory": "requests.memory", "count/services": "services"}


def shown(name: str, amount: Decimal) -> str:
    """An amount of what a quota counts under that name."""
    if "memory" in name:
        return f"{amount / 2**20:.0f}Mi"
    return f"{amount.normalize():f}"


def needed(index: Index) -> Mapping[str, Mapping[str, Decimal]]:
    """What the Pods and Services of each namespace need, by the names of a quota."""
    found: dict[str, Counter[str]] = {}
    for kind in _LASTING:
        for manifest in index.of(*kind):
            count = how_many_pods(index, manifest)
            totals = found.setdefault(manifest.identity.namespace, Counter())
            totals["pods"] += count
            for name, amount in of_pod(index, manifest):
                totals[name] += amount * count  # type: ignore[assignment]
    for service in index.of("", "Service"):
        totals = found.setdefault(service.identity.namespace, Counter())
        totals["services"] += 1
        totals["services.loadbalancers"] += service.spec.get("type") == "LoadBalancer"
    return {space: {name: Decimal(amount) for name, amount in totals.items()} for space, totals in found.items()}


def how_many_pods(index: Index, manifest: Manifest) -> int:
    """Pods of a workload that are there at least."""
    if manifest.identity.kind == "Cluster":
        return how_many(manifest.spec.get("instances"), 1)
    scaler = scaler_of(index, manifest)
    if scaler is not None:
        return how_many(scaler.spec.get("minReplicas", scaler.spec.get("minReplicaCount")), 1)
    return how_many(manifest.spec.get("replicas"), 1)


def of_pod(index: Index, manifest: Manifest) -> Iterator[tuple[str, Decimal]]:
    """requests and limits of one Pod: of all containers, where each has one."""
    containers: list[Value] = [manifest.spec] if manifest.identity.kind == "Cluster" else []
    for _, _, spec in pod_specs(manifest):
        containers += [container for _, container in entries(spec.get("containers"))]
    filled = [requirements(index, manifest.identity.namespace, container) for container in containers]
    for part in ("requests", "limits"):
        for resource in ("cpu", "memory"):
            amounts = [values.quantity(one[part].get(resource)) for one in filled]
            known = [amount for amount in amounts if amount is not None]
            if known:
                yield f"{part}.{resource}", sum(known, Decimal(0))


@references_of("", "PersistentVolumeClaim")
@references_of("apps", "StatefulSet")
@references_of("postgresql.cnpg.io", "Cluster")
def claim_in_range(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Claims outside of what a LimitRange of the namespace allows."""
    for path, size in _claims(manifest):
        for ranged in index.once(ranges_by_namespace).get(manifest.identity.namespace, ()):
            for _, limit in entries(ranged.spec.get("limits")):
                if limit.get("type") == "PersistentVolumeClaim":
                    yield from _outside(path, size, limit)


def _outside(path: Path, size: object, limit: Value) -> Iterator[Problem]:
    asked = values.quantity(size)
    for bound in ("max", "min"):
        edge = values.quantity(mapping(limit.get(bound)).get("storage"))
        if asked is not None and edge is not None and (asked > edge if bound == "max" else asked < edge):
            message = f"{size} is {'over' if bound == 'max' else 'below'} the {bound} {limit[bound]['storage']} of the namespace: the claim is refused"
            yield Problem("V052", path, message)


def _claims(manifest: Manifest) -> Iterator[tuple[Path, object]]:
    wanted: Path = ("resources", "requests", "storage")
    if manifest.identity.kind == "PersistentVolumeClaim":
        yield ("spec", *wanted), mapping(mapping(manifest.spec.get("resources")).get("requests")).get("storage")
    for number, template in entries(manifest.spec.get("volumeClaimTemplates")):
        requests = mapping(mapping(mapping(template.get("spec")).get("resources")).get("requests"))
        yield ("spec", "volumeClaimTemplates", number, "spec", *wanted), requests.get("storage")
    if manifest.identity.kind == "Cluster":
        for part in ("storage", "walStorage"):
            yield ("spec", part, "size"), mapping(manifest.spec.get(part)).get("size")
