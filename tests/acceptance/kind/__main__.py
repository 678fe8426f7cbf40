"""Bring two tenants up on kind with a CNI that enforces NetworkPolicies, and try to cross between them."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import tenacity
import yaml

from acceptance.harness import definitions, fleet, programs, secrets
from acceptance.harness.programs import KIND, KUBERNETES, UnavailableError
from acceptance.kind.smaller import CLUSTER, NAMESPACES, objects

HERE = Path(__file__).resolve().parent
NAME = "tenantry"
CONTEXT = f"--context=kind-{NAME}"
INSTALLED = (
    "https://raw.githubusercontent.com/projectcalico/calico/v3.31.2/manifests/calico.yaml",
    "https://github.com/cert-manager/cert-manager/releases/download/v1.21.2/cert-manager.yaml",
    "https://github.com/cloudnative-pg/cloudnative-pg/releases/download/v1.30.0/cnpg-1.30.0.yaml",
)
"""A CNI that enforces NetworkPolicies, and the operators as their projects release them."""
AUTHORITY = [
    {"apiVersion": "cert-manager.io/v1", "kind": "ClusterIssuer", "metadata": {"name": "self"}, "spec": {"selfSigned": {}}},
    {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "kind-ca", "namespace": "cert-manager"},
     "spec": {"isCA": True, "commonName": "kind", "secretName": "kind-ca", "privateKey": {"algorithm": "ECDSA", "size": 256},
              "issuerRef": {"name": "self", "kind": "ClusterIssuer"}}},
    {"apiVersion": "cert-manager.io/v1", "kind": "ClusterIssuer", "metadata": {"name": "kind"}, "spec": {"ca": {"secretName": "kind-ca"}}},
]  # fmt: skip
ATTEMPTS = (
    ("smith-advisory-production", "odoo-web", "postgresql-rw.northwind-partners-production.svc", 5432),
    ("smith-advisory-production", "odoo-web", "redis.northwind-partners-production.svc", 6379),
    ("smith-advisory-production", "odoo-web", "odoo-web.northwind-partners-production.svc", 8069),
    ("northwind-partners-production", "odoo-web", "postgresql-rw.euw1-shared-a-cell.svc", 5432),
    ("northwind-partners-production", "odoo-web", "odoo-web.smith-advisory-production.svc", 8069),
    ("northwind-partners-production", "odoo-web", "kubernetes.default.svc", 443),
)
ALLOWED = (
    ("smith-advisory-production", "odoo-web", "postgresql-rw.euw1-shared-a-cell.svc", 5432),
    ("northwind-partners-production", "odoo-web", "postgresql-rw.northwind-partners-production.svc", 5432),
)
PROBE = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a program's own voice


def run(*command: str | Path, text: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a program; raises SystemExit with the end of what it said."""
    done = subprocess.run(list(map(str, command)), input=text or None, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise SystemExit(f"{' '.join(map(str, command[:4]))}: {done.stderr.strip()[-800:]}")
    return done


def kubectl(*arguments: str, text: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
    return run(KUBERNETES.binary("kubectl"), CONTEXT, *arguments, text=text, check=check)


def apply(manifests: list[dict[str, Any]]) -> None:
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", text=yaml.safe_dump_all(manifests))


def main() -> int:
    if not shutil.which("docker") or run("docker", "info", check=False).returncode:
        say("kind: not run: Docker is missing or does not answer")
        return 4
    try:
        programs.ensure([KIND, KUBERNETES], say)
        definitions.ensure(say)
    except UnavailableError as error:
        say(f"kind: not run: {error}")
        return 4
    kind = KIND.binary()
    say("making the cluster (some minutes)")
    run(kind, "create", "cluster", "--config", HERE / "cluster.yaml")
    try:
        install()
        bring_tenants()
        return attack()
    finally:
        if "--keep" not in sys.argv:
            run(kind, "delete", "cluster", "--name", NAME, check=False)


def install() -> None:
    """CNI, operators, CRDs of the rest, an authority, the edge."""
    for url in INSTALLED:
        say(f"installing {url.rpartition('/')[2]}")
        kubectl("apply", "--server-side", "-f", url)
    kubectl("wait", "--for=condition=Ready", "node", "--all", "--timeout=300s")
    for namespace in ("calico", "cert-manager", "cnpg-system"):
        kubectl(
            "--namespace",
            namespace,
            "wait",
            "--for=condition=Available",
            "deployment",
            "--all",
            "--timeout=300s",
            check=False,
        )
    known = ("postgresql.cnpg.io", "cert-manager.io", "acme.cert-manager.io")
    apply([crd for crd in definitions.definitions() if crd["spec"]["group"] not in known])
    apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in ("traefik", "mail")])
    _retried(lambda: apply(AUTHORITY))


def bring_tenants() -> None:
    """The rendered objects, made smaller, with the Secrets that External Secrets would bring."""
    manifests = list(objects())
    apply([one for one in manifests if one["kind"] == "Namespace"])
    apply([_secret(item) for item in fleet.every("ExternalSecret", cluster=CLUSTER) if item.namespace in NAMESPACES])
    _retried(lambda: apply([one for one in manifests if one["kind"] != "Namespace"]))
    kubectl("apply", "-f", str(HERE / "traefik.yaml"))
    for namespace in NAMESPACES:
        kubectl(
            "--namespace",
            namespace,
            "wait",
            "--for=condition=Ready",
            "clusters.postgresql.cnpg.io",
            "--all",
            "--timeout=600s",
            check=False,
        )
        _install_odoo(namespace)
        kubectl("--namespace", namespace, "wait", "--for=condition=Available", "deployment", "--all", "--timeout=600s")
    kubectl("--namespace", "traefik", "wait", "--for=condition=Available", "deployment", "--all", "--timeout=300s")


def _install_odoo(namespace: str) -> None:
    """What the migration does: the base module, by the Pod that has the configuration."""
    if namespace.endswith("-production"):
        command = [
            "odoo",
            "--config=/run/odoo/odoo.conf",
            "--init=base",
            "--stop-after-init",
            "--no-http",
            "--workers=0",
        ]
        _retried(lambda: kubectl("--namespace", namespace, "exec", "deployment/odoo-web", "-c", "odoo", "--", *command))


def _secret(item: fleet.Rendered) -> dict[str, Any]:
    target = item.manifest["spec"]["target"]
    template = target.get("template", {})
    data = {key: base64.b64encode(value.encode()).decode() for key, value in secrets.data_of(item.manifest).items()}
    metadata = {
        "name": target["name"],
        "namespace": item.namespace,
        "labels": template.get("metadata", {}).get("labels", {}),
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": template.get("type", "Opaque"),
        "metadata": metadata,
        "data": data,
    }


def attack() -> int:
    """Login page through the edge; then each forbidden connection beside an allowed one."""
    wrong = []
    for namespace in NAMESPACES[1:]:
        certificate = next(
            i for i in fleet.every("Certificate", cluster=CLUSTER, namespace=namespace) if i.name == "odoo-tls"
        )
        host = certificate.manifest["spec"]["dnsNames"][0]
        done = run(
            "curl",
            "--silent",
            "--insecure",
            "--resolve",
            f"{host}:8443:127.0.0.1",
            f"https://{host}:8443/web/login",
            check=False,
        )
        wrong += [] if "oe_login_form" in done.stdout else [f"{host}: no login page"]
    for namespace, deployment, host, port in ALLOWED:
        wrong += [] if connects(namespace, deployment, host, port) else [f"{namespace} should reach {host}:{port}"]
    for namespace, deployment, host, port in ATTEMPTS:
        wrong += [f"{namespace} reached {host}:{port}"] if connects(namespace, deployment, host, port) else []
    say(json.dumps({"login pages": 2, "allowed": len(ALLOWED), "refused": len(ATTEMPTS), "wrong": wrong}, indent=1))
    return 1 if wrong else 0


def connects(namespace: str, deployment: str, host: str, port: int) -> bool:
    command = ["python3", "-c", PROBE, host, str(port)]
    return (
        kubectl(
            "--namespace", namespace, "exec", f"deployment/{deployment}", "-c", "odoo", "--", *command, check=False
        ).returncode
        == 0
    )


def _retried(call: Any) -> None:
    """Webhooks of operators that have just started are not there at once."""
    again = tenacity.Retrying(
        stop=tenacity.stop_after_delay(300),
        wait=tenacity.wait_fixed(5),
        retry=tenacity.retry_if_exception_type(SystemExit),
        reraise=True,
    )
    again(call)


if __name__ == "__main__":
    sys.exit(main())
