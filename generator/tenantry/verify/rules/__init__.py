"""Rules that no schema holds. A new rule is one function and one line in RULES or GENERAL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tenantry.core.manifest import Manifest, Problem
from tenantry.verify.rules import (
    argocd,
    autoscaling,
    certmanager,
    cloudnativepg,
    externalsecrets,
    metadata,
    network,
    prometheus,
    rbac,
    traefik,
    velero,
    workloads,
)

Rule = Callable[[Manifest], Iterator[Problem]]

GENERAL: tuple[Rule, ...] = (
    metadata.names,
    metadata.labels,
    metadata.annotation_sizes,
    metadata.size,
    metadata.addresses,
    argocd.sync_annotations,
)

RULES: Mapping[tuple[str, str], tuple[Rule, ...]] = {
    ("", "ConfigMap"): (metadata.config_map,),
    ("", "LimitRange"): (workloads.limit_range,),
    ("", "PersistentVolumeClaim"): (workloads.claim,),
    ("", "Namespace"): (metadata.pod_security,),
    ("", "Pod"): (workloads.pod,),
    ("", "ResourceQuota"): (workloads.quota,),
    ("", "Secret"): (metadata.secret,),
    ("", "Service"): (network.service,),
    ("apps", "DaemonSet"): (workloads.controller,),
    ("apps", "Deployment"): (workloads.controller,),
    ("apps", "StatefulSet"): (workloads.controller, workloads.stateful_set),
    ("argoproj.io", "AppProject"): (argocd.project,),
    ("argoproj.io", "Application"): (argocd.application,),
    ("autoscaling", "HorizontalPodAutoscaler"): (autoscaling.horizontal,),
    ("batch", "CronJob"): (workloads.cron_job,),
    ("batch", "Job"): (workloads.job,),
    ("cert-manager.io", "Certificate"): (certmanager.certificate,),
    ("cert-manager.io", "ClusterIssuer"): (certmanager.issuer,),
    ("cert-manager.io", "Issuer"): (certmanager.issuer,),
    ("external-secrets.io", "ExternalSecret"): (externalsecrets.secret,),
    ("keda.sh", "ScaledObject"): (autoscaling.scaled_object,),
    ("monitoring.coreos.com", "PrometheusRule"): (prometheus.rules,),
    ("networking.k8s.io", "NetworkPolicy"): (network.policy,),
    ("policy", "PodDisruptionBudget"): (workloads.disruption_budget,),
    ("postgresql.cnpg.io", "Cluster"): (cloudnativepg.cluster,),
    ("postgresql.cnpg.io", "Database"): (cloudnativepg.database,),
    ("postgresql.cnpg.io", "DatabaseRole"): (cloudnativepg.role,),
    ("postgresql.cnpg.io", "Pooler"): (cloudnativepg.pooler,),
    ("rbac.authorization.k8s.io", "ClusterRole"): (rbac.role,),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): (rbac.binding,),
    ("rbac.authorization.k8s.io", "Role"): (rbac.role,),
    ("rbac.authorization.k8s.io", "RoleBinding"): (rbac.binding,),
    ("scheduling.k8s.io", "PriorityClass"): (workloads.priority_class,),
    ("traefik.io", "IngressRoute"): (traefik.route,),
    ("traefik.io", "Middleware"): (traefik.middleware,),
    ("traefik.io", "TLSOption"): (traefik.tls_option,),
    ("traefik.io", "TLSStore"): (traefik.tls_store,),
    ("velero.io", "Schedule"): (velero.schedule,),
}


def problems(manifest: Manifest, version: str) -> Iterator[Problem]:
    """All that the rules find wrong with one object."""
    yield from metadata.scope(manifest, version)
    for rule in (*GENERAL, *RULES.get(manifest.kind, ())):
        yield from rule(manifest)
