"""NET-01, NET-02, NET-03, NET-06 and NET-12 on any tree: which Pods are isolated, and which namespaces reach each other.

The model of NetworkPolicies is the one by which fleets are proved. Policies are read in the widest way: a range of
private addresses may hold Pods, since nobody says which addresses the cluster's Pods have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tenantry.core import addresses
from tenantry.core.assurance import ObservedFact
from tenantry.core.manifest import Manifest
from tenantry.prove.network.classes import NAME_LABEL, pods_of
from tenantry.prove.network.policies import Direction, policy
from tenantry.prove.network.ports import PortSet
from tenantry.prove.network.reach import Endpoint, Namespaces, Policies
from tenantry.prove.unpromised.evidence import Evidence, fact
from tenantry.verify.index import POD_KINDS, Index
from tenantry.verify.kubernetes.isolation import OTHER_KINDS

_PRIVATE = addresses.ranges(("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
"""Where clusters have their Pods (RFC 1918, 6598 and 4193)."""
_METADATA = addresses.ranges(("169.254.169.254/32", "fd00:ec2::254/128"))
_MOST_CLASSES = 600
"""Classes of Pods that are compared pair by pair."""
_MODELLED = frozenset({*POD_KINDS, ("postgresql.cnpg.io", "Cluster"), ("postgresql.cnpg.io", "Pooler")})


@dataclass(frozen=True)
class _Pods:
    """Pods that no policy tells apart, and what makes them."""

    endpoint: Endpoint
    maker: Manifest

    def __str__(self) -> str:
        return f"{self.endpoint.namespace or '(no namespace)'}/{self.maker.identity.name}"


@dataclass(frozen=True)
class _Network:
    """Pods and policies of a tree."""

    pods: Sequence[_Pods]
    policies: Policies
    unread: str


def _network(index: Index) -> _Network:
    there = Policies(map(policy, index.of("networking.k8s.io", "NetworkPolicy")))
    other = sorted({kind for group, kind in OTHER_KINDS if index.of(group, kind)})
    unread = f"the tree has policies of the kinds {', '.join(other)}, which are not read" if other else ""
    return _Network(tuple(_classes(index)), there, unread)


def _classes(index: Index) -> Iterator[_Pods]:
    spaces = {
        m.identity.name: {**{k: str(v) for k, v in m.labels.items()}, NAME_LABEL: m.identity.name}
        for m in index.of("", "Namespace")
    }
    seen: set[object] = set()
    for made in (pods for there in index.pods.values() for pods in there):
        maker, namespace = made.maker, made.namespace
        found = (
            pods_of(maker)
            if maker.kind in _MODELLED
            else [("", {k: str(v) for k, v in made.labels.items()}, {}, False)]
        )
        for _, labels, named, host in found:
            key = (id(maker), namespace, tuple(sorted(labels.items())))
            if key not in seen:
                seen.add(key)
                space = spaces.get(namespace, {NAME_LABEL: namespace})
                yield _Pods(Endpoint(namespace, space, labels, named, _PRIVATE, host), maker)


def network(index: Index) -> Iterator[Evidence]:
    """Isolation of Pods, ways between namespaces, ways to instance metadata, and kinds of policies that are not read."""
    found = index.once(_network)
    yield _isolated(index, found)
    yield _apart(found)
    yield _metadata(found)
    kinds = [m for kind in OTHER_KINDS for m in index.of(*kind)]
    yield Evidence(
        ("NET-12",), len(kinds) + len(index.of("networking.k8s.io", "NetworkPolicy")),
        "every policy is a NetworkPolicy", "some policies are of kinds that are not read here", tuple(map(fact, kinds)),
    )  # fmt: skip


_OPEN: Mapping[Direction, str] = {"ingress": "takes connections from everyone", "egress": "may connect to everything"}


def _isolated(index: Index, found: _Network) -> Evidence:
    """Each workload; and where all are isolated, whether one more Pod would be."""
    open_: dict[int, tuple[Manifest, set[str]]] = {}
    spaces: set[tuple[str, Direction]] = set()
    for pods in found.pods:
        for direction, what in _OPEN.items():
            if not pods.endpoint.host_network and not found.policies.selecting(pods.endpoint, direction):
                open_.setdefault(id(pods.maker), (pods.maker, set()))[1].add(what)
                spaces.add((pods.endpoint.namespace, direction))
    facts = [fact(maker, " and ".join(sorted(words, reverse=True))) for maker, words in open_.values()]
    for name in sorted({pods.endpoint.namespace for pods in found.pods}):
        for direction, what in _OPEN.items():
            if (name, direction) not in spaces and not found.policies.selecting(Endpoint(name), direction):
                space = index.get("", "Namespace", "", name)
                more = f"a Pod that the tree does not make {what}"
                facts.append(fact(space, more) if space else ObservedFact(f"Namespace {name}: {more}"))
    makers = len({id(pods.maker) for pods in found.pods})
    return Evidence(
        ("NET-01",), makers, "NetworkPolicies isolate the Pods of all {all} workloads, and any other Pod beside them, in both directions",
        "some Pods are not isolated by any NetworkPolicy ({all} workloads)", tuple(facts), found.unread,
    )  # fmt: skip


def _apart(found: _Network) -> Evidence:
    spaces = {pods.endpoint.namespace for pods in found.pods}
    unread = found.unread
    ways: dict[tuple[str, str], list[tuple[_Pods, _Pods, PortSet]]] = defaultdict(list)
    if len(found.pods) > _MOST_CLASSES:
        unread = f"the tree has over {_MOST_CLASSES} kinds of Pods, too many to compare each with each"
    elif not unread:
        for source, target in _candidates(found):
            pair = (source.endpoint.namespace, target.endpoint.namespace)
            if pair[0] != pair[1] and (ports := found.policies.reach(source.endpoint, target.endpoint, wide=True)):
                ways[pair].append((source, target, ports))
    facts = tuple(_way(pair, there) for pair, there in sorted(ways.items()))
    return Evidence(
        ("NET-02", "NET-03"), len(spaces) if len(spaces) > 1 else 0,
        "no Pod reaches a Pod of another namespace ({all} namespaces), whoever owns them",
        "Pods of one namespace reach those of another; which of these ways are meant, nobody says here", facts, unread,
    )  # fmt: skip


def _candidates(found: _Network) -> Iterator[tuple[_Pods, _Pods]]:
    """Pairs of Pods between which something may pass: all but those from namespaces that no rule of the target takes."""
    spaces = Namespaces({pods.endpoint.namespace: pods.endpoint.namespace_labels for pods in found.pods})
    sources = [_sources(found.policies, spaces, pods.endpoint) for pods in found.pods]
    for source in found.pods:
        for target, there in zip(found.pods, sources, strict=True):
            if there is None or source.endpoint.namespace in there:
                yield source, target


def _sources(policies: Policies, spaces: Namespaces, target: Endpoint) -> set[str] | None:
    """Namespaces whose Pods the target's rules may take; None: any."""
    selecting = policies.selecting(target, "ingress")
    taken: set[str] = set()
    for rule in (rule for one in selecting for rule in one.rules("ingress") or ()):
        if rule.peers is None or any(peer.block is not None for peer in rule.peers):
            return None
        taken.update(name for peer in rule.peers for name in spaces.taken_by(peer, target.namespace))
    return taken if selecting else None


def _way(pair: tuple[str, str], there: Sequence[tuple[_Pods, _Pods, PortSet]]) -> ObservedFact:
    source, target, ports = there[0]
    more = len({(str(one), str(other)) for one, other, _ in there}) - 1
    ends = f"{source} -> {target}, {ports}" + (f", and {more} more pairs" if more else "")
    return ObservedFact(f"{pair[0] or '(no namespace)'} -> {pair[1] or '(no namespace)'}: {ends}")


def _metadata(found: _Network) -> Evidence:
    facts: dict[int, ObservedFact] = {}
    for pods in found.pods:
        selecting = found.policies.selecting(pods.endpoint, "egress")
        rules = [rule for chosen in selecting for rule in chosen.rules("egress") or ()]
        let = not selecting or any(
            rule.peers is None or any(p.block is not None and any(map(p.block.reaches, _METADATA)) for p in rule.peers)
            for rule in rules
        )
        if let:
            facts.setdefault(id(pods.maker), fact(pods.maker))
    makers = len({id(pods.maker) for pods in found.pods})
    return Evidence(
        ("NET-06",), makers, "no Pod reaches the metadata of its machine (169.254.169.254), where clouds hand out credentials",
        "Pods of {bad} of {all} workloads reach the metadata of their machine (169.254.169.254)",
        tuple(facts.values()), found.unread,
    )  # fmt: skip
