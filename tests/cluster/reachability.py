"""Who reaches whom: tried from inside each Pod's network, and computed from the rendered objects by the proof's own means."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from cluster.base import Cluster, Manifest
from cluster.network import GIT
from tenantry.commands.rendered import known_states
from tenantry.core import addresses
from tenantry.prove.network.policies import NetworkPolicy, policy
from tenantry.prove.network.proof import ClusterNetwork
from tenantry.prove.network.reach import Endpoint, Policies
from tenantry.runtime.workspace import Workspace

ATTEMPTS = 48
"""Connections at a time from one Pod."""
SECONDS = 2
CONNECT = f"""
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def opens(place):
    try:
        socket.create_connection(place, {SECONDS}).close()
        return True
    except OSError:
        return False
with ThreadPoolExecutor({ATTEMPTS}) as pool:
    print(json.dumps(list(pool.map(opens, map(tuple, json.load(sys.stdin))))))
"""
_LISTENS = "0A"
"""State of a socket in /proc/net/tcp."""


@dataclass(frozen=True)
class Place:
    """Where something listens."""

    name: str
    address: str
    port: int
    end: Endpoint

    def __str__(self) -> str:
        return f"{self.name}:{self.port}"


@dataclass(frozen=True)
class Caller:
    """A running Pod; `process` is one of those in its network."""

    name: str
    process: int
    end: Endpoint
    ports: tuple[int, ...]


Pair = tuple[str, str]
"""Names of a caller and of a place."""


@dataclass
class Difference:
    """Pairs of which the network and the proof say something else."""

    leaks: list[Pair] = field(default_factory=list)
    """Open, though by every reading of the policies they are shut."""
    gaps: list[Pair] = field(default_factory=list)
    """Shut, though every network plugin has to open them."""

    def __bool__(self) -> bool:
        return bool(self.leaks or self.gaps)

    def __str__(self) -> str:
        said = (("open, not by the proof", self.leaks), ("shut, not by the proof", self.gaps))
        return "; ".join(f"{what}: {len(pairs)}, as {pairs[:6]}" for what, pairs in said if pairs) or "none"


class Matrix:
    """All running Pods of a cluster against all that listens."""

    def __init__(self, cluster: Cluster, fleet: Path) -> None:
        self._cluster = cluster
        _, (state,) = known_states(Workspace(fleet, datetime.now(UTC).date().isoformat()), "", cluster.name)
        self._network = ClusterNetwork(state)
        self.homes = frozenset(state.homes)
        self.callers = list(self._callers())
        self.places = [*self._listening(), *self._outside()]

    @cached_property
    def rendered(self) -> list[NetworkPolicy]:
        """Policies of the trees."""
        return [policy(manifest) for manifest in self._network.manifests.values()]

    def unknown(self) -> list[str]:
        """Running Pods of tenants and cells that the proof does not count with."""
        return [caller.name for caller in self.callers if caller.end.namespace in self.homes and not caller.end.labels]

    def tried(self, namespaces: Iterable[str]) -> dict[Pair, bool]:
        """Whether each pair with an end in one of the namespaces connects."""
        chosen = frozenset(namespaces)

        def ask(caller: Caller) -> dict[Pair, bool]:
            places = list(self._places_of(caller, chosen))
            return dict(zip([(caller.name, str(place)) for place in places], _connect(caller, places), strict=True))

        with ThreadPoolExecutor(4) as pool:
            return {pair: opens for found in pool.map(ask, self.callers) for pair, opens in found.items()}

    def compare(self, live: Mapping[Pair, bool], policies: Iterable[NetworkPolicy]) -> Difference:
        """What the policies say of the pairs, beside what was tried."""
        judged, difference = Policies(policies), Difference()
        ends = {caller.name: caller for caller in self.callers}
        places = {str(place): place for place in self.places}
        for (caller, name), opens in live.items():
            place = places[name]
            wide, narrow = (
                judged.reach(ends[caller].end, place.end, wide=reading).has("TCP", place.port)
                for reading in (True, False)
            )
            if opens and not wide:
                difference.leaks.append((caller, name))
            elif narrow and not opens:
                difference.gaps.append((caller, name))
        return difference

    def _places_of(self, caller: Caller, chosen: frozenset[str]) -> Iterator[Place]:
        for place in self.places:
            if {caller.end.namespace, place.end.namespace} & chosen and place.name != caller.name:
                yield place

    def _callers(self) -> Iterator[Caller]:
        processes = _processes()
        for pod in self._cluster.api.list("v1", "Pod"):
            uid, status = pod["metadata"]["uid"], pod["status"]
            running = status.get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]
            if running and uid in processes and not pod["spec"].get("hostNetwork"):
                name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
                yield Caller(name, processes[uid], self._end(pod), tuple(_listening(processes[uid])))

    def _end(self, pod: Manifest) -> Endpoint:
        """As the proof knows such a Pod; one that it does not know has no labels, in a home, or its own."""
        namespace, labels = pod["metadata"]["namespace"], pod["metadata"].get("labels", {})
        address = addresses.ranges((f"{pod['status']['podIP']}/32",))
        if namespace not in self.homes:
            return Endpoint(namespace, self._labels(namespace), labels, _named_ports(pod), address)
        known = [
            pods.endpoint for pods in self._network.by_namespace.get(namespace, ()) if pods.endpoint.labels.items() <= labels.items()
        ]  # fmt: skip
        best = max(known, key=lambda end: len(end.labels), default=Endpoint(namespace))
        return dataclasses.replace(best, addresses=address)

    def _labels(self, namespace: str) -> dict[str, str]:
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        return dict(self._cluster.api.get(manifest).body["metadata"]["labels"])

    def _listening(self) -> Iterator[Place]:
        for caller in self.callers:
            (there,) = caller.end.addresses
            for port in caller.ports:
                yield Place(caller.name, str(there).partition("/")[0], port, caller.end)

    def _outside(self) -> Iterator[Place]:
        found = self._cluster.addresses
        known = [("API server", found.api_server, 6443), ("object store", found.objects, 443), ("git server", GIT, 443)]
        known += [(f"kubelet of {node.name}", found.nodes[node.number], 10250) for node in self._cluster.nodes]
        known += [(name, address, 80) for name, address in ELSEWHERE.items()]
        for name, address, port in known:
            yield Place(name, address, port, Endpoint(addresses=addresses.ranges((f"{address}/32",))))


_POD = re.compile(r"pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})")
"""In the name of a control group; systemd's have underscores."""
ELSEWHERE = {"instance metadata": "169.254.169.254", "the internet": "198.51.100.99"}
"""What answers there during the check is the check's own: see `elsewhere`."""


def _connect(caller: Caller, places: Sequence[Place]) -> list[bool]:
    command = ["nsenter", f"--net=/proc/{caller.process}/ns/net", sys.executable, "-c", CONNECT]
    asked = json.dumps([(place.address, place.port) for place in places])
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True, timeout=300)
    return list(json.loads(done.stdout))


def _processes() -> dict[str, int]:
    """UID of a Pod -> its first process, which keeps the Pod's network, by their control groups."""
    found: dict[str, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                groups = (folder / "cgroup").read_text()
            except OSError:
                continue  # it has ended
            for uid in _POD.findall(groups):
                name, process = uid.replace("_", "-"), int(folder.name)
                found[name] = min(process, found.get(name, process))
    return found


def _listening(process: int) -> set[int]:
    """TCP ports that others may ask, in the network of a process."""
    found = set()
    for name in ("tcp", "tcp6"):
        for line in (Path("/proc") / str(process) / "net" / name).read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            address, _, port = local.partition(":")
            loopback = address.endswith("0100007F") or address == "00000000000000000000000001000000"
            if state == _LISTENS and not loopback:
                found.add(int(port, 16))
    return found


def _named_ports(pod: Manifest) -> dict[str, str]:
    containers: list[Any] = pod["spec"]["containers"] + pod["spec"].get("initContainers", [])
    ports = (port for container in containers for port in container.get("ports", ()))
    return {f"{port['name']}/{port.get('protocol', 'TCP')}": str(port["containerPort"]) for port in ports if "name" in port}  # fmt: skip
