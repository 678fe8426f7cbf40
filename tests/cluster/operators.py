"""Operators as their releases install them, with images made here."""

from __future__ import annotations

import base64
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from acceptance.harness import definitions, fleet
from acceptance.harness.certificates import Authority
from acceptance.harness.git_server import Repository
from acceptance.harness.programs import ARGO_CD, Program
from cluster.base import ADDONS, Cluster, Manifest
from cluster.images import Image
from cluster.layers import Derived, write
from cluster.programs import (
    BARMAN_CLOUD_PLUGIN,
    CERT_MANAGER,
    CLOUDNATIVE_PG,
    EXTERNAL_SECRETS,
    KYVERNO,
    METRICS_SERVER,
)
from cluster.registry import OWN_IMAGES
from images.builder import FOLDER, built
from images.builder import Image as Built

SYSTEM = {"tenantry.io/pool": "system"}
CNPG_IMAGE = "tenantry.local/cloudnative-pg:1"
PLUGIN_IMAGE = "tenantry.local/plugin-barman-cloud:1"
SIDECAR_IMAGE = "tenantry.local/plugin-barman-cloud-sidecar:1"
METRICS_IMAGE = "tenantry.local/metrics-server:1"
CLUSTER_AUTHORITY = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
KYVERNO_IMAGE = "tenantry.local/kyverno:1"
KYVERNO_ARGUMENTS = {
    "--enablePolicyException=false": "--enablePolicyException=true",
    "--admissionReports=true": "--admissionReports=false",
}
"""What the bootstrap page asks for; reports have no reader here."""
KYVERNO_ADMISSION = "kyverno-admission-controller"
ARGO_CD_IMAGE = "tenantry.local/argocd:1"
WRAPPERS = ("git-verify-wrapper.sh", "gpg-wrapper.sh")
TRAEFIK_IMAGE = "tenantry.local/traefik:1"
RELEASE = "releases/cnpg-1.30.0.yaml"
TRUST = "etc/ssl/certs/ca-certificates.crt"
OWN_DEFINITIONS = ("postgresql.cnpg.io", "barmancloud.cnpg.io", "policies.kyverno.io", "kyverno.io")
"""API groups whose operators bring their own."""


def secret(namespace: str, name: str, data: dict[str, str], kind: str = "Opaque", **labels: str) -> Manifest:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "data": encoded}


def trusting(
    image: str, name: str, authority: Authority, folder: Path, *, source: Path = FOLDER,
    files: Mapping[str, bytes] | None = None, entrypoint: tuple[str, ...] = (),
) -> Path:  # fmt: skip
    """The archive of an image of ours, under another name, that trusts one more authority."""
    there = built(image, source=source)
    bundle = (there.root / TRUST).read_bytes() + authority.certificate.read_bytes()
    made = Derived(name, there.archive, {TRUST: bundle, **(files or {})}, {"AWS_CA_BUNDLE": f"/{TRUST}"}, entrypoint)
    return write(made, folder / f"{image}.tar")


def _on_system(workload: Manifest, image: str) -> list[dict[str, Any]]:
    """Let all containers of a workload run an image of ours on the pool of the system; they are returned."""
    pod = workload["spec"]["template"]["spec"]
    pod["nodeSelector"] = SYSTEM
    containers = [*pod.get("initContainers", ()), *pod["containers"]]
    for container in containers:
        container |= {"image": image, "imagePullPolicy": "Never"}
    return containers


def install_definitions(cluster: Cluster) -> None:
    """Of the kinds whose operators are not here, too: their objects are stored, and nobody acts on them."""
    cluster.apply(crd for crd in definitions.definitions() if crd["spec"]["group"] not in OWN_DEFINITIONS)
    cluster.api.forget_resources()


def install_cloudnative_pg(cluster: Cluster) -> None:
    """CloudNativePG by its release's manifest; only the image is another, and it is never pulled."""
    files, links = {"operator/manager_amd64": CLOUDNATIVE_PG.binary()}, {"manager": "operator/manager_amd64"}
    image = Image(CNPG_IMAGE, files, links, ("/manager",), "65532:65532")
    cluster.load(image, pools=("system", "shared-db"))
    manifests = [m for m in yaml.safe_load_all(CLOUDNATIVE_PG.asset(RELEASE).read_text()) if m]
    (deployment,) = [m for m in manifests if m["kind"] == "Deployment"]
    (container,) = _on_system(deployment, CNPG_IMAGE)
    for variable in container["env"]:
        if variable["name"] == "OPERATOR_IMAGE_NAME":
            variable["value"] = CNPG_IMAGE
    cluster.apply(manifests)
    cluster.wait_for_deployment("cnpg-system", "cnpg-controller-manager")
    cluster.api.forget_resources()


def install_barman_cloud(cluster: Cluster, public: Authority, folder: Path) -> None:
    """The archive's plugin by its release's manifest, beside CloudNativePG; cert-manager issues its certificates."""
    program = BARMAN_CLOUD_PLUGIN.binary()
    cluster.load(
        Image(PLUGIN_IMAGE, {"manager": program}, entrypoint=("/manager",), user="10001:10001"), pools=("system",)
    )
    cluster.load_archive(built("barman-cloud", source=OWN_IMAGES).archive, pools=("shared-db",))
    files = {"manager": program.read_bytes()}
    sidecar = trusting(
        "barman-cloud", SIDECAR_IMAGE, public, folder, source=OWN_IMAGES, files=files, entrypoint=("/manager",)
    )
    cluster.load_archive(sidecar, pools=("shared-db",))
    manifests = [m for m in yaml.safe_load_all(BARMAN_CLOUD_PLUGIN.asset("manifest.yaml").read_text()) if m]
    for manifest in manifests:
        if manifest["kind"] == "Secret":
            manifest["data"]["SIDECAR_IMAGE"] = base64.b64encode(SIDECAR_IMAGE.encode()).decode()
        if manifest["kind"] == "Deployment":
            _on_system(manifest, PLUGIN_IMAGE)
    cluster.apply(manifests)
    cluster.wait_for_deployment("cnpg-system", "barman-cloud")
    cluster.api.forget_resources()


def install_cert_manager(cluster: Cluster) -> None:
    """Its controllers, and no webhook."""
    _install(cluster, "cert-manager", CERT_MANAGER)


def install_external_secrets(cluster: Cluster) -> None:
    """Its controllers for stores and secrets of a namespace."""
    _install(cluster, "external-secrets", EXTERNAL_SECRETS)


def _install(cluster: Cluster, name: str, program: Program) -> None:
    image = f"tenantry.local/{name}:1"
    cluster.load(
        Image(image, {name: program.binary()}, entrypoint=(f"/{name}",), user="65532:65532"), pools=("system",)
    )
    cluster.apply(m for m in yaml.safe_load_all((ADDONS / f"{name}.yaml").read_text()) if m)
    cluster.wait_for_deployment(name, name)


def install_metrics_server(cluster: Cluster) -> None:
    """By its release's manifests, with the label that their Kustomization adds; it trusts the cluster's authority."""
    cluster.load(
        Image(METRICS_IMAGE, {"metrics-server": METRICS_SERVER.binary()}, entrypoint=("/metrics-server",)),
        pools=("system",),
    )
    label = {"k8s-app": "metrics-server"}
    for path in METRICS_SERVER.assets:
        for manifest in yaml.safe_load_all(METRICS_SERVER.asset(path).read_text()):
            if manifest and manifest["kind"] == "Deployment":
                spec = manifest["spec"]
                spec["selector"] = {"matchLabels": label}
                spec["template"]["metadata"] = {"labels": label}
                (container,) = _on_system(manifest, METRICS_IMAGE)
                container["args"].append(f"--kubelet-certificate-authority={CLUSTER_AUTHORITY}")
            if manifest and manifest["kind"] == "Service":
                manifest["spec"]["selector"] = label
            cluster.apply([manifest] if manifest else [])


def install_kyverno(cluster: Cluster, chart: Manifest) -> None:
    """The admission controller by its release's manifest; nothing here asks for reports, clean-up or generated objects.

    `chart` is the rendered Application: what its values let Kyverno read is granted here in the chart's way.
    """
    cluster.load(
        Image(KYVERNO_IMAGE, {"kyverno": KYVERNO.binary()}, entrypoint=("/kyverno",), user="65534:65534"),
        pools=("system",),
    )
    text = KYVERNO.asset("config/install-latest-testing.yaml").read_text()
    manifests = [m for m in yaml.load_all(text, yaml.CSafeLoader) if m and m["kind"] not in ("CronJob", "Job", "Pod")]
    kept = [m for m in manifests if m["kind"] != "Deployment" or m["metadata"]["name"] == KYVERNO_ADMISSION]
    (deployment,) = [m for m in kept if m["kind"] == "Deployment"]
    del deployment["spec"]["template"]["spec"]["initContainers"]
    (container,) = _on_system(deployment, KYVERNO_IMAGE)
    container["args"] = [KYVERNO_ARGUMENTS.get(argument, argument) for argument in container["args"]]
    container["args"] += ["--exceptionNamespace=kyverno"]
    extra = chart["spec"]["source"]["helm"]["valuesObject"]["reportsController"]["rbac"]["clusterRole"][
        "extraResources"
    ]
    label = {"rbac.kyverno.io/aggregate-to-reports-controller": "true"}
    rules = [{**rule, "verbs": ["get", "list", "watch"]} for rule in extra]
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": rules}
    kept.append({**role, "metadata": {"name": "kyverno:reports-controller:additional", "labels": label}})
    first = ("Namespace", "CustomResourceDefinition")
    cluster.apply(sorted(kept, key=lambda m: first.index(m["kind"]) if m["kind"] in first else len(first)))
    cluster.api.forget_resources()
    cluster.wait_for_deployment("kyverno", KYVERNO_ADMISSION, 180)


def add_authorities(cluster: Cluster, authorities: Mapping[str, Authority]) -> None:
    """The keys that the issuers sign with, as the bootstrap page has it."""
    for name, authority in authorities.items():
        key = authority.key_pair()
        pair = {"tls.crt": key.certificate.read_text(), "tls.key": key.key.read_text()}
        cluster.apply([secret("cert-manager", name, pair, "kubernetes.io/tls")])


def install_traefik(cluster: Cluster) -> None:
    """The edge on the pool of the system; its Pod waits for the settings that the tree brings."""
    program = Path(sys.executable).parent / "traefik"
    cluster.load(
        Image(TRAEFIK_IMAGE, {"traefik": program}, entrypoint=("/traefik",), user="65532:65532"), pools=("system",)
    )
    manifests = list(yaml.safe_load_all((ADDONS / "traefik.yaml").read_text()))
    for manifest in manifests:
        if manifest["kind"] == "Deployment":
            _on_system(manifest, TRAEFIK_IMAGE)
    cluster.apply(manifests)


def add_namespaces(cluster: Cluster) -> None:
    """Of the platform's components, those that have no program here among them."""
    for name in fleet.PLATFORM_NAMESPACES:
        cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}])


def install_argo_cd(cluster: Cluster, git: Repository, folder: Path) -> None:
    """Its core by the release's manifest; nobody looks at pages here, and nothing uses ApplicationSets."""
    base = built("argocd", source=OWN_IMAGES).archive
    files = {"usr/local/bin/argocd": ARGO_CD.binary().read_bytes()}
    files |= {f"usr/local/bin/{name}": ARGO_CD.asset(f"hack/{name}").read_bytes() for name in WRAPPERS}
    image = write(Derived(ARGO_CD_IMAGE, base, files), folder / "argocd.tar")
    cluster.load_archive(base, image, built("valkey").archive, pools=("system",))
    manifests = [m for m in yaml.safe_load_all(ARGO_CD.asset("manifests/core-install.yaml").read_text()) if m]
    kept = [m for m in manifests if "applicationset" not in m["metadata"]["name"] or m["kind"].startswith("Custom")]
    for manifest in kept:
        if manifest["kind"] in ("Deployment", "StatefulSet"):
            for container in _on_system(manifest, ARGO_CD_IMAGE):
                if container["name"] == "redis":
                    container |= {"image": Built("valkey").tag, "command": ["valkey-server"]}
        if manifest["metadata"]["name"] == "argocd-tls-certs-cm":
            manifest["data"] = {git.host: git.authority.certificate.read_text()}
        if not manifest["kind"].startswith(("Custom", "Cluster")):
            manifest["metadata"]["namespace"] = "argocd"
    cluster.apply(kept)
    cluster.api.forget_resources()
    cluster.wait_for_deployment("argocd", "argocd-repo-server")
