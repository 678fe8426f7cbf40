"""The secret store: one provider for the fleet, and how each names what an instance may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tenantry.model import names

Provider = Literal["openbao", "vault", "aws", "gcp", "azure", "kubernetes"]
READER = "secret-reader"
"""The ServiceAccount of each namespace as which External Secrets logs in."""
ROLE_ANNOTATION = "eks.amazonaws.com/role-arn"
CLIENT_ANNOTATION = "azure.workload.identity/client-id"
IDENTITY_ANNOTATIONS = (ROLE_ANNOTATION, CLIENT_ANNOTATION, "iam.gke.io/gcp-service-account")
"""Annotations by which a cloud lets a ServiceAccount act as one of its identities."""
_SEPARATORS: Mapping[Provider, str] = {
    "openbao": "/",
    "vault": "/",
    "aws": "/",
    "gcp": "_",
    "azure": "--",
    "kubernetes": ".",
}
_PARTITIONS = {"cn": "aws-cn", "us-gov": "aws-us-gov"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretStore:
    """The secret store; each instance reads its own path only. What each provider needs: plan/secret_store.py."""

    provider: Provider = "openbao"
    cidrs: tuple[str, ...] = ()
    server: str = ""
    mount: str = ""
    auth_mount: str = ""
    region: str = ""
    account: str = ""
    role_prefix: str = "tenantry-"
    project: str = ""
    vault_url: str = ""
    entra_tenant: str = ""
    client_ids: Mapping[str, str] = field(default_factory=dict)

    @property
    def separator(self) -> str:
        """Between the parts of a name. No part holds any of them: labels have single `-` only, so names stay unique."""
        return _SEPARATORS[self.provider]

    def key(self, path: str) -> str:
        """A path, such as tenants/acme/production/odoo, as the provider writes it."""
        return path.replace("/", self.separator)

    def leaf(self, key: str) -> str:
        """The last part of a key."""
        return key.rpartition(self.separator)[2]

    def role_arn(self, namespace: str) -> str:
        """AWS: the IAM role of a namespace. At most 64 characters after the slash: 16 for the prefix, 45 for the namespace."""
        start = next((part for begin, part in _PARTITIONS.items() if self.region.startswith(f"{begin}-")), "aws")
        return f"arn:{start}:iam::{self.account}:role/{self.role_prefix}{namespace}"

    def account_annotations(self, namespace: str) -> Mapping[str, str]:
        """What makes a namespace's reader the identity that may read its path; empty where the namespace says it."""
        if self.provider == "aws":
            return {ROLE_ANNOTATION: self.role_arn(namespace)}
        if self.provider == "azure":
            return {CLIENT_ANNOTATION: self.client_ids.get(namespace, "")}
        return {}

    def remote_namespace(self, namespace: str) -> str:
        """Kubernetes: the namespace that holds the Secrets of one instance or cell."""
        return names.secret_namespace(namespace)

    def place(self, key: str) -> str:
        """Where a key is in the store, as its administrator asks for it: with Kubernetes, NAMESPACE/NAME of the Secret."""
        if self.provider != "kubernetes":
            return key
        kind, first, *rest = key.split(self.separator)
        home = {"tenants": f"{first}-{rest[0]}", "platform": rest[0]}.get(kind, names.cell_namespace(first))
        return f"{self.remote_namespace(home)}/{key}"
