"""Services and what selects Pods: ports, disruption budgets, monitors, network policies, autoscalers."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, mapping, text
from tenantry.verify.references.index import Index, MadePods, missing, not_in_cluster
from tenantry.verify.rules.workloads import selects

_SCALABLE = {"Deployment": "apps", "StatefulSet": "apps", "ReplicaSet": "apps"}


def _selected(index: Index, namespace: str, selector: Value) -> list[MadePods]:
    return [pods for pods in index.pods.get(namespace, []) if selects(selector, pods.labels)]


def _nothing(manifest: Manifest, index: Index, path: Path, what: str) -> Iterator[Problem]:
    namespace = manifest.identity.namespace
    if index.pods.get(namespace) and index.makes_namespace(
        namespace
    ):  # a namespace that waits for its Pods is no fault
        yield Problem("V063", path, f"the selector takes no Pod, so {what}", "see the labels of the Pod templates")


def service(manifest: Manifest, index: Index) -> Iterator[Problem]:
    selector = mapping(manifest.spec.get("selector"))
    if not selector:
        return
    found = _selected(index, manifest.identity.namespace, {"matchLabels": selector})
    if not found:
        yield from _nothing(manifest, index, ("spec", "selector"), "the Service leads nowhere")
        return
    for number, port in entries(manifest.spec.get("ports")):
        target = port.get("targetPort", port.get("port"))
        if isinstance(target, str) and not any(target in pods.ports for pods in found):
            names = sorted({p for pods in found for p in pods.ports if isinstance(p, str)})
            path = ("spec", "ports", number, "targetPort")
            yield Problem(
                "V062", path, f"no selected Pod has a port '{target}'", f"they have {', '.join(names) or 'none'}"
            )


def budget(manifest: Manifest, index: Index) -> Iterator[Problem]:
    selector = manifest.spec.get("selector")
    if isinstance(selector, dict) and selector and not _selected(index, manifest.identity.namespace, selector):
        yield from _nothing(manifest, index, ("spec", "selector"), "the budget protects nothing")


def policy(manifest: Manifest, index: Index) -> Iterator[Problem]:
    namespace = manifest.identity.namespace
    selector = mapping(manifest.spec.get("podSelector"))
    if selector and not _selected(index, namespace, selector):
        yield from _nothing(manifest, index, ("spec", "podSelector"), "the policy holds for nothing")
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
        if not _selected(index, manifest.identity.namespace, mapping(peer.get("podSelector"))):
            yield from _nothing(manifest, index, (*path, "podSelector"), "the rule allows nothing")
        return
    wanted = mapping(mapping(peer["namespaceSelector"]).get("matchLabels"))
    name = wanted.get("kubernetes.io/metadata.name")
    if not isinstance(name, str) or len(wanted) > 1 or name not in index.pods:
        return
    if index.get("", "Namespace", "", name) and not _selected(index, name, mapping(peer.get("podSelector"))):
        yield Problem("V063", path, f"the peer takes no Pod in '{name}', so the rule allows nothing")


def monitor(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """PodMonitor and ServiceMonitor: a selector that takes something, and ports by their names."""
    pods = manifest.identity.kind == "PodMonitor"
    field = "podMetricsEndpoints" if pods else "endpoints"
    chosen = mapping(manifest.spec.get("namespaceSelector"))
    names = chosen.get("matchNames")
    spaces = [str(n) for n in names] if isinstance(names, list) and names else [manifest.identity.namespace]
    if chosen.get("any") or not all(index.makes_namespace(space) and index.pods.get(space) for space in spaces):
        return
    selector = mapping(manifest.spec.get("selector"))
    if pods:
        ports = [p.ports for space in spaces for p in _selected(index, space, selector)]
    else:
        ports = [
            index.services.get((s.identity.namespace, s.identity.name)) or frozenset()
            for s in index.of("", "Service") if s.identity.namespace in spaces and selects(selector, s.labels)
        ]  # fmt: skip
    if not ports:
        what = "Pod" if pods else "Service"
        yield Problem("V063", ("spec", "selector"), f"the selector takes no {what}, so nothing is measured")
        return
    for number, endpoint in entries(manifest.spec.get(field)):
        port = endpoint.get("port")
        if isinstance(port, str) and not any(port in there for there in ports):
            known = sorted({p for there in ports for p in there if isinstance(p, str)})
            yield Problem(
                "V062",
                ("spec", field, number, "port"),
                f"nothing selected has a port '{port}'",
                f"there are {', '.join(known) or 'none'}",
            )


def autoscaler(manifest: Manifest, index: Index) -> Iterator[Problem]:
    reference = mapping(manifest.spec.get("scaleTargetRef"))
    kind, name = text(reference.get("kind")) or "Deployment", text(reference.get("name"))
    namespace = manifest.identity.namespace
    group = _SCALABLE.get(kind)
    path: Path = ("spec", "scaleTargetRef")
    if group is not None and name and not index.has(group, kind, namespace, name):
        yield missing(index, namespace, (*path, "name"), f"{kind} '{name}' in '{namespace}'")
    for other in (*index.of("keda.sh", "ScaledObject"), *index.of("autoscaling", "HorizontalPodAutoscaler")):
        target = mapping(other.spec.get("scaleTargetRef"))
        same = (other.identity.namespace, text(target.get("kind")) or "Deployment", target.get("name")) == (
            namespace,
            kind,
            name,
        )
        if same and other.identity < manifest.identity:
            yield Problem("V047", path, f"{other.identity} scales the same {kind}", "one autoscaler a workload")


def stateful_set(manifest: Manifest, index: Index) -> Iterator[Problem]:
    name = text(manifest.spec.get("serviceName"))
    namespace = manifest.identity.namespace
    if name and (namespace, name) not in index.services and not index.has("", "Service", namespace, name):
        yield missing(index, namespace, ("spec", "serviceName"), f"Service '{name}' in '{namespace}'")


def binding(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """RoleBinding and ClusterRoleBinding."""
    namespace = manifest.identity.namespace
    reference = mapping(manifest.value.get("roleRef"))
    kind, name = text(reference.get("kind")), text(reference.get("name"))
    group = "rbac.authorization.k8s.io"
    if kind == "Role" and not index.has(group, "Role", namespace, name):
        yield missing(index, namespace, ("roleRef", "name"), f"Role '{name}' in '{namespace}'")
    built_in = name in ("cluster-admin", "admin", "edit", "view") or name.startswith("system:")
    if kind == "ClusterRole" and not built_in and not index.has(group, "ClusterRole", "", name):
        known = bool(index.of(group, "ClusterRole")) or index.partial
        yield not_in_cluster(known, ("roleRef", "name"), f"ClusterRole '{name}'")
    for number, subject in entries(manifest.value.get("subjects")):
        space = text(subject.get("namespace")) or namespace
        account = text(subject.get("name"))
        if subject.get("kind") != "ServiceAccount" or account == "default" or not index.makes_namespace(space):
            continue
        made_by_operator = index.has("postgresql.cnpg.io", "Cluster", space, account)
        if not made_by_operator and not index.has("", "ServiceAccount", space, account):
            yield missing(index, space, ("subjects", number, "name"), f"ServiceAccount '{account}' in '{space}'")
