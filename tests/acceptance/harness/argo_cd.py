"""The real Argo CD, from its own binary: the cluster's registration, its processes, and what its Applications say."""

from __future__ import annotations

import base64
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acceptance.harness.api import Api
from acceptance.harness.git_server import Repository
from acceptance.harness.packages import libraries
from acceptance.harness.process import Processes, free_port, listens, wait_for
from acceptance.harness.programs import ARGO_CD

VERSION = "argoproj.io/v1alpha1"
Applications = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class ArgoCd:
    """What it does in a cluster that it fills from a repository."""

    api: Api
    repository: Repository

    def applications(self) -> Applications:
        return {one["metadata"]["name"]: one for one in self.api.list(VERSION, "Application")}

    def sync(self, name: str, *, prune: bool = False) -> None:
        """What a person's click does, also outside of maintenance windows; `prune` as in the Applications' own syncs."""
        application = self.applications()[name]
        options = application["spec"]["syncPolicy"]["syncOptions"]
        operation = {"initiatedBy": {"username": "acceptance"}, "sync": {"prune": prune, "syncOptions": options}}
        assert self.api.merge(application, {"operation": operation}).accepted

    def sync_to_its_end(self, name: str, seconds: float) -> None:
        """What `argocd app sync` does: it ends when the operation has, hooks included. Raises AssertionError when that failed."""
        before = self.applications()[name].get("status", {}).get("operationState", {}).get("startedAt")
        self.sync(name)

        def ended() -> bool:
            one = self.applications()[name]
            state = one.get("status", {}).get("operationState", {})
            return "operation" not in one and state.get("startedAt") != before and state.get("phase") != "Running"

        wait_for(f"the sync of {name} has ended", ended, seconds, every=1)
        state = self.applications()[name]["status"]["operationState"]
        assert state["phase"] == "Succeeded", f"{name}: {state['phase']} {state.get('message')}"

    def refresh(self, *names: str) -> None:
        """What the repository's webhook does."""
        for application in self.applications().values():
            if not names or application["metadata"]["name"] in names:
                self.api.merge(application, {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}})

    def synced(self, revision: str, *names: str) -> bool:
        """Are these (or all) applications synced to that commit? Raises AssertionError with the one that is not."""
        for name, one in self.applications().items():
            if names and name not in names:
                continue
            sync = one.get("status", {}).get("sync", {})
            told = one.get("status", {}).get("operationState", {}).get("message", "")
            conditions = [c["message"] for c in one.get("status", {}).get("conditions", ())]
            assert sync.get("status") == "Synced", f"{name}: {sync.get('status')} {told} {conditions} {unsynced(one)}"
            assert sync.get("revision") == revision, f"{name}: at another commit"
            assert "operation" not in one, f"{name}: an operation waits"
            assert one["status"].get("operationState", {}).get("phase") == "Succeeded", f"{name}: {told}"
        return True

    def bring(self, name: str, head: str, seconds: float = 150, *, prune: bool = False) -> None:
        """Until synced; where a maintenance window is closed, by a person's click."""

        def question() -> bool:
            application = self.applications().get(name)
            if application is None:
                return False
            state = application.get("status", {}).get("operationState", {})
            waits = not application.get("operation") and state.get("phase") != "Running"
            # Just after a sync the comparison may still be the old one; a second click would run the hooks again.
            done = state.get("phase") == "Succeeded" and state.get("syncResult", {}).get("revision") == head
            if waits and not done and application.get("status", {}).get("sync", {}).get("status") == "OutOfSync":
                self.sync(name, prune=prune)
            return self.synced(head, name)

        wait_for(f"{name} synced", question, seconds, every=1)


def unsynced(application: dict[str, Any]) -> list[str]:
    resources = application.get("status", {}).get("resources", ())
    return [f"{r['kind']}/{r['name']}" for r in resources if r.get("status") not in ("Synced", None)][:5]


def configure(api: Api, cluster: str, repository: Repository) -> None:
    """What the installation of Argo CD brings, and the cluster's registration by name."""
    part = {"app.kubernetes.io/part-of": "argocd"}
    certificate = {"git.provider.example": repository.authority.certificate.read_text()}
    settings = {
        "argocd-cm": {"timeout.reconciliation": "600s"}, "argocd-rbac-cm": {}, "argocd-cmd-params-cm": {},
        "argocd-ssh-known-hosts-cm": {}, "argocd-gpg-keys-cm": {}, "argocd-tls-certs-cm": certificate,
    }  # fmt: skip
    for name, data in settings.items():
        _make(api, "ConfigMap", name, part, {"data": data})
    _make(api, "Secret", "argocd-secret", part, {"data": {"server.secretkey": _encoded("acceptance")}})
    config = {"bearerToken": api.token, "tlsClientConfig": {"caData": _encoded(api.authority.read_text())}}
    data = {"name": cluster, "server": api.server, "config": json.dumps(config)}
    labels = {"argocd.argoproj.io/secret-type": "cluster"}
    _make(api, "Secret", f"cluster-{cluster}", labels, {"data": {key: _encoded(value) for key, value in data.items()}})


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _make(api: Api, kind: str, name: str, labels: dict[str, str], rest: dict[str, Any]) -> None:
    metadata = {"name": name, "namespace": "argocd", "labels": labels}
    answer = api.create({"apiVersion": "v1", "kind": kind, "metadata": metadata, **rest})
    assert answer.accepted, answer.message


def start(api: Api, kubeconfig: Path, processes: Processes, folder: Path, redis_server: Path) -> None:
    """Its cache, repository server and controller, as processes beside the cluster."""
    scripts = folder / "bin"
    scripts.mkdir()
    for name in ("git-verify-wrapper.sh", "gpg-wrapper.sh"):
        shutil.copy(ARGO_CD.asset(f"hack/{name}"), scripts / name)
        (scripts / name).chmod(0o755)
    redis, repo, metrics = free_port(), free_port(), free_port()
    processes.start("argo-cd-redis", [redis_server, "--port", str(redis), "--save", ""], ready=listens(redis), environment=libraries(),
                    folder=folder)  # fmt: skip
    for name in ("tls", "plugin", "gpg", "ssh"):
        (folder / f"app-{name}").mkdir()
    (folder / "app-tls/git.provider.example").write_bytes((folder / "tls/ca.crt").read_bytes())
    common = {
        "PATH": f"{scripts}:/usr/local/bin:/usr/bin:/bin", "ARGOCD_TLS_DATA_PATH": str(folder / "app-tls"),
        "ARGOCD_SSH_DATA_PATH": str(folder / "app-ssh"), "ARGOCD_GNUPGHOME": str(folder / "app-gpg"), "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_PLUGINSOCKFILEPATH": str(folder / "app-plugin"), "KUBECONFIG": str(kubeconfig),
    }  # fmt: skip
    binary = ARGO_CD.binary()
    kubernetes = ["--kubeconfig", str(kubeconfig), "--namespace", "argocd"]
    processes.start(
        "argo-cd-repo-server",
        [binary, "--address", "127.0.0.1", "--port", str(repo), "--metrics-address", "127.0.0.1", "--metrics-port", str(free_port()),
         "--disable-tls", "--client-ca-path", "", "--redis", f"127.0.0.1:{redis}"],
        environment={**common, "ARGOCD_BINARY_NAME": "argocd-repo-server"}, ready=listens(repo),
    )  # fmt: skip
    processes.start(
        "argo-cd-controller",
        [binary, *kubernetes, "--repo-server", f"127.0.0.1:{repo}", "--repo-server-plaintext", "--redis", f"127.0.0.1:{redis}",
         "--metrics-port", str(metrics), "--app-resync", "600"],
        environment={**common, "ARGOCD_BINARY_NAME": "argocd-application-controller"}, ready=listens(metrics),
    )  # fmt: skip
