"""NET-01 to NET-08: each end of each connection is open exactly as declared (design: flows.py).

An end that is open to more than declared is a breach even while the other end is still shut: one more change, and the
path is there. The message says which of both it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from tenantry.core import addresses
from tenantry.core.addresses import Range
from tenantry.core.manifest import Manifest, Path
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.network import flows as declared
from tenantry.prove.network.classes import (
    NAME_LABEL,
    PlatformPods,
    PodClass,
    classes,
    namespace_labels,
    platform_classes,
    platform_pods,
)
from tenantry.prove.network.flows import DNS, Flow, Outside, PlatformServices, PodGroup
from tenantry.prove.network.policies import Direction, NetworkPolicy, Peer, Rule, policy
from tenantry.prove.network.ports import ALL, PortSet, union
from tenantry.prove.network.reach import Endpoint, Namespaces, Policies, takes
from tenantry.prove.network.selectors import Selector
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof

_GRAVITY = ("NET-02", "NET-03", "NET-08", "NET-06", "NET-07", "NET-05", "NET-04")
"""Of what one rule opens, the worst is reported."""
_STORES = frozenset({"postgresql", "unused postgresql", "redis", "pooler"})
_RESERVED = "tenantry.io/"
"""Labels of namespaces that only our trees write (NET-11 holds them to it)."""


@dataclass(frozen=True, slots=True)
class _Extra:
    """A peer that a rule opens a port to without a declaration."""

    control: str
    peer: str
    ports: PortSet
    pods: PodClass | None = None


@dataclass
class ClusterNetwork:
    """The Pods and policies of one cluster."""

    state: State
    spaces: dict[str, dict[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.spaces = {name: dict(labels) for name, labels in namespace_labels(self.state).items()}
        self.manifests = {
            (m.identity.namespace, m.identity.name): m for m in self.state.of("networking.k8s.io", "NetworkPolicy")
        }
        self.policies = Policies(map(policy, self.manifests.values()))
        self.by_namespace: dict[str, list[PodClass]] = defaultdict(list)
        for pods in (*classes(self.state, self.spaces), *platform_classes(self.state)):
            self.by_namespace[pods.endpoint.namespace].append(pods)
        for home in self.state.homes_at():  # a Pod that nobody thought of, without any label
            space = self.spaces.get(home.namespace, {NAME_LABEL: home.namespace})
            self.by_namespace[home.namespace].append(PodClass("", Endpoint(home.namespace, space), None, home))
        platform = {p.namespace: {NAME_LABEL: p.namespace} for p in self.platform}
        self.namespaces = Namespaces({**platform, **self.spaces})

    @cached_property
    def platform(self) -> tuple[PlatformPods, ...]:
        """The platform's Pods that may be a peer."""
        return platform_pods(self.state)


@dataclass(frozen=True, slots=True)
class _End:
    """One end of connections: Pods of a home, a direction, what is declared for them, and the policies that isolate them."""

    network: ClusterNetwork
    home: Home
    pods: PodClass
    direction: Direction
    flows: list[Flow]
    selecting: list[NetworkPolicy]

    @property
    def caller_control(self) -> str:
        """What an undeclared caller breaks."""
        return "NET-08" if self.pods.role in _STORES else "NET-04"

    def way(self, peer: str) -> str:
        source, target = (peer, str(self.pods)) if self.direction == "ingress" else (str(self.pods), peer)
        return f"{source} -> {target}"


def _network(state: State) -> ClusterNetwork:
    """Made once a cluster."""
    found: ClusterNetwork | None = state.memory.get("network")
    if found is None:
        found = state.memory["network"] = ClusterNetwork(state)
    return found


@proof("NET-01")
def isolation(state: State) -> Iterator[Breach]:
    """NET-01: every Pod of a home is isolated both ways, also one that nobody thought of."""
    network = _network(state)
    for home in state.homes_at():
        anyone = Endpoint(home.namespace, network.spaces.get(home.namespace, {}), {"any": "pod"})
        for direction in ("ingress", "egress"):
            if network.policies.selecting(anyone, direction):
                continue
            manifest = network.manifests.get((home.namespace, "default-deny"), state.anchor(home))
            word = "into" if direction == "ingress" else "out of"
            message = f"a Pod in {home.namespace} that no other policy selects is not isolated: every connection {word} it is open"
            hint = f"a NetworkPolicy with podSelector {{}} and policyTypes {direction.title()} is needed"
            yield breach(manifest, "NET-01", ("spec", "policyTypes"), message, hint, tenant=home.tenant)


@proof("NET-02", "NET-03", "NET-04", "NET-05", "NET-06", "NET-07", "NET-08")
def reachability(state: State) -> Iterator[Breach]:
    """NET-02 to NET-08: what is open is what is declared."""
    seen: set[tuple[int, Path, str]] = set()
    for manifest, problem in _ends(_network(state), state):
        key = id(manifest), problem.path, problem.code
        if key not in seen:  # the Pods of one policy mostly share what is wrong with it
            seen.add(key)
            yield manifest, problem


def _ends(network: ClusterNetwork, state: State) -> Iterator[Breach]:
    for home in state.homes_at():
        flows = list(declared.flows(home))
        alike: set[object] = set()
        for pods in network.by_namespace.get(home.namespace, ()):
            for direction in ("ingress", "egress"):
                own = [flow for flow in flows if flow.direction == direction and pods.role in flow.roles]
                end = _End(network, home, pods, direction, own, network.policies.selecting(pods.endpoint, direction))
                # Pods that the same policies select, with the same ports and the same flows, are judged once.
                selecting = tuple(p.name for p in end.selecting)
                ports = tuple(sorted(pods.endpoint.named_ports.items())) if direction == "ingress" else ()
                store = pods.role if pods.role in _STORES else ""
                key = direction, selecting, ports, store, bool(pods.role), tuple((f.peer, f.ports) for f in own)
                if key not in alike:
                    alike.add(key)
                    yield from _too_much(end)
                    yield from _too_little(end)


# --- what is open besides


def _too_much(end: _End) -> Iterator[Breach]:
    for chosen in end.selecting:
        for rule in chosen.rules(end.direction) or ():
            extras = list(_extras(end, chosen, rule))
            if extras:
                worst = min(extras, key=lambda extra: _GRAVITY.index(extra.control))
                yield _told(end, chosen, rule, worst, len(extras))


def _extras(end: _End, chosen: NetworkPolicy, rule: Rule) -> Iterator[_Extra]:
    if rule.peers is None:
        ports = _ports(end, rule, None)
        if ports:
            control = end.caller_control if end.direction == "ingress" else _outside_control(ports)
            yield _Extra(control, "anyone, inside and outside of the cluster", ports)
        return
    for peer in rule.peers:
        if peer.block is not None:
            yield from _extra_addresses(end, rule, peer)
        else:
            yield from _extra_pods(end, chosen, rule, peer)


def _ports(end: _End, rule: Rule, other: Endpoint | None) -> PortSet:
    """Ports of the connection's target. A named port of a Pod that we do not know may be any."""
    if end.direction == "ingress":
        return rule.ports.on(end.pods.endpoint.named_ports)
    if other is None or (rule.ports.names and not other.named_ports):
        return rule.ports.numbers if not rule.ports.names else ALL
    return rule.ports.on(other.named_ports)


def _outside_control(ports: PortSet) -> str:
    return "NET-05" if not ports - DNS else "NET-06"


def _extra_addresses(end: _End, rule: Rule, peer: Peer) -> Iterator[_Extra]:
    assert peer.block is not None
    ports = _ports(end, rule, None)
    outside = ((f, f.peer.cidrs) for f in end.flows if isinstance(f.peer, Outside))
    meant = (flow for flow, cidrs in outside if peer.block.within(addresses.ranges(cidrs)))
    extra = ports - union(flow.ports for flow in meant)
    if not extra:
        return
    where = _what_lies_there(end.network.state, peer)
    name = f"{peer.block}{f' ({where})' if where else ''}"
    if end.direction == "ingress":
        control = end.caller_control
    elif where == "the API server":
        control = "NET-07"
    else:
        control = _outside_control(extra)
    yield _Extra(control, name, extra)


def _what_lies_there(state: State, peer: Peer) -> str:
    """What of the cluster, or of every cloud, an address block would open."""
    assert peer.block is not None
    ranges = state.cluster.networks
    known = (
        ("the API server", ranges.api_server), ("Pods", ranges.pods), ("Services", ranges.services),
        ("nodes", ranges.nodes), ("instance metadata", ("169.254.169.254/32", "fd00:ec2::254/128")),
    )  # fmt: skip
    found = [what for what, cidrs in known if any(peer.block.reaches(n) for n in addresses.ranges(cidrs))]
    return ", ".join(found)


def _extra_pods(end: _End, chosen: NetworkPolicy, rule: Rule, peer: Peer) -> Iterator[_Extra]:
    network = end.network
    for space in network.namespaces.taken_by(peer, chosen.namespace):
        for other in network.by_namespace.get(space, ()):
            if not takes(peer, chosen.namespace, other.endpoint, wide=True):
                continue
            meant = union(flow.ports for flow in end.flows if _is_peer(flow, other))
            extra = _ports(end, rule, other.endpoint) - meant
            if extra:
                yield _Extra(_control(end, other), str(other), extra, other)
    ports = _ports(end, rule, None)
    for unknown in _unknown_pods(network, chosen, peer):
        if ports:
            yield _Extra(end.caller_control, unknown, ports)


def _is_peer(flow: Flow, other: PodClass) -> bool:
    if isinstance(flow.peer, PodGroup):
        return (
            other.home is not None and flow.peer.namespace == other.endpoint.namespace and other.role in flow.peer.roles
        )
    return (
        isinstance(flow.peer, PlatformServices)
        and other.home is None
        and other.role == flow.peer.role
        and other.maker is None
    )


def _control(end: _End, other: PodClass) -> str:
    home = end.home
    if other.home is None:
        if other.role == "dns":
            return "NET-05"
        return end.caller_control if end.direction == "ingress" else "NET-04"
    if other.home.tenant and home.tenant and other.home.tenant != home.tenant:
        return "NET-02"
    if other.home.tenant and home.tenant and other.home.namespace != home.namespace:
        return "NET-03"
    member_names = {member.tenant.name for member in home.members}
    if home.role == "cell" and other.home.tenant and other.home.tenant not in member_names:
        return "NET-02"
    if other.home.role == "cell" and home.role != "cell" and other.home.site.cell.name != home.site.cell.name:
        return "NET-02"
    target = end.pods if end.direction == "ingress" else other
    return "NET-08" if target.role in _STORES else "NET-04"


_ROLE_LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/component", "cnpg.io/cluster", "cnpg.io/poolerName")


def _unknown_pods(network: ClusterNetwork, chosen: NetworkPolicy, peer: Peer) -> Iterator[str]:
    """Pods that the tree does not make and that the peer would take: in homes, in platform namespaces, or in anybody's."""
    if not any(peer.pods.pinned(key) for key in _ROLE_LABELS) and peer.pods.requirements:
        homes = [name for name in network.namespaces.taken_by(peer, chosen.namespace) if name in network.state.homes]
        if homes:
            yield f"Pods ({_pods_said(peer.pods)}) of namespace {homes[0]} that no workload makes"
    if peer.namespaces is None:
        return
    named = peer.namespaces.pinned(NAME_LABEL)
    if named is None:
        reserved = any(
            r.key.startswith(_RESERVED) and r.operator in ("In", "Exists") for r in peer.namespaces.requirements
        )
        if not reserved:
            yield f"Pods ({_pods_said(peer.pods)}) of any namespace with {peer.namespaces}"
        return
    for name in sorted(named):
        if name in network.spaces:
            continue  # its Pods are known
        known = [p for p in network.platform if p.namespace == name]
        if not any(_is_pinned(peer.pods, pods) for pods in known):
            yield f"Pods ({_pods_said(peer.pods)}) of namespace {name}"


def _pods_said(pods: Selector) -> str:
    return f"with {pods}" if pods.requirements else "all"


def _is_pinned(pods: Selector, known: PlatformPods) -> bool:
    taken = pods.pinned(known.key)
    return taken is not None and taken <= {known.value}


def _told(end: _End, chosen: NetworkPolicy, rule: Rule, extra: _Extra, count: int) -> Breach:
    manifest = end.network.manifests[chosen.namespace, chosen.name]
    more = f" and {count - 1} more peers" if count > 1 else ""
    message = f"opens an undeclared path: {end.way(extra.peer)}, {extra.ports}{more}; {_other_end(end, extra)}"
    hint = "declared flows follow from tier, platform and the tenant's integrations (docs/reference/controls.md)"
    return breach(manifest, extra.control, rule.path, message, hint, tenant=end.home.tenant)


def _other_end(end: _End, extra: _Extra) -> str:
    """Whether the peer's own policies let the connection through too."""
    if extra.pods is None or extra.pods.home is None:
        return "no policy in the tree keeps the other end closed"
    other: Direction = "egress" if end.direction == "ingress" else "ingress"
    policies = end.network.policies
    openings = list(policies.openings(extra.pods.endpoint, other, end.pods.endpoint, wide=True))
    through = [o for o in openings if o.ports & extra.ports]
    if not through:
        return "the other end is still closed, so one more change opens the path"
    names = sorted({o.policy.name for o in through if o.policy is not None})
    if not names:
        return f"no policy isolates the other end, so the path is open ({end.direction} by NetworkPolicy)"
    return f"NetworkPolicy {' and '.join(names)} allows it at the other end, so the path is open"


# --- what is needed and shut


def _too_little(end: _End) -> Iterator[Breach]:
    if not end.selecting or not end.pods.role:
        return
    for flow in end.flows:
        for peer, missing in _missing(end, flow):
            message = f"the declared path {end.way(peer)}, {missing}, is closed ({flow.why})"
            manifest, path = _nearest(end, flow)
            hint = "the policies of this end must open it"
            yield breach(manifest, flow.control, path, message, hint, tenant=end.home.tenant)


def _missing(end: _End, flow: Flow) -> Iterator[tuple[str, PortSet]]:
    """Peers of a declared flow, and the ports of it that are shut."""
    rules = [(p, rule) for p in end.selecting for rule in p.rules(end.direction) or ()]
    if isinstance(flow.peer, Outside):
        for cidr in addresses.ranges(flow.peer.cidrs):
            missing = flow.ports
            for _, rule in rules:
                if missing and _opens_addresses(rule, cidr):
                    missing = missing - _narrow(end, rule, None)
            if missing:
                yield str(cidr), missing
        return
    for other in _peers(end.network, flow):
        missing = flow.ports
        for chosen, rule in rules:
            if missing and _takes_pods(chosen, rule, other):
                missing = missing - _narrow(end, rule, other.endpoint)
        if missing:
            yield str(other), missing
            return  # the classes of one role differ little


def _takes_pods(chosen: NetworkPolicy, rule: Rule, other: PodClass) -> bool:
    peers = rule.peers
    return peers is None or any(takes(peer, chosen.namespace, other.endpoint, wide=False) for peer in peers)


def _narrow(end: _End, rule: Rule, other: Endpoint | None) -> PortSet:
    named = end.pods.endpoint.named_ports if end.direction == "ingress" else (other.named_ports if other else {})
    return rule.ports.on(named, narrow=True)


def _opens_addresses(rule: Rule, wanted: Range) -> bool:
    if rule.peers is None:
        return True
    return any(peer.block is not None and peer.block.covers(wanted) for peer in rule.peers)


def _peers(network: ClusterNetwork, flow: Flow) -> Iterator[PodClass]:
    """Pods that there are of a flow's peer; a stopped workload has none, and nothing is missed."""
    if isinstance(flow.peer, PodGroup):
        for other in network.by_namespace.get(flow.peer.namespace, ()):
            if other.role in flow.peer.roles and not other.endpoint.host_network:  # NET-09 reports those
                yield other
    elif isinstance(flow.peer, PlatformServices):
        for pods in network.platform:
            if pods.role == flow.peer.role:
                yield from (c for c in network.by_namespace[pods.namespace] if c.role == pods.role and c.maker is None)


def _nearest(end: _End, flow: Flow) -> tuple[Manifest, Path]:
    """The rule that comes closest to opening a flow: one that shares a peer or a port with it."""
    best: tuple[int, Manifest, Path] | None = None
    for chosen in end.selecting:
        for rule in chosen.rules(end.direction) or ():
            score = 2 * _shares_peer(end.network, chosen, rule, flow) + bool(rule.ports.numbers & flow.ports)
            if score and (best is None or score > best[0]):
                best = score, end.network.manifests[chosen.namespace, chosen.name], rule.path
    return (best[1], best[2]) if best else (end.network.state.anchor(end.home), ())


def _shares_peer(network: ClusterNetwork, chosen: NetworkPolicy, rule: Rule, flow: Flow) -> bool:
    if rule.peers is None:
        return False
    if isinstance(flow.peer, Outside):
        ranges = addresses.ranges(flow.peer.cidrs)
        return any(peer.block is not None and any(peer.block.meets(n) for n in ranges) for peer in rule.peers)
    others = list(_peers(network, flow))
    return any(takes(peer, chosen.namespace, other.endpoint, wide=False) for peer in rule.peers for other in others)


__all__ = ["ClusterNetwork", "isolation", "reachability"]
