"""The same cluster by kind: nodes are containers of Docker, and kubeadm starts them.

Outside of it, in Docker's network, is one more container: the suite and its servers live in its network namespace, and
the nodes lead to it what is not theirs. So addresses are those of the fleet's cluster file here, too.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from acceptance.harness import fleet
from acceptance.harness.programs import KIND, KUBERNETES, UnavailableError, cache
from cluster import network, world
from cluster.base import PLACES, places
from cluster.network import Addresses
from cluster.programs import COREDNS, KUBE_ROUTER, LOCAL_PATH

PROGRAMS = (KIND, KUBERNETES, COREDNS, KUBE_ROUTER, LOCAL_PATH)
NAME = "tenantry-checks"
"""Of the cluster and of Docker's network."""
OUTSIDE = f"{NAME}-outside"
CONTROL_PLANE = f"{NAME}-control-plane"
NODE_IMAGE = "KIND_NODE_IMAGE"
"""Environment variable: an image for nodes instead of kind's own."""


def require() -> None:
    """Raises UnavailableError where kind, or the suite beside it, can't run."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise UnavailableError("the suite enters the network of Docker's containers: run it as root, on Linux")
    for tool in ("docker", "ip", "nsenter", "iptables"):
        if not shutil.which(tool, path=world.search_path()):
            raise UnavailableError(f"'{tool}' is missing")
    try:
        docker("info")
    except subprocess.CalledProcessError as error:
        raise UnavailableError(f"Docker does not answer: {error.stderr.strip()[-300:]}") from error


def run(cluster: str, arguments: Sequence[str], say: Callable[[str], None]) -> int:
    """Make the cluster, run the suite with these arguments beside it, and remove all of it again; one at a time."""
    try:
        with FileLock(cache() / "kind.lock", timeout=0):
            remove()  # what a run that was killed left
            try:
                return _run_suite(cluster, arguments)
            finally:
                remove()
    except Timeout:
        say("kind: another run is under way")
    except subprocess.CalledProcessError as error:
        say(f"kind: {' '.join(map(str, error.cmd[:3]))}: {(error.stderr or '').strip()[-800:] or 'see above'}")
    return 1


def remove() -> None:
    """The cluster, the container outside and the network; what is not there is fine."""
    for command in (
        (str(KIND.binary()), "delete", "cluster", "--name", NAME),
        ("docker", "rm", "--force", OUTSIDE),
        ("docker", "network", "rm", NAME),
    ):
        subprocess.run(command, check=False, capture_output=True)


def _run_suite(cluster: str, arguments: Sequence[str]) -> int:
    spec = fleet.cluster_input(cluster)["spec"]
    found = network.addresses(spec["networks"], spec["objectStorage"], len(PLACES))
    around = ipaddress.ip_network(f"{found.api_server}/{found.prefix}", strict=False)
    gateway, outside = around[-2], around[-3]
    machines = ("--subnet", str(around), "--ip-range", spec["networks"]["nodes"][0], "--gateway", str(gateway))
    docker("network", "create", *machines, NAME)
    with tempfile.TemporaryDirectory(prefix="kind-") as folder:
        config = Path(folder, "cluster.json")
        config.write_text(json.dumps(configuration(spec, found)))
        image = os.environ.get(NODE_IMAGE, "")
        environment = {"KIND_EXPERIMENTAL_DOCKER_NETWORK": NAME, "KUBECONFIG": str(Path(folder, "unused"))}
        subprocess.run(
            [KIND.binary(), "create", "cluster", "--name", NAME, "--config", config, *(["--image", image] if image else [])],
            env={**os.environ, **environment}, check=True,
        )  # fmt: skip
    image = docker("inspect", "--format", "{{.Config.Image}}", CONTROL_PLANE)
    there = ("--network", NAME, "--ip", str(outside), "--sysctl", "net.ipv4.ip_forward=1", "--entrypoint", "sleep")
    docker("run", "--detach", "--rm", "--name", OUTSIDE, *there, image, "infinity")
    suite = [*enter(OUTSIDE), sys.executable, "-m", "cluster.inside", "kind", *arguments]
    return subprocess.run(["setpriv", "--pdeathsig", "KILL", *suite], check=False).returncode


def configuration(spec: Mapping[str, Any], found: Addresses) -> dict[str, Any]:
    """Of kind: networks, pools, zones and taints of a cluster file's `spec`, and no CNI of its own."""
    server = {
        "kind": "ClusterConfiguration",
        "apiServer": {
            "certSANs": ["localhost", "127.0.0.1", found.api_server],
            "extraArgs": [{"name": "advertise-address", "value": found.api_server}],
        },
    }
    kubelet = {"kind": "KubeletConfiguration", "serverTLSBootstrap": True, "singleProcessOOMKill": True}
    if not (world.CGROUPS / "cgroup.controllers").is_file():  # version 1, for which a kubelet wants to be asked
        kubelet["failCgroupV1"] = False
    return {
        "kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "name": NAME,
        "networking": {"ipFamily": "ipv4", "disableDefaultCNI": True, "podSubnet": found.pods, "serviceSubnet": found.services},
        "kubeadmConfigPatches": [json.dumps(server), json.dumps(kubelet)],
        "nodes": [{"role": "control-plane"}, *(_worker(*place) for place in places(spec))],
    }  # fmt: skip


def _worker(pool: str, zone: str, taint: str) -> dict[str, Any]:
    taints = [{"key": "tenantry.io/pool", "value": taint, "effect": "NoSchedule"}] if taint else []
    join = {"kind": "JoinConfiguration", "nodeRegistration": {"taints": taints}}
    labels = {"tenantry.io/pool": pool, "topology.kubernetes.io/zone": zone}
    return {"role": "worker", "labels": labels, "kubeadmConfigPatches": [json.dumps(join)]}


def enter(container: str) -> list[str]:
    """What starts a program in a container's network. Raises UnavailableError when Docker runs on another machine."""
    process = docker("inspect", "--format", "{{.State.Pid}}", container)
    if not Path("/proc", process, "ns/net").exists():
        raise UnavailableError("Docker's containers are not on this machine")
    return ["nsenter", f"--net=/proc/{process}/ns/net"]


def docker(*arguments: str) -> str:
    """What Docker prints. Raises CalledProcessError."""
    return run_program("docker", *arguments)


def run_program(*command: str, text: str = "") -> str:
    """What a program prints. Raises CalledProcessError."""
    return subprocess.run(command, check=True, capture_output=True, text=True, input=text).stdout.strip()
