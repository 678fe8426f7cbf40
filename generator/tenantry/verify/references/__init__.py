"""References between the objects of one cluster. A new kind of reference is one function and one line in CHECKS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tenantry.core.manifest import Manifest, Problem
from tenantry.verify.references import delivery, operators, pods, services, waves
from tenantry.verify.references.index import Check, Index

_WORKLOAD: tuple[Check, ...] = (pods.pods,)

CHECKS: Mapping[tuple[str, str], tuple[Check, ...]] = {
    ("", "PersistentVolumeClaim"): (pods.storage,),
    ("", "Pod"): _WORKLOAD,
    ("", "ServiceAccount"): (pods.account,),
    ("", "Service"): (services.service,),
    ("apps", "DaemonSet"): _WORKLOAD,
    ("apps", "Deployment"): _WORKLOAD,
    ("apps", "ReplicaSet"): _WORKLOAD,
    ("apps", "StatefulSet"): (pods.pods, pods.storage, services.stateful_set),
    ("argoproj.io", "Application"): (delivery.application, waves.project),
    ("autoscaling", "HorizontalPodAutoscaler"): (services.autoscaler,),
    ("barmancloud.cnpg.io", "ObjectStore"): (operators.object_store,),
    ("batch", "CronJob"): _WORKLOAD,
    ("batch", "Job"): (pods.pods, waves.hook),
    ("cert-manager.io", "Certificate"): (operators.certificate,),
    ("external-secrets.io", "ExternalSecret"): (operators.external_secret,),
    ("external-secrets.io", "SecretStore"): (operators.secret_store,),
    ("keda.sh", "ScaledObject"): (services.autoscaler,),
    ("monitoring.coreos.com", "PodMonitor"): (services.monitor,),
    ("monitoring.coreos.com", "ServiceMonitor"): (services.monitor,),
    ("networking.k8s.io", "NetworkPolicy"): (services.policy,),
    ("policy", "PodDisruptionBudget"): (services.budget,),
    ("postgresql.cnpg.io", "Backup"): (operators.of_cluster,),
    ("postgresql.cnpg.io", "Cluster"): (operators.cluster, pods.storage),
    ("postgresql.cnpg.io", "Database"): (operators.of_cluster,),
    ("postgresql.cnpg.io", "DatabaseRole"): (operators.of_cluster,),
    ("postgresql.cnpg.io", "Pooler"): (operators.of_cluster,),
    ("postgresql.cnpg.io", "ScheduledBackup"): (operators.of_cluster,),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): (services.binding,),
    ("rbac.authorization.k8s.io", "RoleBinding"): (services.binding,),
    ("traefik.io", "IngressRoute"): (operators.route,),
    ("traefik.io", "IngressRouteTCP"): (operators.route,),
    ("traefik.io", "Middleware"): (operators.middleware,),
    ("traefik.io", "TLSOption"): (operators.tls_option,),
    ("traefik.io", "TLSStore"): (operators.tls_store,),
    ("velero.io", "Schedule"): (operators.backup_schedule,),
}


def problems(index: Index, only: Iterable[Manifest] | None = None) -> Iterator[tuple[Manifest, Problem]]:
    """References that lead nowhere, and ConfigMaps that nothing refers to. `only` asks for the former of some objects."""
    for manifest in index.manifests if only is None else only:
        index.asking = manifest
        index.needed.clear()
        for check in (*CHECKS.get(manifest.kind, ()), waves.order):
            for problem in check(manifest, index):
                yield manifest, problem
    index.asking = None
    if only is None:
        yield from _unused(index)


def _unused(index: Index) -> Iterator[tuple[Manifest, Problem]]:
    for manifest in index.of("", "ConfigMap"):
        identity = manifest.identity
        used = ("ConfigMap", identity.namespace, identity.name) in index.used
        if used or not index.pods.get(identity.namespace) or not index.makes_namespace(identity.namespace):
            continue
        yield (
            manifest,
            Problem(
                "V066",
                ("metadata", "name"),
                "nothing in the tree uses this ConfigMap",
                "remove it, or the reference is misspelt",
                "warning",
            ),
        )
