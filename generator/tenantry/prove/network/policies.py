"""NetworkPolicy objects as values, with the API server's defaults filled in (pkg/apis/networking/v1/defaults.go)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tenantry.core import addresses
from tenantry.core.addresses import Range
from tenantry.core.manifest import Manifest, Path, Value, entries, items, mapping, text
from tenantry.prove.network.ports import ALL, FIRST, LAST, Interval, PortSet, of
from tenantry.prove.network.selectors import EVERYTHING, Labels, Selector, selector

Direction = Literal["ingress", "egress"]


@dataclass(frozen=True, slots=True)
class Block:
    """Addresses of an ipBlock: a range without its exceptions."""

    network: Range
    excepts: tuple[Range, ...] = ()

    def meets(self, other: Range) -> bool:
        """Whether some address of `other` is taken."""
        if not self.network.meets(other):
            return False
        common = other if self.network.holds(other) else self.network
        return not any(cut.holds(common) for cut in self.excepts)

    def reaches(self, other: Range) -> bool:
        """Whether some address of `other` is taken, or an IPv6 address that a translator turns into one of `other`."""
        return any(self.meets(name) for name in addresses.names(other))

    def covers(self, other: Range) -> bool:
        """Whether every address of `other` is taken."""
        return self.network.holds(other) and not any(cut.meets(other) for cut in self.excepts)

    def within(self, ranges: tuple[Range, ...]) -> bool:
        """Whether every address is in one of the ranges."""
        return any(other.holds(self.network) for other in ranges)

    def __str__(self) -> str:
        return f"{self.network} except {', '.join(map(str, self.excepts))}" if self.excepts else str(self.network)


@dataclass(frozen=True, slots=True)
class Peer:
    """Addresses or Pods of one entry of `from` or `to`. `namespaces` is None for the policy's own namespace."""

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
class NetworkPolicy:
    """`ingress` and `egress` are None for a direction that the policy does not isolate."""

    namespace: str
    name: str
    pods: Selector
    ingress: tuple[Rule, ...] | None
    egress: tuple[Rule, ...] | None

    def rules(self, direction: Direction) -> tuple[Rule, ...] | None:
        """Rules of a direction; None if the policy does not isolate it."""
        return self.ingress if direction == "ingress" else self.egress


def policy(manifest: Manifest) -> NetworkPolicy:
    """A NetworkPolicy as a value. Rules of a direction that policyTypes leave out count for nothing."""
    spec = manifest.spec
    types = set(map(text, items(spec.get("policyTypes"))))
    if not types:
        types = {"Ingress"} | ({"Egress"} if items(spec.get("egress")) else set())
    return NetworkPolicy(
        manifest.identity.namespace, manifest.identity.name, selector(spec.get("podSelector")),
        tuple(_rules(spec, "ingress", "from")) if "Ingress" in types else None,
        tuple(_rules(spec, "egress", "to")) if "Egress" in types else None,
    )  # fmt: skip


def _rules(spec: Value, direction: str, word: str) -> Iterator[Rule]:
    for number, rule in entries(spec.get(direction)):
        listed = [peer for _, peer in entries(rule.get(word))]
        peers = tuple(peer for entry in listed for peer in _peers(entry)) if listed else None
        yield Rule(peers, _ports(rule), ("spec", direction, number))


def _peers(value: Value) -> Iterator[Peer]:
    if value.get("ipBlock") is None:
        namespaces = selector(value["namespaceSelector"]) if "namespaceSelector" in value else None
        yield Peer(None, namespaces, selector(value.get("podSelector")))
        return
    block = mapping(value["ipBlock"])
    network = addresses.read(text(block.get("cidr")))
    excepts = tuple(addresses.ranges(map(text, items(block.get("except")))))
    # What nobody can read is refused by the API server; taken as everything, so that it can't hide a path.
    for taken in addresses.EVERYTHING if network is None else (network,):
        yield Peer(Block(taken, excepts if network else ()))


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
