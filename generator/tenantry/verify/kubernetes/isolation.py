"""What NetworkPolicies of a namespace leave no way to: DNS, and what PostgreSQL's operator needs.

The operator reaches every instance on 8000 and 5432, and instances reach each other (CloudNativePG v1.30.0,
docs/src/networking.md and docs/src/samples/networkpolicy-example.yaml).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from ipaddress import ip_address

from tenantry.core import addresses
from tenantry.core.findings import ObjectId
from tenantry.core.manifest import Manifest, Problem, Value, entries, how_many, items, mapping, text
from tenantry.verify.index import Index, pod_specs
from tenantry.verify.kubernetes.workloads import selects
from tenantry.verify.registration import MadePods, references_of

OTHER_KINDS = (
    ("cilium.io", "CiliumNetworkPolicy"),
    ("cilium.io", "CiliumClusterwideNetworkPolicy"),
    ("crd.projectcalico.org", "GlobalNetworkPolicy"),
    ("crd.projectcalico.org", "NetworkPolicy"),
    ("policy.networking.k8s.io", "AdminNetworkPolicy"),
    ("projectcalico.org", "GlobalNetworkPolicy"),
    ("projectcalico.org", "NetworkPolicy"),
)
"""Policies that may allow more; they are not read here."""
_OPERATOR = {"app.kubernetes.io/name": "cloudnative-pg"}
_CLUSTER = ("postgresql.cnpg.io", "Cluster")
_POOLER = ("postgresql.cnpg.io", "Pooler")
_STATUS = 8000
_WIDE = 8
"""Prefix length up to which a range may hold the cluster's own addresses."""


def _by_namespace(index: Index) -> dict[str, list[Manifest]]:
    found: dict[str, list[Manifest]] = {}
    for manifest in index.of("networking.k8s.io", "NetworkPolicy"):
        found.setdefault(manifest.identity.namespace, []).append(manifest)
    return found


def isolating(index: Index, pods: MadePods, direction: str) -> list[Manifest]:
    """Policies that hold for some Pods in a direction."""
    known = index.once(_known)
    key = (pods.namespace, direction, repr(sorted(pods.labels.items(), key=repr)))
    if key not in known:
        known[key] = [
            policy
            for policy in index.once(_by_namespace).get(pods.namespace, ())
            if direction in _types(policy.spec) and selects(mapping(policy.spec.get("podSelector")), pods.labels)
        ]
    return known[key]


def _known(_: Index) -> dict[tuple[str, str, str], list[Manifest]]:
    """What `isolating` found, by namespace, direction and labels of Pods."""
    return {}


def _types(spec: Value) -> list[str]:
    given = items(spec.get("policyTypes"))
    return given or (["Ingress", "Egress"] if items(spec.get("egress")) else ["Ingress"])


@references_of("networking.k8s.io", "NetworkPolicy")
def cut_off(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Told at the first policy of those that together cut Pods off."""
    if index.partial or any(index.of(*kind) for kind in OTHER_KINDS):
        return
    found = index.once(_by_policy).get(manifest.identity, ())
    yield from {problem.message: problem for problem in found}.values()


def _by_policy(index: Index) -> dict[ObjectId, list[Problem]]:
    """What is cut off, by the first policy that isolates the Pods."""
    found: dict[ObjectId, list[Problem]] = {}
    for namespace in index.once(_by_namespace):
        for pods in index.pods.get(namespace, ()):
            if inward := isolating(index, pods, "Ingress"):
                rules = _rules(inward, "ingress")
                problems = (*_operator_in(pods, rules), *_clients(index, pods, rules))
                found.setdefault(inward[0].identity, []).extend(problems)
            if outward := isolating(index, pods, "Egress"):
                rules = _rules(outward, "egress")
                problems = (*_dns(pods, rules), *_operator_out(pods, rules))
                found.setdefault(outward[0].identity, []).extend(problems)
    return found


def _dns(pods: MadePods, rules: Sequence[Value]) -> Iterator[Problem]:
    """Pods that may connect to something, but can't look its name up."""
    if not rules or _on_node(pods.maker) or any(_allows(rule, "to", _is_dns, _may_hold_dns) for rule in rules):
        return
    message = f"the Pods of {pods.maker.identity} may connect out, but nothing allows UDP port 53, so no name is found"
    hint = "allow port 53 (UDP and TCP) to the Pods of DNS in kube-system"
    yield Problem("V055", ("spec", "egress"), message, hint, "warning")


def _is_instance(pods: MadePods) -> bool:
    """Whether they are instances of PostgreSQL, not the operator's jobs."""
    return pods.maker.kind == ("postgresql.cnpg.io", "Cluster") and "cnpg.io/jobRole" not in pods.labels


def _operator_in(pods: MadePods, rules: Sequence[Value]) -> Iterator[Problem]:
    if _is_instance(pods) and not any(_allows(rule, "from", _is_status, _is_operator) for rule in rules):
        name = pods.maker.identity.name
        message = f"nothing lets the operator reach port {_STATUS} of the Cluster '{name}', so it takes it for broken"
        hint = "allow ports 8000 and 5432 from the operator's namespace"
        yield Problem("V055", ("spec", "podSelector"), message, hint, "warning")


def _operator_out(pods: MadePods, rules: Sequence[Value]) -> Iterator[Problem]:
    if _is_instance(pods) and not rules:
        name = pods.maker.identity.name
        message = f"nothing lets the instances of the Cluster '{name}' reach the API server, so none gets ready"
        yield Problem("V055", ("spec", "podSelector"), message, "allow port 443 or 6443 to the API server", "warning")


def _clients(index: Index, pods: MadePods, rules: Sequence[Value]) -> Iterator[Problem]:
    """Standbys and poolers of a Cluster that nothing lets connect to it."""
    if pods.maker.kind != _CLUSTER or "cnpg.io/jobRole" in pods.labels:
        return
    name = pods.maker.identity.name
    several = how_many(pods.maker.spec.get("instances"), 1) > 1
    clients = [(pods, f"the instances of the Cluster '{name}'")] if several else []
    for other in index.pods.get(pods.namespace, ()):
        if other.maker.kind == _POOLER and mapping(other.maker.spec.get("cluster")).get("name") == name:
            clients.append((other, f"the Pooler '{other.maker.identity.name}'"))
    for client, who in clients:
        if not any(_allows(rule, "from", _is_postgresql, partial(_takes, client)) for rule in rules):
            message = f"nothing lets {who} reach port 5432 of the Cluster '{name}'"
            yield Problem("V055", ("spec", "podSelector"), message, "allow port 5432 from these Pods", "warning")


def _is_postgresql(port: Value) -> bool:
    return _holds(port, 5432, "TCP", "postgresql")


def _takes(client: MadePods, peer: Value) -> bool:
    """Whether a peer takes Pods of the policy's own namespace."""
    if "ipBlock" in peer:
        return True
    spaces = mapping(peer.get("namespaceSelector"))
    named = mapping(spaces.get("matchLabels")).get("kubernetes.io/metadata.name", client.namespace)
    return named == client.namespace and selects(mapping(peer.get("podSelector")), client.labels)


def _rules(policies: Sequence[Manifest], direction: str) -> list[Value]:
    return [rule for policy in policies for _, rule in entries(policy.spec.get(direction))]


def _allows(rule: Value, side: str, port: Callable[[Value], bool], peer: Callable[[Value], bool]) -> bool:
    """Whether a rule takes a port, and a peer that may be the one in question."""
    ports = [value for _, value in entries(rule.get("ports"))]
    peers = [value for _, value in entries(rule.get(side))]
    named = bool(ports) and side == "to"  # who names the port of DNS means DNS
    return (not ports or any(map(port, ports))) and (named or not peers or any(map(peer, peers)))


def _is_dns(port: Value) -> bool:
    return _holds(port, 53, "UDP", "dns")


def _is_status(port: Value) -> bool:
    return _holds(port, _STATUS, "TCP", "status")


def _holds(port: Value, number: int, protocol: str, name: str) -> bool:
    first, last = port.get("port"), port.get("endPort")
    if port.get("protocol", "TCP") != protocol:
        return False
    if isinstance(first, int):
        return first <= number <= (last if isinstance(last, int) else first)
    return first is None or name in text(first)


def _may_hold_dns(peer: Value) -> bool:
    if "namespaceSelector" in peer:
        return True
    found = addresses.read(str(mapping(peer.get("ipBlock")).get("cidr", "")))
    return found is not None and (found.prefix <= _WIDE or not ip_address(found.first).is_global)


def _is_operator(peer: Value) -> bool:
    return bool({"namespaceSelector", "ipBlock"} & peer.keys()) or selects(mapping(peer.get("podSelector")), _OPERATOR)


def _on_node(maker: Manifest) -> bool:
    """Policies do not hold for Pods in the network of their node."""
    return any(spec.get("hostNetwork") is True for _, _, spec in pod_specs(maker))
