"""etcd, API server, controllers and scheduler, reachable for nodes and Pods."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx
import yaml

from acceptance.harness.api import Api
from acceptance.harness.certificates import Authority, KeyPair
from acceptance.harness.process import Processes, listens
from acceptance.harness.programs import ETCD, KUBERNETES
from cluster.network import Addresses

PORT = 6443
_ETCD = 2379


class ControlPlane:
    """The control plane of one cluster. `folder` holds certificates, kubeconfigs and etcd's data."""

    def __init__(self, processes: Processes, folder: Path, addresses: Addresses) -> None:
        self.processes = processes
        self.folder = folder
        self.addresses = addresses
        self.server = f"https://{addresses.api_server}:{PORT}"
        self.authority = Authority(folder, "tenantry-cluster")

    def start(self, token: str) -> Api:
        """Start everything, and a client for the administrator, whose token this is."""
        self._etcd()
        self._api_server(token)
        manager = self.kubeconfig("system:kube-controller-manager")
        accounts = self.folder / "service-accounts.key"
        self.processes.start(
            "kube-controller-manager",
            [
                KUBERNETES.binary("kube-controller-manager"), *_as(manager), "--leader-elect=false",
                f"--service-account-private-key-file={accounts}", f"--root-ca-file={self.authority.certificate}",
                "--use-service-account-credentials=true", "--bind-address=127.0.0.1", "--allocate-node-cidrs=false",
                "--controllers=*", "--node-monitor-grace-period=20s",
            ],
            ready=listens(10257),
        )  # fmt: skip
        scheduler = self.kubeconfig("system:kube-scheduler")
        self.processes.start(
            "kube-scheduler",
            [KUBERNETES.binary("kube-scheduler"), *_as(scheduler), "--leader-elect=false", "--bind-address=127.0.0.1"],
            ready=listens(10259),
        )
        return Api(self.server, self.authority.certificate, token)

    def kubeconfig(self, user: str, groups: tuple[str, ...] = (), hosts: tuple[str, ...] = ()) -> Path:
        """A certificate for a user, and a kubeconfig with it; `hosts` when the same certificate serves."""
        pair = self.authority.issue(user, hosts, groups)
        path = pair.certificate.with_suffix(".kubeconfig")
        path.write_text(yaml.safe_dump(kubeconfig(self.server, self.authority.certificate, pair)))
        return path

    def _etcd(self) -> None:
        client, peer = f"http://127.0.0.1:{_ETCD}", "http://127.0.0.1:2380"
        self.processes.start(
            "etcd",
            [
                ETCD.binary(), f"--data-dir={self.folder / 'etcd'}", "--unsafe-no-fsync", "--log-level=error",
                f"--listen-client-urls={client}", f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}",
            ],
            ready=listens(_ETCD),
        )  # fmt: skip

    def _api_server(self, token: str) -> None:
        found = self.addresses
        names = (
            "localhost",
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
        )
        pair = self.authority.issue("kube-apiserver", (found.api_server, found.first_service, "127.0.0.1", *names))
        kubelets = self.authority.issue("kube-apiserver-kubelet-client", groups=("system:masters",))
        proxy = self.authority.issue("front-proxy-client")
        accounts = self.authority.issue("service-accounts")
        tokens = self.folder / "tokens.csv"
        tokens.touch(0o600)
        tokens.write_text(f'{token},administrator,1,"system:masters"\n')
        self.processes.start(
            "kube-apiserver",
            [
                KUBERNETES.binary("kube-apiserver"), f"--etcd-servers=http://127.0.0.1:{_ETCD}", "--bind-address=0.0.0.0",
                f"--advertise-address={found.api_server}", f"--secure-port={PORT}",
                f"--tls-cert-file={pair.certificate}", f"--tls-private-key-file={pair.key}",
                f"--client-ca-file={self.authority.certificate}", f"--token-auth-file={tokens}",
                f"--kubelet-client-certificate={kubelets.certificate}", f"--kubelet-client-key={kubelets.key}",
                f"--kubelet-certificate-authority={self.authority.certificate}", "--kubelet-preferred-address-types=InternalIP",
                f"--requestheader-client-ca-file={self.authority.certificate}", "--requestheader-allowed-names=front-proxy-client",
                "--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
                "--requestheader-extra-headers-prefix=X-Remote-Extra-",
                f"--proxy-client-cert-file={proxy.certificate}", f"--proxy-client-key-file={proxy.key}",
                f"--service-account-key-file={accounts.certificate}", f"--service-account-signing-key-file={accounts.key}",
                "--service-account-issuer=https://kubernetes.default.svc.cluster.local", "--authorization-mode=Node,RBAC",
                "--enable-admission-plugins=NodeRestriction", f"--service-cluster-ip-range={found.services}",
                "--allow-privileged=true", "--enable-aggregator-routing=true", "--profiling=false",
            ],
            ready=lambda: self._answers(token),
        )  # fmt: skip

    def _answers(self, token: str) -> bool:
        """Ready, roles and all; before that it answers other users by refusing them."""
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        headers = {"Authorization": f"Bearer {token}"}
        try:
            url = f"https://127.0.0.1:{PORT}/readyz"
            return httpx.get(url, headers=headers, verify=context, timeout=5, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False


def kubeconfig(server: str, authority: Path, pair: KeyPair) -> dict[str, object]:
    """What kubectl and the programs of a node read."""
    return {
        "apiVersion": "v1", "kind": "Config", "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": server, "certificate-authority": str(authority)}}],
        "users": [{"name": "it", "user": {"client-certificate": str(pair.certificate), "client-key": str(pair.key)}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
    }  # fmt: skip


def _as(path: Path) -> tuple[str, ...]:
    return tuple(f"--{flag}={path}" for flag in ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"))
