"""Reachability by NetworkPolicies, held to an evaluator of one packet at a time and to cyclonus' matcher."""

from __future__ import annotations

import ipaddress
import json
import subprocess
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mutation import TIMES
from spellings import spellings
from stock import build_beside
from tenantry.core import addresses
from tenantry.core.findings import ObjectId
from tenantry.core.manifest import Manifest
from tenantry.prove.network.policies import NetworkPolicy, policy
from tenantry.prove.network.reach import Endpoint, Policies

NAMESPACES = {
    name: {"kubernetes.io/metadata.name": name, "team": team} for name, team in zip("xyz", "aab", strict=True)
}
NAMED = {"http/TCP": "80", "dns/UDP": "53", "web/TCP": "8069"}
PORTS = [("TCP", 79), ("TCP", 80), ("TCP", 81), ("TCP", 8069), ("UDP", 53), ("UDP", 80), ("SCTP", 80)]
CIDRS = ["0.0.0.0/0", "10.0.0.0/8", "10.0.1.0/24", "10.0.1.7/32", "192.0.2.0/24", "203.0.113.0/28"]


@dataclass(frozen=True)
class Pod:
    """One end. Without a namespace it is outside."""

    namespace: str
    labels: dict[str, str]
    ip: str


OUTSIDE = [Pod("", {}, "192.0.2.1"), Pod("", {}, "203.0.113.5"), Pod("", {}, "203.0.113.77")]


def some_pods(random: Random, *, complete: bool) -> list[Pod]:
    """`complete`: each has the labels that requirements with values ask for, as cyclonus' matcher takes a missing key wrongly."""
    found = []
    for number, namespace in enumerate("xxyyz"):
        labels = {"app": random.choice("ab"), "tier": random.choice("st")}
        if not complete:
            labels = {
                key: value if random.random() < 0.8 else "" for key, value in labels.items() if random.random() < 0.7
            }
        if random.random() < 0.5:
            labels["job"] = "1"
        found.append(Pod(namespace, labels, f"10.0.{number % 2}.{number + 5}"))
    return found


def some_selector(random: Random, *, keys: dict[str, str], bare: str, complete: bool) -> dict[str, Any]:
    """A label selector over `keys` (with the values that they take) and a key that is there or not."""
    value: dict[str, Any] = {}
    for key, letters in keys.items():
        chance = random.random()
        if chance < 0.25:
            value.setdefault("matchLabels", {})[key] = random.choice(letters) if complete or chance > 0.03 else ""
        elif chance < 0.5:
            values = random.sample(letters, random.randint(1, len(letters)))
            expression = {"key": key, "operator": random.choice(["In", "NotIn"]), "values": values}
            value.setdefault("matchExpressions", []).append(expression)
    if random.random() < 0.3:
        expression = {"key": bare, "operator": random.choice(["Exists", "DoesNotExist"])}
        value.setdefault("matchExpressions", []).append(expression)
    return value


def some_peer(random: Random, *, complete: bool) -> dict[str, Any]:
    if random.random() < 0.3:
        network = ipaddress.ip_network(random.choice(CIDRS))
        inner = [
            cidr
            for cidr in CIDRS
            if ipaddress.ip_network(cidr) != network and ipaddress.ip_network(cidr).subnet_of(network)
        ]  # type: ignore[arg-type]
        block: dict[str, Any] = {"cidr": str(network)}
        if inner and random.random() < 0.5:
            block["except"] = [random.choice(inner)]
        return {"ipBlock": block}
    pods = some_selector(random, keys={"app": "ab", "tier": "st"}, bare="job", complete=complete)
    spaces = some_selector(
        random, keys={"team": "ab", "kubernetes.io/metadata.name": "xyz"}, bare="team", complete=complete
    )
    return random.choice(
        [{"podSelector": pods}, {"namespaceSelector": spaces}, {"podSelector": pods, "namespaceSelector": spaces}]
    )


def some_port(random: Random) -> dict[str, Any]:
    port: dict[str, Any] = {}
    if random.random() < 0.8:
        port["protocol"] = random.choice(["TCP", "TCP", "UDP", "SCTP"])
    if random.random() < 0.8:
        port["port"] = random.choice([79, 80, 8069, 53, "http", "dns", "unknown"])
        if isinstance(port["port"], int) and random.random() < 0.3:
            port["endPort"] = port["port"] + random.choice([0, 1, 10000])
    return port


def some_policy(random: Random, name: str, *, complete: bool) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "podSelector": some_selector(random, keys={"app": "ab", "tier": "st"}, bare="job", complete=complete)
    }
    types = [t for t in ("Ingress", "Egress") if random.random() < 0.7]
    if types or complete:
        spec["policyTypes"] = types or ["Ingress"]
    for direction, word in (("ingress", "from"), ("egress", "to")):
        if random.random() < 0.7:
            spec[direction] = []
            for _ in range(random.randint(0, 2)):
                rule: dict[str, Any] = {}
                if random.random() < 0.8:
                    rule[word] = [some_peer(random, complete=complete) for _ in range(random.randint(0, 2))]
                if random.random() < 0.7:
                    rule["ports"] = [some_port(random) for _ in range(random.randint(0, 2))]
                spec[direction].append(rule)
    metadata = {"name": name, "namespace": random.choice("xyz")}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def respelled(random: Random, value: dict[str, Any]) -> dict[str, Any]:
    """The same policy with each range in some spelling that Go takes for it."""
    other: dict[str, Any] = json.loads(json.dumps(value))
    for direction, word in (("ingress", "from"), ("egress", "to")):
        for rule in other["spec"].get(direction, []):
            for peer in rule.get(word, []):
                block = peer.get("ipBlock", {})
                for field in block:
                    texts = [block[field]] if field == "cidr" else block[field]
                    chosen = [random.choice(spellings(ipaddress.ip_network(text))) for text in texts]
                    block[field] = chosen[0] if field == "cidr" else chosen
    return other


def read(value: dict[str, Any]) -> NetworkPolicy:
    metadata = value["metadata"]
    identity = ObjectId("networking.k8s.io", "NetworkPolicy", metadata["namespace"], metadata["name"])
    return policy(Manifest(identity, "v1", value))


def endpoint(pod: Pod) -> Endpoint:
    there = addresses.ranges([f"{pod.ip}/32"])
    if not pod.namespace:
        return Endpoint(addresses=there)
    return Endpoint(pod.namespace, NAMESPACES[pod.namespace], pod.labels, NAMED, there)


# One packet at a time, written from the API's documentation, without any code of the package.


def packet_passes(policies: list[dict[str, Any]], source: Pod, target: Pod, protocol: str, port: int) -> bool:
    return side_passes(policies, source, target, "egress", target, protocol, port) and side_passes(
        policies, target, source, "ingress", target, protocol, port
    )


def side_passes(
    policies: list[dict[str, Any]], pod: Pod, other: Pod, direction: str, target: Pod, protocol: str, port: int
) -> bool:
    isolated = False
    for value in policies:
        spec, namespace = value["spec"], value["metadata"]["namespace"]
        types = spec.get("policyTypes") or ["Ingress"] + (["Egress"] if spec.get("egress") else [])
        if direction.title() not in types or pod.namespace != namespace or not taken(spec["podSelector"], pod.labels):
            continue
        isolated = True
        for rule in spec.get(direction, []):
            peers, ports = rule.get("from" if direction == "ingress" else "to"), rule.get("ports")
            if peers and not any(peer_is(peer, namespace, other) for peer in peers):
                continue
            if not ports or any(port_is(entry, target, protocol, port) for entry in ports):
                return True
    return not isolated or not pod.namespace


def taken(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    for key, wanted in selector.get("matchLabels", {}).items():
        if key not in labels or labels[key] != wanted:
            return False
    for entry in selector.get("matchExpressions", []):
        there = entry["key"] in labels
        listed = there and labels[entry["key"]] in entry.get("values", [])
        if not {"In": listed, "NotIn": not listed, "Exists": there, "DoesNotExist": not there}[entry["operator"]]:
            return False
    return True


def peer_is(peer: dict[str, Any], namespace: str, other: Pod) -> bool:
    if "ipBlock" in peer:
        address, block = ipaddress.ip_address(other.ip), peer["ipBlock"]
        inside = address in ipaddress.ip_network(block["cidr"])
        return inside and not any(address in ipaddress.ip_network(cut) for cut in block.get("except", []))
    if not other.namespace:
        return False
    if "namespaceSelector" in peer:
        if not taken(peer["namespaceSelector"], NAMESPACES[other.namespace]):
            return False
    elif other.namespace != namespace:
        return False
    return taken(peer.get("podSelector", {}), other.labels)


def port_is(entry: dict[str, Any], target: Pod, protocol: str, port: int) -> bool:
    if entry.get("protocol", "TCP") != protocol:
        return False
    wanted = entry.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return bool(target.namespace) and NAMED.get(f"{wanted}/{protocol}") == str(port)
    return wanted <= port <= entry.get("endPort", wanted)  # type: ignore[no-any-return]


def connections(pods: list[Pod]) -> list[tuple[Pod, Pod]]:
    """Between all of them, and with the outside. A Pod with itself is left out: plugins differ."""
    ends = [*pods, *OUTSIDE]
    return [(a, b) for a in ends for b in ends if a is not b and (a.namespace or b.namespace)]


@settings(deadline=None, max_examples=150 * TIMES)
@given(st.integers(0, 2**32))
def test_the_wide_reading_is_what_passes_packet_by_packet_and_the_narrow_one_is_within_it(seed: int) -> None:
    random = Random(seed)
    pods = some_pods(random, complete=False)
    policies = [some_policy(random, f"p{n}", complete=False) for n in range(random.randint(0, 6))]
    model = Policies([read(respelled(random, value)) for value in policies])
    for source, target in connections(pods):
        wide = model.reach(endpoint(source), endpoint(target), wide=True)
        narrow = model.reach(endpoint(source), endpoint(target), wide=False)
        assert not (narrow - wide)
        for protocol, port in PORTS:
            expected = packet_passes(policies, source, target, protocol, port)
            assert wide.has(protocol, port) == expected, (policies, source, target, protocol, port)


def test_the_wide_reading_is_that_of_an_independent_matcher_on_thousands_of_policy_sets() -> None:
    """Its known faults are kept out of the sets: no policyTypes, NotIn and empty values on a missing key, a Pod with itself,
    ends without an address; port names are compared as text, so that the name of the port on the target is given."""
    program, sets = build_beside("prove/network/cyclonus"), 2000 * TIMES
    asked, ours = [], []
    for seed in range(sets):
        random = Random(seed)
        pods = some_pods(random, complete=True)
        policies = [some_policy(random, f"p{n}", complete=True) for n in range(random.randint(1, 6))]
        policies = [respelled(random, value) for value in policies]
        model = Policies([read(value) for value in policies])
        tried = random.sample(connections(pods), 12)
        packets = [(s, t, *random.choice(PORTS)) for s, t in tried]
        ours.append([
            model.reach(endpoint(s), endpoint(t), wide=True).has(protocol, port) for s, t, protocol, port in packets
        ])  # fmt: skip
        asked.append({"policies": policies, "connections": [as_traffic(*packet) for packet in packets]})
    done = subprocess.run(
        [program], input="\n".join(map(json.dumps, asked)), capture_output=True, text=True, timeout=600, check=True
    )
    theirs = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(theirs) == sets
    for question, our, their in zip(asked, ours, theirs, strict=True):
        assert our == their, json.dumps(question)
    answers = [answer for answers in ours for answer in answers]
    assert len(answers) // 10 < sum(answers) < len(answers) * 9 // 10, "both answers are common"


def as_traffic(source: Pod, target: Pod, protocol: str, port: int) -> dict[str, Any]:
    name = next(
        (n.partition("/")[0] for n, number in NAMED.items() if n.endswith(protocol) and number == str(port)), ""
    )
    return {
        "source": as_peer(source), "destination": as_peer(target), "protocol": protocol, "port": port,
        "portName": name if target.namespace else "",
    }  # fmt: skip


def as_peer(pod: Pod) -> dict[str, Any]:
    labels = NAMESPACES.get(pod.namespace, {})
    return {"namespace": pod.namespace, "namespaceLabels": labels, "labels": pod.labels, "ip": pod.ip}
