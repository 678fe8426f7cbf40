"""NetworkPolicy objects as values, with the API server's defaults filled in (pkg/apis/networking/v1/defaults.go)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from tenantry.core.manifest import Manifest, Path, Value, entries, items, mapping, text
from tenantry.prove.network.ports import ALL, FIRST, LAST, Interval, PortSet, of
from tenantry.prove.network.selectors import EVERYTHING, Labels, Selector, selector

Direction = Literal["ingress", "egress"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Block:
    """Addresses of an ipBlock: a range without its exceptions."""

    network: Network
    excepts: tuple[Network, ...] = ()

    def meets(self, other: Network) -> bool:
        """Whether some address of `other` is taken."""
        if self.network.version != other.version or not self.network.overlaps(other):
            return False
        common = other if _within(other, self.network) else self.network
        return not any(_within(common, cut) for cut in self.excepts)

    def covers(self, other: Network) -> bool:
        """Whether every address of `other` is taken."""
        return _within(other, self.network) and not any(cut.overlaps(other) for cut in self.excepts)

    def within(self, ranges: tuple[Network, ...]) -> bool:
        """Whether every address is in one of the ranges."""
        return any(_within(self.network, other) for other in ranges)

    def __str__(self) -> str:
        return f"{self.network} except {', '.join(map(str, self.excepts))}" if self.excepts else str(self.network)


@dataclass(frozen=True, slots=True)
class Peer:
    """One entry of `from` or `to`: addresses, or Pods. `namespaces` is None for the policy's own namespace."""

    block: Block | None = None
    namespaces: Selector | None = None
    pods: Selector = EVERYTHING


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of a rule. `narrow` is what a network plugin without endPort reads; names stand on the other Pod."""

    numbers: PortSet
    narrow: PortSet
    names: tuple[tuple[str, str], ...] = ()  # (protocol, name)

    def on(self, named: Labels, *, narrow: bool = False) -> PortSet:
        """Numbers on a Pod whose named ports are `name/protocol` -> number. A name that the Pod lacks opens nothing."""
        found: list[Interval] = []
        for protocol, name in self.names:
            number = named.get(f"{name}/{protocol}")
            if number is not None:
                found.append((protocol, int(number), int(number)))
        return (self.narrow if narrow else self.numbers) | of(*found)


@dataclass(frozen=True, slots=True)
class Rule:
    """Peers (None: everyone, outside too) and ports."""

    peers: tuple[Peer, ...] | None
    ports: Ports
    path: Path


@dataclass(frozen=True, slots=True)
class Policy:
    """`ingress` and `egress` are None for a direction that the policy does not isolate."""

    namespace: str
    name: str
    pods: Selector
    ingress: tuple[Rule, ...] | None
    egress: tuple[Rule, ...] | None

    def rules(self, direction: Direction) -> tuple[Rule, ...] | None:
        return self.ingress if direction == "ingress" else self.egress


def policy(manifest: Manifest) -> Policy:
    """A NetworkPolicy as a value. Rules of a direction that policyTypes leave out count for nothing."""
    spec = manifest.spec
    types = set(map(text, items(spec.get("policyTypes"))))
    if not types:
        types = {"Ingress"} | ({"Egress"} if items(spec.get("egress")) else set())
    return Policy(
        manifest.identity.namespace, manifest.identity.name, selector(spec.get("podSelector")),
        tuple(_rules(spec, "ingress", "from")) if "Ingress" in types else None,
        tuple(_rules(spec, "egress", "to")) if "Egress" in types else None,
    )  # fmt: skip


def _rules(spec: Value, direction: str, word: str) -> Iterator[Rule]:
    for number, rule in entries(spec.get(direction)):
        listed = [peer for _, peer in entries(rule.get(word))]
        peers = tuple(_peer(peer) for peer in listed) if listed else None
        yield Rule(peers, _ports(rule), ("spec", direction, number))


def _peer(value: Value) -> Peer:
    block = mapping(value.get("ipBlock"))
    if block:
        excepts = tuple(network for entry in items(block.get("except")) if (network := _network(text(entry))))
        network = _network(text(block.get("cidr")))
        if network is None:  # refused by the API server; taken as everything, so that it can't hide a path
            network = _network("0.0.0.0/0")
            assert network is not None
        return Peer(Block(network, excepts))
    namespaces = selector(value["namespaceSelector"]) if "namespaceSelector" in value else None
    return Peer(None, namespaces, selector(value.get("podSelector")))


def _ports(rule: Value) -> Ports:
    listed = [port for _, port in entries(rule.get("ports"))]
    if not listed:
        return Ports(ALL, ALL)
    numbers: list[Interval] = []
    narrow: list[Interval] = []
    names: list[tuple[str, str]] = []
    for port in listed:
        protocol = text(port.get("protocol")) or "TCP"
        first, last = port.get("port"), port.get("endPort")
        if isinstance(first, str):
            names.append((protocol, first))
        elif isinstance(first, int):
            numbers.append((protocol, first, last if isinstance(last, int) else first))
            narrow.append((protocol, first, first))
        else:
            numbers.append((protocol, FIRST, LAST))
            narrow.append((protocol, FIRST, LAST))
    return Ports(of(*numbers), of(*narrow), tuple(names))


@lru_cache(maxsize=4096)
def _network(cidr: str) -> Network | None:
    try:
        return ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return None


def networks(cidrs: tuple[str, ...]) -> tuple[Network, ...]:
    """Ranges as values; a bare address is a range of one."""
    return tuple(network for cidr in cidrs if (network := _network(cidr)))


@lru_cache(maxsize=65536)
def _within(inner: Network, outer: Network) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]
