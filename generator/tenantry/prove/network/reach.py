"""Whether one Pod may open a connection to another, as the API defines it: both ends must allow it.

Pods are distinguished by class: namespace, labels, named ports. Rules are read twice where network plugins differ:
`wide` takes every reading that opens (ipBlock over Pod addresses, endPort), `narrow` only what all plugins open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tenantry.core.addresses import Range
from tenantry.prove.network.policies import Direction, NetworkPolicy, Peer, Rule
from tenantry.prove.network.ports import ALL, PortSet, union
from tenantry.prove.network.selectors import Labels


@dataclass(frozen=True)
class Endpoint:
    """Pods that policies can't tell apart; or, without a namespace, addresses outside."""

    namespace: str = ""
    namespace_labels: Labels = field(default_factory=dict, hash=False)
    labels: Labels = field(default_factory=dict, hash=False)
    named_ports: Labels = field(default_factory=dict, hash=False)
    """`name/protocol` -> number."""
    addresses: tuple[Range, ...] = ()
    """Where it may be; for Pods whose address nobody knows, their cluster's range."""
    host_network: bool = False


@dataclass(frozen=True, slots=True)
class Opening:
    """A rule that opens ports; `rule` is None where no policy isolates the direction at all."""

    policy: NetworkPolicy | None
    rule: Rule | None
    ports: PortSet


class Policies:
    """The policies of one cluster."""

    def __init__(self, policies: Iterable[NetworkPolicy]) -> None:
        self._by_namespace: dict[str, list[NetworkPolicy]] = {}
        for policy in policies:
            self._by_namespace.setdefault(policy.namespace, []).append(policy)

    def selecting(self, pod: Endpoint, direction: Direction) -> list[NetworkPolicy]:
        """Policies that isolate the Pod in a direction. A Pod on the host's network is taken for its node: none."""
        if pod.host_network:
            return []
        there = self._by_namespace.get(pod.namespace, ())
        return [p for p in there if p.rules(direction) is not None and p.pods.matches(pod.labels)]

    def openings(self, pod: Endpoint, direction: Direction, other: Endpoint, *, wide: bool) -> Iterator[Opening]:
        """What the Pod's own policies open between it and another end. Ports are those of the connection's target."""
        selecting = self.selecting(pod, direction)
        if not selecting:
            yield Opening(None, None, ALL)
        target = pod if direction == "ingress" else other
        for policy in selecting:
            for rule in policy.rules(direction) or ():
                if rule.peers is None or any(takes(peer, policy.namespace, other, wide=wide) for peer in rule.peers):
                    ports = rule.ports.on(target.named_ports, narrow=not wide)
                    if ports:
                        yield Opening(policy, rule, ports)

    def reach(self, source: Endpoint, target: Endpoint, *, wide: bool) -> PortSet:
        """Ports on which a connection from source to target passes both ends."""
        out = (
            ALL if not source.namespace else union(o.ports for o in self.openings(source, "egress", target, wide=wide))
        )
        into = (
            ALL if not target.namespace else union(o.ports for o in self.openings(target, "ingress", source, wide=wide))
        )
        return out & into


def takes(peer: Peer, own_namespace: str, other: Endpoint, *, wide: bool) -> bool:
    """Whether a peer of a rule takes the other end."""
    if peer.block is not None:
        if other.namespace and not wide and not other.host_network:
            return False  # Cilium does not match Pods by address
        return any(peer.block.meets(network) for network in other.addresses)
    if not other.namespace or other.host_network:
        return False
    if peer.namespaces is None:
        return other.namespace == own_namespace and peer.pods.matches(other.labels)
    return peer.namespaces.matches(other.namespace_labels) and peer.pods.matches(other.labels)


@dataclass
class Namespaces:
    """Finds the namespaces that a peer can take without asking each of them."""

    labels: Mapping[str, Labels]
    _by_label: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, labels in self.labels.items():
            for pair in labels.items():
                self._by_label.setdefault(pair, []).append(name)

    def taken_by(self, peer: Peer, own: str) -> Sequence[str]:
        """Candidate namespaces for a peer of a policy in the namespace `own`; a superset of those that match."""
        if peer.namespaces is None:
            return (own,)
        for requirement in peer.namespaces.requirements:
            if requirement.operator == "In":
                found = [n for value in requirement.values for n in self._by_label.get((requirement.key, value), ())]
                return [n for n in found if peer.namespaces.matches(self.labels[n])]
        return [name for name, labels in self.labels.items() if peer.namespaces.matches(labels)]
