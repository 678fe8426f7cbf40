"""A node: what checks know of one; and one of containerd, kubelet and kube-proxy in a network namespace, with folders and control groups of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from acceptance.harness import packages
from acceptance.harness.process import Processes, wait_for
from cluster import world
from cluster.network import Addresses, at
from cluster.programs import NODE

SANDBOX_IMAGE = "tenantry.local/utilities:1"
_RUN_ENGINE = "io.containerd.grpc.v1.cri"


@dataclass(frozen=True)
class Node:
    """`pool` and `zone` are those of the fleet's cluster file; `taint` is empty where the pool has none."""

    name: str
    number: int
    pool: str
    zone: str
    taint: str

    def enter(self) -> list[str]:
        """What starts a program in its network."""
        raise NotImplementedError

    def load(self, archive: Path) -> None:
        """Import an image. Raises AssertionError with containerd's reason."""
        raise NotImplementedError

    def add_name(self, name: str, other: str) -> None:
        """Give an image a further name, which may have a digest that nobody compares. Raises AssertionError."""
        raise NotImplementedError


@dataclass(frozen=True)
class LocalNode(Node):
    """Its programs are processes of the suite."""

    folder: Path = field(repr=False)

    @property
    def socket(self) -> Path:
        """Where containerd listens."""
        return self.folder / "containerd.sock"

    @property
    def layers(self) -> Path:
        """Where containerd keeps images and the containers' file systems."""
        return self.folder.parent.parent / world.LAYERS / self.name

    @property
    def volumes(self) -> Path:
        """Local volumes of its Pods."""
        return self.folder / "volumes"

    def enter(self) -> list[str]:
        return at(self.name)

    def load(self, archive: Path) -> None:
        done = self.ctr("--namespace", "k8s.io", "images", "import", "--no-unpack", str(archive))
        assert done.returncode == 0, f"{archive.name} on {self.name}: {done.stderr}"

    def add_name(self, name: str, other: str) -> None:
        done = self.ctr("--namespace", "k8s.io", "images", "tag", "--force", name, other)
        assert done.returncode == 0, f"{other} on {self.name}: {done.stderr}"

    def ctr(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Ask containerd."""
        command = [str(packages_path("ctr")), "--address", str(self.socket), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def start_containerd(processes: Processes, node: LocalNode, found: Addresses) -> None:
    """The container runtime, with a bridge for the node's range of Pod addresses."""
    folder = node.folder
    for name in ("cni", "volumes"):
        (folder / name).mkdir(parents=True)
    (folder / "cni/10-bridge.conflist").write_text(json.dumps(_pod_network(folder, found.pod_ranges[node.number])))
    (folder / "containerd.toml").write_text(_containerd(folder, node))
    processes.start(
        f"containerd-{node.name}",
        [*node.enter(), packages_path("containerd"), "--config", folder / "containerd.toml"],
        environment={**packages.libraries(), "PATH": packages.search_path()},
        ready=lambda: node.ctr("version").returncode == 0,
    )


def start_kubelet(processes: Processes, node: LocalNode, found: Addresses, folder: Path, kubeconfig: Path) -> None:
    """The kubelet registers the node with its pool, zone and taint. `folder` holds the cluster's certificates."""
    settings = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{node.socket}", "cgroupDriver": "cgroupfs", "failCgroupV1": False,
        "cgroupRoot": world.make_cgroups(node.name), "failSwapOn": False, "enforceNodeAllocatable": [], "oomScoreAdj": 0,
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True},
                           "x509": {"clientCAFile": str(folder / "ca.crt")}},
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(folder / f"system-node-{node.name}.crt"),
        "tlsPrivateKeyFile": str(folder / f"system-node-{node.name}.key"),
        "address": found.nodes[node.number], "clusterDNS": [found.dns], "clusterDomain": "cluster.local",
        "resolvConf": str(_resolver(node, found)), "evictionHard": {}, "imageGCHighThresholdPercent": 100,
        "podLogsDir": str(node.folder / "logs"), "volumePluginDir": str(node.folder / "plugins"),
        "nodeStatusUpdateFrequency": "5s", "singleProcessOOMKill": True, "maxPods": 60,
        "healthzBindAddress": "127.0.0.1", "registerWithTaints": _taints(node),
    }  # fmt: skip
    path = node.folder / "kubelet.yaml"
    path.write_text(yaml.safe_dump(settings))
    labels = {"topology.kubernetes.io/zone": node.zone, "tenantry.io/pool": node.pool}
    processes.start(
        f"kubelet-{node.name}",
        [
            *node.enter(), NODE.binary("kubelet"), f"--config={path}", f"--root-dir={node.folder / 'kubelet'}",
            f"--hostname-override={node.name}", f"--node-ip={found.nodes[node.number]}", f"--kubeconfig={kubeconfig}",
            "--node-labels=" + ",".join(f"{key}={value}" for key, value in labels.items()),
        ],
        environment={"PATH": packages.search_path()},
    )  # fmt: skip


def start_proxy(processes: Processes, node: LocalNode, found: Addresses, kubeconfig: Path) -> None:
    """Services, by rules of nftables."""
    settings = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", "mode": "nftables",
        "clientConnection": {"kubeconfig": str(kubeconfig)}, "clusterCIDR": found.pods, "hostnameOverride": node.name,
        "bindAddress": found.nodes[node.number], "healthzBindAddress": "127.0.0.1:10256", "metricsBindAddress": "127.0.0.1:10249",
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }  # fmt: skip
    path = node.folder / "kube-proxy.yaml"
    path.write_text(yaml.safe_dump(settings))
    command = [*node.enter(), NODE.binary("kube-proxy"), f"--config={path}"]
    environment = {**packages.libraries(), "PATH": packages.search_path()}
    processes.start(f"kube-proxy-{node.name}", command, environment=environment)


def packages_path(program: str) -> Path:
    """An installed or unpacked program of the container runtime's packages."""
    return next(server for server in RUNTIME if server.program == program).path()


RUNTIME = (
    packages.Server("containerd", "containerd"),
    packages.Server("ctr", "containerd"),
    packages.Server("containerd-shim-runc-v2", "containerd"),
    packages.Server("runc", "runc"),
    packages.Server("host-local", "containernetworking-plugins"),
    packages.Server("ipset", "ipset"),
    packages.Server("nft", "nftables"),
    packages.Server("busybox", "busybox-static"),
)
"""Packages of the distribution; its version of runc, since newer ones need a newer C library."""


def wait_until_ready(ask: Any, names: Sequence[str]) -> None:
    """`ask` gives the Node objects. Raises NotReadyError."""

    def question() -> bool:
        found = {node["metadata"]["name"]: node for node in ask()}
        waiting = [name for name in names if not _is_ready(found.get(name, {}))]
        assert not waiting, f"not ready: {', '.join(waiting)}"
        return True

    wait_for("nodes ready", question, 120, every=0.5)


def _is_ready(node: Mapping[str, Any]) -> bool:
    conditions = node.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _taints(node: LocalNode) -> list[dict[str, str]]:
    return [{"key": "tenantry.io/pool", "value": node.taint, "effect": "NoSchedule"}] if node.taint else []


def _resolver(node: LocalNode, found: Addresses) -> Path:
    path = node.folder / "resolv.conf"
    path.write_text(f"nameserver {found.api_server}\n")
    return path


def _pod_network(folder: Path, pods: str) -> dict[str, Any]:
    addresses = {
        "type": "host-local", "dataDir": str(folder / "addresses"), "ranges": [[{"subnet": pods}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }  # fmt: skip
    bridge = {
        "type": "bridge", "bridge": "cni0", "isGateway": True, "hairpinMode": True, "ipMasq": False, "ipam": addresses,
    }  # fmt: skip
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge, ports]}


def _containerd(folder: Path, node: LocalNode) -> str:
    # Without CAP_SYS_RESOURCE no process may lower its oom_score_adj, and runc would end.
    return f'''version = 2
root = "{node.layers}"
state = "{folder}/state"
[grpc]
  address = "{node.socket}"
[plugins."{_RUN_ENGINE}"]
  sandbox_image = "{SANDBOX_IMAGE}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."{_RUN_ENGINE}".containerd]
    snapshotter = "overlayfs"
  [plugins."{_RUN_ENGINE}".cni]
    bin_dir = "{packages_path("host-local").parent}"
    conf_dir = "{folder}/cni"
[plugins."io.containerd.internal.v1.opt"]
  path = "{folder}/opt"
'''
