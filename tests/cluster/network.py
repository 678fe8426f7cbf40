"""The network of a cluster: a bridge beside the control plane, and a network namespace for each node.

Addresses are those of the fleet's cluster file, since NetworkPolicies are rendered for them.
"""

from __future__ import annotations

import ipaddress
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BRIDGE = "nodes0"
GIT = "203.0.113.10"
"""Of the git server, which lies outside."""
RECEIVERS = "203.0.113.11"
"""Of who is told of alerts, outside as well."""
PAGER, QUEUE = "events.pagerduty.com", "tickets.provider.example"
"""Names of both."""


@dataclass(frozen=True)
class Addresses:
    """Who has which address."""

    api_server: str
    prefix: int
    """Bits of the network that holds API server and nodes."""
    pods: str
    services: str
    dns: str
    first_service: str
    objects: str
    """Of the object store, which lies outside."""
    nodes: tuple[str, ...]
    pod_ranges: tuple[str, ...]
    device: str = BRIDGE
    """That has the addresses outside."""


def addresses(networks: dict[str, list[str]], storage: dict[str, Any], nodes: int) -> Addresses:
    """From the sections `networks` and `objectStorage` of a cluster file. Raises ValueError when the ranges have no room."""
    server = ipaddress.ip_network(networks["apiServer"][0])
    machines = ipaddress.ip_network(networks["nodes"][0])
    pods = ipaddress.ip_network(networks["pods"][0])
    services = ipaddress.ip_network(networks["services"][0])
    around = machines
    while not around.supernet_of(server):  # type: ignore[arg-type] - both are of the same version
        around = around.supernet()
    ranges = list(pods.subnets(new_prefix=24))
    if len(ranges) <= nodes:
        raise ValueError(f"{pods} has no room for {nodes} nodes")
    return Addresses(
        api_server=str(server[1]), prefix=around.prefixlen, pods=str(pods), services=str(services), dns=str(services[10]),
        first_service=str(services[1]), objects=str(ipaddress.ip_network(storage["cidrs"][0])[1]), nodes=tuple(str(machines[10 + n]) for n in range(nodes)),
        pod_ranges=tuple(str(ranges[n + 1]) for n in range(nodes)),
    )  # fmt: skip


def outside(found: Addresses) -> tuple[str, ...]:
    """Addresses that do not belong to the cluster, and are the suite's."""
    return found.objects, GIT, RECEIVERS


def lay(found: Addresses, names: Sequence[str]) -> None:
    """Bridge, namespaces and routes; each node reaches the Pods of each other."""
    _run("ip", "link", "add", BRIDGE, "type", "bridge")
    _run("ip", "address", "add", f"{found.api_server}/{found.prefix}", "dev", BRIDGE)
    for address in outside(found):
        _run("ip", "address", "add", f"{address}/32", "dev", BRIDGE)
    _run("ip", "link", "set", BRIDGE, "up")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    for number, name in enumerate(names):
        port = f"port{number}"
        _run("ip", "netns", "add", name)
        _run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name)
        _run("ip", "link", "set", port, "master", BRIDGE, "up")
        _run("ip", "route", "add", found.pod_ranges[number], "via", found.nodes[number])
        _inside(name, "ip", "link", "set", "lo", "up")
        _inside(name, "ip", "address", "add", f"{found.nodes[number]}/{found.prefix}", "dev", "eth0")
        _inside(name, "ip", "link", "set", "eth0", "up")
        _inside(name, "ip", "route", "add", "default", "via", found.api_server)
        _inside(name, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        for other, pods in enumerate(found.pod_ranges):
            if other != number:
                _inside(name, "ip", "route", "add", pods, "via", found.nodes[other])


def at(node: str) -> list[str]:
    """What starts a program in a node's network. `ip netns exec` would mount another /sys."""
    return ["nsenter", f"--net=/run/netns/{node}"]


def _inside(node: str, *command: str) -> None:
    _run(*at(node), *command)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
