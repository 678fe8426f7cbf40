"""Services and what selects Pods: ports, disruption budgets, monitors, network policies, autoscalers."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, mapping, text
from tenantry.verify.index import Index, missing
from tenantry.verify.registration import Ports, makes_services, references_of
from tenantry.verify.selection import nothing, selected


@references_of("", "Service")
def service(manifest: Manifest, index: Index) -> Iterator[Problem]:
    selector = mapping(manifest.spec.get("selector"))
    if not selector:
        return
    found = selected(index, manifest.identity.namespace, {"matchLabels": selector})
    if not found:
        yield from nothing(manifest, index, ("spec", "selector"), "the Service leads nowhere")
        return
    for number, port in entries(manifest.spec.get("ports")):
        target = port.get("targetPort", port.get("port"))
        if isinstance(target, str) and not any(target in pods.ports for pods in found):
            names = sorted({p for pods in found for p in pods.ports if isinstance(p, str)})
            path = ("spec", "ports", number, "targetPort")
            yield Problem(
                "V062", path, f"no selected Pod has a port '{target}'", f"they have {', '.join(names) or 'none'}"
            )


@references_of("policy", "PodDisruptionBudget")
def budget(manifest: Manifest, index: Index) -> Iterator[Problem]:
    selector = manifest.spec.get("selector")
    if isinstance(selector, dict) and selector and not selected(index, manifest.identity.namespace, selector):
        yield from nothing(manifest, index, ("spec", "selector"), "the budget protects nothing")


@references_of("networking.k8s.io", "NetworkPolicy")
def policy(manifest: Manifest, index: Index) -> Iterator[Problem]:
    namespace = manifest.identity.namespace
    selector = mapping(manifest.spec.get("podSelector"))
    if selector and not selected(index, namespace, selector):
        yield from nothing(manifest, index, ("spec", "podSelector"), "the policy holds for nothing")
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for number, rule in entries(manifest.spec.get(direction)):
            for place, peer in entries(rule.get(side)):
                path: Path = ("spec", direction, number, side, place)
                yield from _peer(manifest, index, peer, path)


def _peer(manifest: Manifest, index: Index, peer: Value, path: Path) -> Iterator[Problem]:
    """A peer in a namespace of the tree must be there; namespaces that others make can't be looked into."""
    if "ipBlock" in peer:
        return
    if "namespaceSelector" not in peer:
        if not selected(index, manifest.identity.namespace, mapping(peer.get("podSelector"))):
            yield from nothing(manifest, index, (*path, "podSelector"), "the rule allows nothing")
        return
    wanted = mapping(mapping(peer["namespaceSelector"]).get("matchLabels"))
    name = wanted.get("kubernetes.io/metadata.name")
    if not isinstance(name, str) or len(wanted) > 1 or name not in index.pods:
        return
    if index.get("", "Namespace", "", name) and not selected(index, name, mapping(peer.get("podSelector"))):
        yield Problem("V063", path, f"the peer takes no Pod in '{name}', so the rule allows nothing")


@references_of("apps", "StatefulSet")
def stateful_set(manifest: Manifest, index: Index) -> Iterator[Problem]:
    name = text(manifest.spec.get("serviceName"))
    namespace = manifest.identity.namespace
    if name and (namespace, name) not in index.services and not index.has("", "Service", namespace, name):
        yield missing(index, namespace, ("spec", "serviceName"), f"Service '{name}' in '{namespace}'")


@makes_services("", "Service")
def own_service(manifest: Manifest) -> Iterator[tuple[str, Ports | None]]:
    """A Service of the tree itself; an ExternalName has any port."""
    ports = [port for _, port in entries(manifest.spec.get("ports"))]
    known = frozenset(v for port in ports for v in (port.get("name"), port.get("port")) if isinstance(v, (str, int)))
    yield manifest.identity.name, None if manifest.spec.get("type") == "ExternalName" else known
