"""What the templates of Argo CD's settings see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tenantry.model import names
from tenantry.model.cluster import Cluster
from tenantry.model.platform import Platform, RepositoryCredential
from tenantry.model.platform_components import managed_components
from tenantry.render.registry import Context


def labels_of_argocd() -> dict[str, str]:
    """Argo CD reads no ConfigMap that is not labelled as its own part (util/settings/settings.go, partOfArgoCDSelector)."""
    return {"app.kubernetes.io/managed-by": "tenantry", "app.kubernetes.io/part-of": "argocd"}


def argocd_context(platform: Platform, cluster: Cluster) -> Context:
    """Context of the settings of a cluster's Argo CD, which only delivers to that cluster."""
    namespace = platform.namespaces.argocd
    return {
        "platform": platform, "cluster": cluster, "namespace": namespace, "labels": labels_of_argocd(),
        "root": names.platform_application(cluster.name), "exclusions": [*_NEVER_IN_GIT, *_exclusions(platform)],
        "secret_role": names.platform_identity(cluster.name, namespace),
        "secret_path": names.platform_secret_path(cluster.name, namespace),
        "helm": "true" if managed_components(platform) else "false",
        "repository_keys": REPOSITORY_KEYS[platform.git.credential],
    }  # fmt: skip


def _exclusions(platform: Platform) -> Iterator[dict[str, list[str]]]:
    for one in platform.argocd.exclusions:
        yield {"apiGroups": list(one.api_groups), "kinds": list(one.kinds)}


_NEVER_IN_GIT: Sequence[Mapping[str, list[str]]] = (
    {"apiGroups": ["", "discovery.k8s.io"], "kinds": ["Endpoints", "EndpointSlice"]},
    {"apiGroups": ["coordination.k8s.io"], "kinds": ["Lease"]},
    {"apiGroups": ["authentication.k8s.io", "authorization.k8s.io"],
     "kinds": ["SelfSubjectReview", "TokenReview", "LocalSubjectAccessReview", "SelfSubjectAccessReview", "SelfSubjectRulesReview",
               "SubjectAccessReview"]},
    {"apiGroups": ["certificates.k8s.io"], "kinds": ["CertificateSigningRequest"]},
    {"apiGroups": ["cert-manager.io"], "kinds": ["CertificateRequest"]},
    {"apiGroups": ["cilium.io"], "kinds": ["CiliumIdentity", "CiliumEndpoint", "CiliumEndpointSlice"]},
    {"apiGroups": ["kyverno.io", "reports.kyverno.io", "wgpolicyk8s.io"],
     "kinds": ["PolicyReport", "ClusterPolicyReport", "EphemeralReport", "ClusterEphemeralReport", "AdmissionReport",
               "ClusterAdmissionReport", "BackgroundScanReport", "ClusterBackgroundScanReport", "UpdateRequest"]},
)  # fmt: skip
"""What Argo CD excludes as installed (manifests/base/config/argocd-cm.yaml, v3.6); the setting here replaces that one."""

REPOSITORY_KEYS: Mapping[RepositoryCredential, Mapping[str, str]] = {
    "token": {"username": "username", "password": "password"},
    "sshKey": {"sshPrivateKey": "ssh-private-key"},
    "githubApp": {
        "githubAppID": "app-id",
        "githubAppInstallationID": "installation-id",
        "githubAppPrivateKey": "app-private-key",
    },
    "none": {},
}
"""Key of a repository Secret -> property in the store (docs/operator-manual/declarative-setup.md, Repositories)."""
