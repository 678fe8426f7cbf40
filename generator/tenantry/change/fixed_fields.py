"""Fields that an object keeps for its lifetime: a sync that changes them fails, or does nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tenantry.change.building import Key
from tenantry.change.effects.registration import below
from tenantry.core.findings import Finding, ObjectChange, Place
from tenantry.core.manifest import Manifest

_REFUSED = "the API server refuses it, so the sync fails"
_FIXED: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("apps", "Deployment"): {"spec.selector": _REFUSED},
    ("apps", "StatefulSet"): dict.fromkeys(
        ("spec.selector", "spec.serviceName", "spec.volumeClaimTemplates", "spec.podManagementPolicy"), _REFUSED
    ),
    ("", "PersistentVolumeClaim"): dict.fromkeys(
        ("spec.accessModes", "spec.storageClassName", "spec.volumeName", "spec.volumeMode"), _REFUSED
    ),
    ("", "Service"): {"spec.clusterIP": _REFUSED},
    ("rbac.authorization.k8s.io", "RoleBinding"): {"roleRef": _REFUSED},
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): {"roleRef": _REFUSED},
    ("postgresql.cnpg.io", "Cluster"): {
        "spec.bootstrap": "the operator reads it only when it makes the cluster",
        "spec.storage.storageClass": "the operator does not move volumes that exist",
        "spec.walStorage.storageClass": "the operator does not move volumes that exist",
    },
    ("postgresql.cnpg.io", "Database"): dict.fromkeys(
        ("spec.name", "spec.cluster", "spec.encoding", "spec.localeCollate", "spec.localeCType", "spec.template"),
        "the operator's definition refuses it",
    ),
    ("postgresql.cnpg.io", "DatabaseRole"): {"spec.name": "the operator's definition refuses it"},
    ("barmancloud.cnpg.io", "ObjectStore"): {
        "spec.configuration.destinationPath": "the backups that are kept stay where nothing looks for them"
    },
}
"""Kubernetes API validation (pkg/apis/*/validation) and CloudNativePG 1.30 (api/v1, CEL rules of the definitions)."""


def fixed_fields(change: ObjectChange, after: Mapping[Key, Manifest]) -> Iterator[Finding]:
    """B007 for each field that changes although the object keeps it."""
    manifest = after.get((change.cluster, change.object))
    if change.action != "changed" or manifest is None:
        return
    for path, why in _FIXED.get((change.object.group, change.object.kind), {}).items():
        if below(change, path):
            message = f"'{path}' of {change.object} would change: {why}"
            hint = "change it back, or give the object another name and move what is in it"
            yield Finding("B007", Place(manifest.file), message, hint, tenant=change.tenant, object=change.object)
