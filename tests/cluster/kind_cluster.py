"""The inside of a cluster of kind: its network, names and storage, as the cluster file has them."""

from __future__ import annotations

import base64
import dataclasses
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from acceptance.harness import fleet
from acceptance.harness.api import Api
from acceptance.harness.process import Processes, wait_for
from acceptance.harness.programs import KIND, KUBERNETES
from cluster import network
from cluster.base import PLACES, Cluster, base_images, equip, places, start_firewall
from cluster.control_plane import PORT
from cluster.kind import CONTROL_PLANE, NAME, enter, run_program
from cluster.laps import Laps
from cluster.network import Addresses
from cluster.node import Node, wait_until_ready

DEVICE = "eth0"
VOLUMES = "/var/local-path-provisioner"
SERVING = "kubernetes.io/kubelet-serving"
ADMINISTRATOR = "tenantry-administrator"
HOURS = 12
"""That its token is good for."""


@dataclass(frozen=True)
class KindNode(Node):
    """A container with systemd, containerd and a kubelet."""

    def enter(self) -> list[str]:
        return enter(self.name)

    def load(self, archive: Path) -> None:
        with archive.open("rb") as content:
            self._ctr("import", "--no-unpack", "-", stdin=content)

    def add_name(self, name: str, other: str) -> None:
        self._ctr("tag", "--force", name, other)

    def _ctr(self, *arguments: str, **how: Any) -> None:
        command = ["docker", "exec", "--interactive", self.name, "ctr", "--namespace=k8s.io", "images", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, **how)
        assert done.returncode == 0, f"{' '.join(arguments)} on {self.name}: {done.stderr}"


def start(processes: Processes, place: Path, name: str, say: Callable[[str], None]) -> Cluster:
    """In the network outside: give the cluster its network, names and storage, as the other one has them."""
    laps = Laps(say)
    spec = fleet.cluster_input(name)["spec"]
    found = network.addresses(spec["networks"], spec["objectStorage"], len(PLACES))
    for address in network.outside(found):
        run_program("ip", "address", "add", f"{address}/32", "dev", DEVICE)
    _in_container(CONTROL_PLANE, "ip", "address", "add", f"{found.api_server}/32", "dev", DEVICE)
    kubeconfig = _kubeconfig(place, found.api_server)
    api = wait_for("the API server", lambda: _administrator(place, kubeconfig, found.api_server), 120, every=1)
    manifests = {manifest["metadata"]["name"]: manifest for manifest in api.list("v1", "Node")}
    nodes = list(_nodes(spec, manifests))
    found = dataclasses.replace(
        found, device=DEVICE, nodes=tuple(_address(manifests[node.name]) for node in nodes),
        pod_ranges=tuple(manifests[node.name]["spec"]["podCIDR"] for node in nodes),
    )  # fmt: skip
    cluster = Cluster(name, api, kubeconfig, nodes, found, processes, laps)
    _connect(manifests, found)
    _approve(cluster, len(manifests))
    cluster.laps.add("network")
    cluster.load(*base_images())
    cluster.laps.add("images on the nodes")
    for node in nodes:
        start_firewall(cluster, node)
    wait_until_ready(lambda: api.list("v1", "Node"), [node.name for node in nodes])
    cluster.laps.add("nodes ready")
    cluster.kubectl("-n", "kube-system", "delete", "deployment", "coredns", "--ignore-not-found")
    cluster.kubectl("delete", "namespace", "local-path-storage", "--ignore-not-found")
    equip(cluster, spec, {node.name: VOLUMES for node in nodes})
    return cluster


def _nodes(spec: Mapping[str, Any], manifests: Mapping[str, Any]) -> Iterator[KindNode]:
    taints = {(pool, zone): taint for pool, zone, taint in places(spec)}
    names = sorted((name for name in manifests if name != CONTROL_PLANE), key=lambda name: (len(name), name))
    for number, name in enumerate(names):
        labels = manifests[name]["metadata"]["labels"]
        place = labels["tenantry.io/pool"], labels["topology.kubernetes.io/zone"]
        yield KindNode(name, number, *place, taints[place])


def _connect(manifests: Mapping[str, Any], found: Addresses) -> None:
    """A range of addresses for the Pods of each node, and ways to those of each other; all else lies outside."""
    here = _address_of_this()
    for name, manifest in manifests.items():
        ranges = {
            "type": "host-local",
            "ranges": [[{"subnet": manifest["spec"]["podCIDR"]}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        }
        plugins = [
            {"type": "ptp", "ipMasq": False, "ipam": ranges},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ]
        text = json.dumps({"cniVersion": "0.4.0", "name": "pods", "plugins": plugins})
        _in_container(name, "sh", "-c", "mkdir -p /etc/cni/net.d && cat > /etc/cni/net.d/10-pods.conflist", text=text)
        # What the API server asks Pods comes from its address in the cluster file, which policies name.
        source = ["src", found.api_server] if name == CONTROL_PLANE else []
        for other in manifests.values():
            if other is not manifest:
                _in_container(name, "ip", "route", "replace", other["spec"]["podCIDR"], "via", _address(other), *source)
        _in_container(name, "ip", "route", "replace", "default", "via", here)
        run_program("ip", "route", "replace", manifest["spec"]["podCIDR"], "via", _address(manifest))


def _approve(cluster: Cluster, wanted: int) -> None:
    """Certificates that kubelets serve with, of the cluster's authority: metrics-server looks at them."""

    def approved() -> bool:
        requests = cluster.api.list("certificates.k8s.io/v1", "CertificateSigningRequest")
        serving = [one for one in requests if one["spec"]["signerName"] == SERVING]
        new = [one["metadata"]["name"] for one in serving if not one["status"].get("conditions")]
        if new:
            cluster.kubectl("certificate", "approve", *new)
        done = {one["spec"]["username"] for one in serving if one["status"].get("certificate")}
        assert len(done) >= wanted, f"{len(done)} of {wanted} kubelets have a certificate"
        return True

    wait_for("certificates of the kubelets", approved, 120, every=1)


def _kubeconfig(place: Path, address: str) -> Path:
    command = [str(KIND.binary()), "get", "kubeconfig", "--name", NAME, "--internal"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    content = yaml.safe_load(done.stdout)
    there = content["clusters"][0]["cluster"]
    there["server"] = f"https://{address}:{PORT}"
    authority = place / "authority.pem"
    authority.write_bytes(base64.b64decode(there["certificate-authority-data"]))
    path = place / "administrator.kubeconfig"
    path.touch(0o600)
    path.write_text(yaml.safe_dump(content))
    return path


def _administrator(place: Path, kubeconfig: Path, address: str) -> Api:
    """A client with the token of an account that may do everything. Raises AssertionError while the server does not answer."""
    account = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ADMINISTRATOR, "namespace": "kube-system"}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": ADMINISTRATOR},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
         "subjects": [{"kind": "ServiceAccount", "name": ADMINISTRATOR, "namespace": "kube-system"}]},
    ]  # fmt: skip
    kubectl = [str(KUBERNETES.binary("kubectl")), f"--kubeconfig={kubeconfig}", "--request-timeout=5s"]
    applies = [*kubectl, "apply", "-f", "-"]
    done = subprocess.run(applies, input=yaml.safe_dump_all(account), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    token = [*kubectl, "-n", "kube-system", "create", "token", ADMINISTRATOR, f"--duration={HOURS}h"]
    done = subprocess.run(token, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Api(f"https://{address}:{PORT}", place / "authority.pem", done.stdout.strip())


def _address(node: Mapping[str, Any]) -> str:
    return next(str(one["address"]) for one in node["status"]["addresses"] if one["type"] == "InternalIP")


def _address_of_this() -> str:
    shown = json.loads(run_program("ip", "-json", "-4", "address", "show", "dev", DEVICE))
    return next(str(one["local"]) for one in shown[0]["addr_info"] if one["prefixlen"] < 32)


def _in_container(name: str, *command: str, text: str = "") -> str:
    return run_program("docker", "exec", "--interactive", name, *command, text=text)
