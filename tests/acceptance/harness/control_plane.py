"""A real control plane: etcd, API server and, where a part asks for them, controllers, scheduler and kwok's kubelets."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from acceptance.harness import definitions, fleet
from acceptance.harness.api import Api
from acceptance.harness.certificates import Authority
from acceptance.harness.process import Processes, free_port, listens, wait_for
from acceptance.harness.programs import ETCD, KUBERNETES, KWOK

ADMIN = "admin-token"
SERVICES = "10.96.0.0/16"
PODS = "10.16.0.1/16"
_NODE_STAGES = ("node/fast/node-initialize.yaml", "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml")


@dataclass(frozen=True)
class ControlPlane:
    """One cluster: its API server and how to speak to it."""

    name: str
    api: Api
    kubeconfig: Path
    folder: Path


class ControlPlanes:
    """Starts clusters for one part: one etcd, and an API server with a prefix of its own for each."""

    def __init__(self, processes: Processes, folder: Path) -> None:
        self.processes = processes
        self.folder = folder
        self.authority = Authority(folder / "authority")
        self._etcd = ""
        self._opened: list[Api] = []

    def close(self) -> None:
        for api in self._opened:
            api.close()

    def start(self, name: str, *, groups: Iterable[str] = ()) -> ControlPlane:
        """An empty cluster with the kinds that the fleet has, and all kinds of `groups` ("*": of every operator).

        Each CRD costs the server a tenth of a second and 8 MiB.
        """
        folder = self.folder / name
        folder.mkdir()
        port = free_port()
        serving = Authority(folder / "authority", name)
        pair = serving.issue("kube-apiserver", ("127.0.0.1", "localhost"))
        account = serving.issue("service-accounts")
        (folder / "tokens.csv").write_text(f'{ADMIN},admin,1,"system:masters"\n')
        self.processes.start(
            f"kube-apiserver-{name}",
            [
                KUBERNETES.binary("kube-apiserver"),
                f"--etcd-servers={self._store()}", f"--etcd-prefix=/{name}", "--bind-address=127.0.0.1", f"--secure-port={port}",
                f"--tls-cert-file={pair.certificate}", f"--tls-private-key-file={pair.key}",
                f"--service-account-key-file={account.certificate}", f"--service-account-signing-key-file={account.key}",
                "--service-account-issuer=https://kubernetes.default.svc", f"--token-auth-file={folder / 'tokens.csv'}",
                "--authorization-mode=Node,RBAC", f"--service-cluster-ip-range={SERVICES}", "--endpoint-reconciler-type=none",
                "--advertise-address=192.0.2.1", "--allow-privileged=true", "--profiling=false",
            ],
            ready=_answers(f"https://127.0.0.1:{port}/readyz", serving.certificate),
        )  # fmt: skip
        api = Api(f"https://127.0.0.1:{port}", serving.certificate, ADMIN)
        self._opened.append(api)
        plane = ControlPlane(name, api, _kubeconfig(folder, api), folder)
        _define(api, _wanted(frozenset(groups)))
        return plane

    def _store(self) -> str:
        if not self._etcd:
            client, peer = free_port(), free_port()
            self._etcd = f"http://127.0.0.1:{client}"
            self.processes.start(
                "etcd",
                [
                    ETCD.binary(), f"--data-dir={self.folder / 'etcd'}", "--unsafe-no-fsync", "--log-level=error",
                    f"--listen-client-urls={self._etcd}", f"--advertise-client-urls={self._etcd}",
                    f"--listen-peer-urls=http://127.0.0.1:{peer}", f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
                    f"--initial-cluster=default=http://127.0.0.1:{peer}", "--quota-backend-bytes=4294967296",
                ],
                ready=listens(client),
            )  # fmt: skip
        return self._etcd

    def add_controllers(self, plane: ControlPlane) -> None:
        """Controller manager: quota, EndpointSlices, Deployments, garbage collection..."""
        key = plane.folder / "authority/service-accounts.key"
        port = free_port()
        self.processes.start(
            f"kube-controller-manager-{plane.name}",
            [
                KUBERNETES.binary("kube-controller-manager"), f"--kubeconfig={plane.kubeconfig}", "--leader-elect=false",
                f"--service-account-private-key-file={key}", f"--root-ca-file={plane.api.authority}",
                "--bind-address=127.0.0.1", f"--secure-port={port}", "--authentication-skip-lookup=true",
                "--use-service-account-credentials=false", "--node-monitor-grace-period=1h", "--controllers=*",
                "--kube-api-qps=300", "--kube-api-burst=600", "--concurrent-deployment-syncs=10",
                "--pvclaimbinder-sync-period=1s", "--horizontal-pod-autoscaler-sync-period=2s",
            ],
            ready=listens(port),
        )  # fmt: skip

    def add_scheduler(self, plane: ControlPlane) -> None:
        port = free_port()
        settings = plane.folder / "scheduler.yaml"
        settings.write_text(
            json.dumps(
                {
                    "apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
                    "clientConnection": {"kubeconfig": str(plane.kubeconfig), "qps": 300, "burst": 600},
                    "leaderElection": {"leaderElect": False},
                }
            )
        )  # fmt: skip
        self.processes.start(
            f"kube-scheduler-{plane.name}",
            [
                KUBERNETES.binary("kube-scheduler"), f"--config={settings}", "--bind-address=127.0.0.1",
                f"--secure-port={port}", "--authentication-skip-lookup=true",
            ],
            ready=listens(port),
        )  # fmt: skip

    def add_kubelets(self, plane: ControlPlane) -> None:
        """kwok: every Node reports ready, every bound Pod runs, gets an address and obeys deletion."""
        stages = KWOK.asset("kustomize/stage")
        files = [stages / name for name in _NODE_STAGES]
        files += sorted((stages / "pod/fast").glob("pod-*.yaml"))
        settings = plane.folder / "kwok.yaml"
        settings.write_text("\n---\n".join(path.read_text() for path in files))
        port = free_port()
        self.processes.start(
            f"kwok-{plane.name}",
            [
                KWOK.binary(), f"--kubeconfig={plane.kubeconfig}", f"--config={settings}", "--manage-all-nodes=true",
                f"--server-address=127.0.0.1:{port}", f"--cidr={PODS}",
            ],
            ready=listens(port),
        )  # fmt: skip


def add_namespaces(plane: ControlPlane) -> None:
    """The platform's namespaces, which whoever installs the operators makes."""
    for name in fleet.PLATFORM_NAMESPACES:
        answer = plane.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        assert answer.accepted, answer.message


def is_true(manifest: dict[str, Any], condition: str) -> bool:
    """Does the object's status say so?"""
    conditions = manifest.get("status", {}).get("conditions") or ()
    return any(found["type"] == condition and found["status"] == "True" for found in conditions)


def _wanted(groups: frozenset[str]) -> list[dict[str, Any]]:
    used = fleet.kinds()
    return [
        crd for crd in definitions.definitions()
        if "*" in groups or crd["spec"]["group"] in groups or (crd["spec"]["group"], crd["spec"]["names"]["kind"]) in used
    ]  # fmt: skip


def _define(api: Api, manifests: list[dict[str, Any]]) -> None:
    """Install CRDs and wait until each is served."""
    for manifest, answer in zip(manifests, api.apply_all((manifest, None) for manifest in manifests), strict=True):
        assert answer.accepted, f"{manifest['metadata']['name']}: {answer.message}"

    def served() -> bool:
        found = api.list("apiextensions.k8s.io/v1", "CustomResourceDefinition")
        return all(is_true(crd, "Established") and is_true(crd, "NamesAccepted") for crd in found)

    wait_for("CRDs established", served)
    api.forget_resources()
    wanted = {(f"{m['spec']['group']}/{v['name']}", m["spec"]["names"]["kind"])
              for m in manifests for v in m["spec"]["versions"] if v["served"]}  # fmt: skip

    def discovered() -> bool:
        api.forget_resources()
        return wanted <= api.resources.keys()

    wait_for("CRDs in discovery", discovered)


def _answers(url: str, authority: Path) -> Callable[[], bool]:
    context = ssl.create_default_context(cafile=str(authority))

    def question() -> bool:
        try:
            headers = {"Authorization": f"Bearer {ADMIN}"}
            return httpx.get(url, verify=context, headers=headers, timeout=5, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    return question


def _kubeconfig(folder: Path, api: Api) -> Path:
    path = folder / "kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1", "kind": "Config", "current-context": "it",
                "clusters": [{"name": "it", "cluster": {"server": api.server, "certificate-authority": str(api.authority)}}],
                "users": [{"name": "it", "user": {"token": api.token}}],
                "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            }
        )
    )  # fmt: skip
    return path


def nodes_of(cluster: dict[str, Any]) -> list[dict[str, Any]]:
    """Nodes as a Cluster file describes its pools: labels, taints, zones in turn, sizes."""
    found = []
    spec = cluster["spec"]
    for pool in spec["nodePools"]:
        for number in range(pool["maxNodes"]):
            name = f"{pool['name']}-{number}"
            zone = f"{spec['region']}-{spec['zones'][number % len(spec['zones'])]}"
            labels = {
                "kubernetes.io/hostname": name,
                "topology.kubernetes.io/zone": zone,
                "tenantry.io/pool": pool["name"],
            }
            taints = (
                [{"key": "tenantry.io/pool", "value": pool["taint"], "effect": "NoSchedule"}] if "taint" in pool else []
            )
            size = {
                "cpu": str(pool["cpu"]), "memory": f"{pool['memoryGiB']}Gi", "pods": "110", "ephemeral-storage": "100Gi",
            }  # fmt: skip
            found.append(
                {
                    "apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": {"taints": taints},
                    "status": {"allocatable": size, "capacity": size},
                }
            )  # fmt: skip
    return found


def add_nodes(plane: ControlPlane, nodes: Iterable[dict[str, Any]]) -> None:
    with ThreadPoolExecutor(8) as pool:
        for answer in pool.map(plane.api.create, nodes):
            assert answer.accepted, answer.message
