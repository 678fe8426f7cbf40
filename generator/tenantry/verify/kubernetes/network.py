"""Services and NetworkPolicies: pkg/apis/{core,networking}/validation of Kubernetes 1.37."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from tenantry.core import addresses
from tenantry.core.addresses import Range
from tenantry.core.manifest import Manifest, Path, Problem, entries, items, mapping
from tenantry.verify import values
from tenantry.verify.kubernetes.workloads import port_name
from tenantry.verify.registration import rule_for


@rule_for("", "Service")
def service(manifest: Manifest) -> Iterator[Problem]:
    spec = manifest.spec
    ports = entries(spec.get("ports"))
    kind = spec.get("type", "ClusterIP")
    if not ports and kind != "ExternalName" and spec.get("clusterIP") != "None":
        yield Problem("V050", ("spec", "ports"), "a Service needs a port")
    names = [port.get("name") for _, port in ports]
    numbers = [(port.get("protocol", "TCP"), port.get("port")) for _, port in ports]
    for index, port in ports:
        path: Path = ("spec", "ports", index)
        if len(ports) > 1 and not port.get("name"):
            yield Problem("V050", path, "with several ports, each needs a name")
        name = port.get("name")
        if isinstance(name, str) and (names.count(name) > 1 or not values.is_dns_label(name)):
            yield Problem("V050", (*path, "name"), f"the port name '{name}' is there twice or is no DNS label")
        if numbers.count(numbers[[i for i, _ in ports].index(index)]) > 1:
            yield Problem("V050", (*path, "port"), f"the port {port.get('port')} is there twice")
        for field in ("port", "targetPort"):
            yield from port_number(port.get(field), (*path, field))
    if spec.get("clusterIP") == "None" and kind in ("NodePort", "LoadBalancer"):
        yield Problem("V050", ("spec", "clusterIP"), f"a Service of type {kind} can't be headless")


def port_number(port: object, path: Path) -> Iterator[Problem]:
    """A number from 1 to 65535, or a port's name."""
    if isinstance(port, int) and not isinstance(port, bool):
        if not 1 <= port <= 65535:
            yield Problem("V050", path, f"{port} is no port: 1 to 65535")
    else:
        yield from port_name(port, path)


@rule_for("networking.k8s.io", "NetworkPolicy")
def policy(manifest: Manifest) -> Iterator[Problem]:
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for index, rule in entries(manifest.spec.get(direction)):
            path: Path = ("spec", direction, index)
            for number, port in entries(rule.get("ports")):
                yield from _policy_port(port, (*path, "ports", number))
            for number, peer in entries(rule.get(side)):
                yield from _peer(peer, (*path, side, number))
    types = items(manifest.spec.get("policyTypes"))
    if types and manifest.spec.get("egress") and "Egress" not in types:
        yield Problem(
            "V050",
            ("spec", "policyTypes"),
            "there are egress rules, but policyTypes does not name Egress, so none counts",
        )
    if types and manifest.spec.get("ingress") and "Ingress" not in types:
        yield Problem(
            "V050",
            ("spec", "policyTypes"),
            "there are ingress rules, but policyTypes does not name Ingress, so none counts",
        )


def _policy_port(port: object, path: Path) -> Iterator[Problem]:
    content = mapping(port)
    number, end = content.get("port"), content.get("endPort")
    if number is not None:
        yield from port_number(number, (*path, "port"))
    if end is not None and (not isinstance(number, int) or not isinstance(end, int) or not number <= end <= 65535):
        yield Problem("V050", (*path, "endPort"), "endPort needs a numeric port that is not above it")


def _peer(peer: object, path: Path) -> Iterator[Problem]:
    content = mapping(peer)
    block = content.get("ipBlock")
    if not content:
        yield Problem("V050", path, "a peer needs a selector or an ipBlock")
    if block is None:
        return
    if len(content) > 1:
        yield Problem("V050", path, "ipBlock excludes selectors")
    network = yield from _range(mapping(block).get("cidr"), (*path, "ipBlock", "cidr"))
    for index, text in enumerate(items(mapping(block).get("except"))):
        where = (*path, "ipBlock", "except", index)
        inner = yield from _range(text, where)
        if network and inner and (inner == network or not network.holds(inner)):
            yield Problem("V050", where, f"'{text}' does not lie inside of {network}")


def _range(text: object, path: Path) -> Generator[Problem, None, Range | None]:
    """The range as Go reads it, though the API server refuses it in this spelling (apimachinery, util/validation/ip.go)."""
    found = addresses.read(str(text))
    if found is None:
        yield Problem("V050", path, f"'{text}' is no address range")
    elif addresses.is_loose(str(text)):
        message = f"'{text}' is taken for {found} by some and refused by others"
        yield Problem("V050", path, message, f"write {found}")
    return found
