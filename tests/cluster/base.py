"""An empty cluster: control plane, nodes in zones and pools of a cluster file, DNS, storage, an enforced network."""

from __future__ import annotations

import base64
import json
import secrets
import string
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from acceptance.harness import fleet, packages
from acceptance.harness.api import Api
from acceptance.harness.control_plane import is_true
from acceptance.harness.process import Processes, wait_for
from acceptance.harness.programs import KUBERNETES
from cluster import network
from cluster.control_plane import ControlPlane
from cluster.images import Image, archive
from cluster.laps import Laps
from cluster.network import Addresses
from cluster.node import (
    SANDBOX_IMAGE,
    LocalNode,
    Node,
    packages_path,
    start_containerd,
    start_kubelet,
    start_proxy,
    wait_until_ready,
)
from cluster.programs import COREDNS, KUBE_ROUTER, LOCAL_PATH

ADDONS = Path(__file__).resolve().parent / "addons"
PLACES = (("system", "a"), ("shared", "a"), ("shared", "b"), ("shared-db", "a"), ("shared-db", "b"), ("shared-db", "c"))
"""(pool, zone) of each node: what one shared cell needs, over three zones."""

Manifest = dict[str, Any]


class NeverError(Exception):
    """What is waited for can't come true any more."""


@dataclass
class Cluster:
    """A running cluster, as its administrator."""

    name: str
    api: Api
    kubeconfig: Path
    nodes: Sequence[Node]
    addresses: Addresses
    processes: Processes
    laps: Laps

    def in_pool(self, pool: str) -> list[str]:
        """Names of its nodes."""
        return [node.name for node in self.nodes if node.pool == pool]

    def load(self, *images: Image, pools: Sequence[str] = ()) -> None:
        """Put images on all nodes, or on those of some pools."""
        self.load_archive(*(archive(image) for image in images), pools=pools)

    def load_archive(self, *paths: Path, pools: Sequence[str] = (), tag: tuple[str, str] | None = None) -> None:
        """The same for archives that are there; to some pools only; `tag`: an image's name, and a further one for it."""
        nodes = [node for node in self.nodes if not pools or node.pool in pools]

        def load_all(node: Node) -> None:
            for path in paths:
                node.load(path)
            if tag:
                node.add_name(*tag)

        with ThreadPoolExecutor(len(nodes)) as pool:
            list(pool.map(load_all, nodes))

    def apply(self, manifests: Iterable[Manifest]) -> None:
        """Apply in this order. Raises AssertionError with the server's reason."""
        for manifest in manifests:
            answer = self.api.apply(manifest)
            assert answer.accepted, f"{manifest['kind']} {manifest['metadata']['name']}: {answer.message}"

    def kubectl(self, *arguments: str, code: int | None = 0, text: str = "", wait: float = 300) -> str:
        """What kubectl prints within `wait` seconds; `text` goes to its standard input. Raises AssertionError for another exit code."""
        command = [str(KUBERNETES.binary("kubectl")), f"--kubeconfig={self.kubeconfig}", *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=wait)
        assert code is None or done.returncode == code, f"kubectl {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def secret(self, namespace: str, name: str) -> dict[str, str]:
        """What a Secret holds."""
        metadata = {"name": name, "namespace": namespace}
        found = self.api.get({"apiVersion": "v1", "kind": "Secret", "metadata": metadata}).body
        return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}

    def run(
        self, namespace: str, name: str, *, node: str = "", command: tuple[str, ...] = ("sleep", "100000"), **extra: Any
    ) -> str:
        """Run a Pod of BusyBox, restricted, until it is ready; its address."""
        self.apply([pod(namespace, name, node=node, command=command, **extra)])
        self.kubectl("-n", namespace, "wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s")
        return self.kubectl("-n", namespace, "get", "pod", name, "-o", "jsonpath={.status.podIP}")

    def inside(self, namespace: str, name: str, *command: str, code: int | None = 0) -> str:
        """What a command in a Pod prints."""
        return self.kubectl("-n", namespace, "exec", name, "--", *command, code=code)

    def wait_in(self, namespace: str, what: str, question: Callable[[], Any], seconds: float) -> None:
        """Wait for something in a namespace. Raises AssertionError with its Pods and the warnings of its events."""
        try:
            wait_for(what, question, seconds, every=0.5)
        except (AssertionError, NeverError) as error:
            raise AssertionError(f"{str(error)[:400]}\n{self.state_of(namespace)}") from None

    def state_of(self, namespace: str) -> str:
        """Its Pods, the warnings of its events, and the ends of the logs of Pods that are not well."""
        pods = self.kubectl("-n", namespace, "get", "pods", "-o", "wide", code=None)
        warnings = self.kubectl("-n", namespace, "get", "events", "--field-selector=type=Warning", code=None)
        logs = [f"--- {name}\n{self._log(namespace, name)}" for name in self._unfinished(namespace)[:4]]
        return "\n".join((pods, warnings[-3000:], *logs))

    def _unfinished(self, namespace: str) -> list[str]:
        """Pods that have neither succeeded nor become ready."""
        pods = self.api.list("v1", "Pod", namespace)
        return [
            pod["metadata"]["name"]
            for pod in pods
            if pod["status"]["phase"] != "Succeeded" and not is_true(pod, "Ready")
        ]

    def _log(self, namespace: str, name: str) -> str:
        return self.kubectl("-n", namespace, "logs", name, "--all-containers", "--tail=8", code=None)[-2500:]

    def answers(self, namespace: str, client: str, host: str, port: int) -> bool:
        """Whether an HTTP server answers a Pod within two seconds, with whatever status."""
        ask = f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 {host} {port}"
        return "HTTP/1." in self.inside(namespace, client, "sh", "-c", ask, code=None)

    def wait_for_deployment(self, namespace: str, name: str, seconds: float = 120) -> None:
        """Until it is available. Raises NotReadyError."""

        def available() -> bool:
            metadata = {"namespace": namespace, "name": name}
            found = self.api.get({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata})
            return is_true(found.body, "Available")

        wait_for(f"{namespace}/{name} available", available, seconds, every=0.5)


RESTRICTED = {
    "runAsNonRoot": True, "runAsUser": 10001, "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
}  # fmt: skip
"""Of a container, as the Pod Security Standard demands."""


def pod(
    namespace: str, name: str, *, node: str = "", command: Sequence[str] = ("sleep", "100000"),
    labels: Mapping[str, str] | None = None, container: Mapping[str, Any] | None = None, **spec: Any,
) -> Manifest:  # fmt: skip
    """A Pod of BusyBox that may run anywhere, or on one node."""
    main = {
        "name": "main", "image": SANDBOX_IMAGE, "imagePullPolicy": "Never", "command": list(command),
        "securityContext": RESTRICTED, **(container or {}),
    }  # fmt: skip
    where = {"nodeSelector": {"kubernetes.io/hostname": node}} if node else {}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": {"app": name, **(labels or {})}},
        "spec": {"containers": [main], "tolerations": [{"operator": "Exists"}], "automountServiceAccountToken": False,
                 "terminationGracePeriodSeconds": 0, **where, **spec},
    }  # fmt: skip


def utilities() -> Image:
    """BusyBox: the sandbox of each Pod, and what checks run."""
    names = (
        "sh",
        "cat",
        "chmod",
        "dd",
        "echo",
        "httpd",
        "id",
        "ls",
        "mkdir",
        "nc",
        "nslookup",
        "rm",
        "sleep",
        "tail",
        "touch",
        "wget",
    )
    links = {f"bin/{name}": "busybox" for name in names}
    return Image(
        SANDBOX_IMAGE, {"bin/busybox": packages_path("busybox")}, links, ("/bin/busybox", "sleep", "2147483647")
    )


def base_images() -> tuple[Image, ...]:
    """Images of an empty cluster."""
    return (
        utilities(),
        Image("tenantry.local/coredns:1", {"coredns": COREDNS.binary()}, entrypoint=("/coredns",)),
        Image(
            "tenantry.local/local-path-provisioner:1", {"local-path-provisioner": LOCAL_PATH.binary()},
            entrypoint=("/local-path-provisioner",),
        ),
    )  # fmt: skip


def start(processes: Processes, place: Path, name: str, say: Callable[[str], None]) -> Cluster:
    """Start an empty cluster with the networks, pools and storage classes of the fleet's cluster `name`."""
    laps = Laps(say)
    spec = fleet.cluster_input(name)["spec"]
    found = network.addresses(spec["networks"], spec["objectStorage"], len(PLACES))
    nodes = [
        LocalNode(f"{pool}-{zone[-1]}", number, pool, zone, taint, place / "nodes" / f"{pool}-{zone[-1]}")
        for number, (pool, zone, taint) in enumerate(places(spec))
    ]
    network.lay(found, [node.name for node in nodes])
    folder = place / "control-plane"
    plane = ControlPlane(processes, folder, found)
    api = plane.start(secrets.token_urlsafe(24))
    person = plane.kubeconfig("administrator", ("system:masters",))
    cluster = Cluster(name, api, person, nodes, found, processes, laps)
    cluster.laps.add("control plane")
    for node in nodes:
        start_containerd(processes, node, found)
    cluster.load(*base_images())
    cluster.laps.add("images on the nodes")
    proxy = plane.kubeconfig("system:kube-proxy")
    for node in nodes:
        hosts = (node.name, found.nodes[node.number])
        kubelet = plane.kubeconfig(f"system:node:{node.name}", ("system:nodes",), hosts)
        start_kubelet(processes, node, found, folder, kubelet)
        _wait_registered(api, node, found)
        start_proxy(processes, node, found, proxy)
        start_firewall(cluster, node)
    wait_until_ready(lambda: api.list("v1", "Node"), [node.name for node in nodes])
    cluster.laps.add("nodes ready")
    equip(cluster, spec, {node.name: str(node.volumes) for node in nodes})
    return cluster


def places(spec: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Pool, zone and taint of each node, of a cluster file's `spec`; the taint is empty where the pool has none."""
    taints = {pool["name"]: pool.get("taint", "") for pool in spec["nodePools"]}
    for pool, zone in PLACES:
        yield pool, f"{spec['region']}-{zone}", taints[pool]


def equip(cluster: Cluster, spec: Mapping[str, Any], volumes: Mapping[str, str]) -> None:
    """DNS that knows the names outside, and storage; `volumes`: a folder of each node."""
    found = cluster.addresses
    paths = [{"node": node, "paths": [folder]} for node, folder in volumes.items()]
    outside = {found.objects: spec["objectStorage"]["endpoint"], network.GIT: fleet.platform()["git"]["repository"]}
    names = [f"{address} {urlsplit(url).hostname}" for address, url in outside.items()]
    names.append(f"{network.RECEIVERS} {network.PAGER} {network.QUEUE}")
    values = {
        "DNS": found.dns, "OUTSIDE": "\n        ".join(names), "PATHS": json.dumps({"nodePathMap": paths}),
    }  # fmt: skip
    cluster.apply([*_addons("dns", values), *_addons("storage", values), *_storage_classes(spec)])
    cluster.wait_for_deployment("kube-system", "coredns", 40)
    cluster.wait_for_deployment("local-path-storage", "local-path-provisioner")
    cluster.laps.add("DNS and storage")


def _wait_registered(api: Api, node: Node, found: Addresses) -> None:
    """A node gets its range of Pod addresses once it is there; without a cloud nobody else gives it."""
    patch = {"spec": {"podCIDR": found.pod_ranges[node.number], "podCIDRs": [found.pod_ranges[node.number]]}}
    manifest = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node.name}}
    wait_for(f"{node.name} registered", lambda: api.merge(manifest, patch).accepted, 60, every=0.3)


def start_firewall(cluster: Cluster, node: Node) -> None:
    """kube-router enforces NetworkPolicies, and does nothing else."""
    off = [f"--{what}=false" for what in ("run-router", "run-service-proxy", "run-loadbalancer", "enable-cni")]
    command = [
        *node.enter(), KUBE_ROUTER.binary(), f"--kubeconfig={cluster.kubeconfig}", f"--hostname-override={node.name}",
        "--run-firewall=true", *off, "--health-port=0", "--metrics-port=0",
    ]  # fmt: skip
    environment = {**packages.libraries(), "PATH": packages.search_path()}
    cluster.processes.start(f"kube-router-{node.name}", command, environment=environment)


def _addons(name: str, values: Mapping[str, str]) -> list[Manifest]:
    text = (ADDONS / f"{name}.yaml").read_text()
    return [m for m in yaml.safe_load_all(string.Template(text).safe_substitute(values)) if m]


def _storage_classes(spec: Mapping[str, Any]) -> Iterator[Manifest]:
    for name in spec["storageClasses"].values():
        yield {
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name},
            "provisioner": "rancher.io/local-path", "volumeBindingMode": "WaitForFirstConsumer", "reclaimPolicy": "Delete",
        }  # fmt: skip
