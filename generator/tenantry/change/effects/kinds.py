"""Kinds whose every change is of one risk."""

from __future__ import annotations

from tenantry.change.effects.registration import effects_of, simple

effects_of(("networking.k8s.io", "NetworkPolicy"))(simple("isolation", "what may connect changes"))
effects_of(
    ("rbac.authorization.k8s.io", "Role"), ("rbac.authorization.k8s.io", "RoleBinding"),
    ("rbac.authorization.k8s.io", "ClusterRole"), ("rbac.authorization.k8s.io", "ClusterRoleBinding"), ("", "ServiceAccount"),
)(simple("isolation", "who may do what changes"))  # fmt: skip
effects_of(
    ("external-secrets.io", "SecretStore"), ("external-secrets.io", "ExternalSecret"), ("", "Secret"),
    ("bitnami.com", "SealedSecret"),
)(simple("isolation", "which secrets are read changes"))  # fmt: skip
effects_of(
    ("policies.kyverno.io", "ValidatingPolicy"), ("policies.kyverno.io", "PolicyException"), ("kyverno.io", "PolicyException"),
)(simple("isolation", "what the cluster refuses changes"))  # fmt: skip
effects_of(("traefik.io", "TLSOption"), ("traefik.io", "TLSStore"))(
    simple("isolation", "how connections are secured changes")
)
effects_of(("", "ResourceQuota"), ("", "LimitRange"))(simple("availability", "what the namespace may use changes"))
effects_of(
    ("autoscaling", "HorizontalPodAutoscaler"), ("keda.sh", "ScaledObject"), ("policy", "PodDisruptionBudget"),
)(simple("availability", "how many Pods run changes"))  # fmt: skip
effects_of(("", "Service"))(simple("availability", "how it is reached in the cluster changes"))
effects_of(
    ("cert-manager.io", "Certificate"), ("cert-manager.io", "ClusterIssuer"), ("cert-manager.io", "Issuer"),
)(simple("availability", "certificates are issued again or differently"))  # fmt: skip
effects_of(
    ("monitoring.coreos.com", "PrometheusRule"), ("monitoring.coreos.com", "PodMonitor"),
    ("monitoring.coreos.com", "ServiceMonitor"), ("monitoring.coreos.com", "Probe"),
    ("monitoring.coreos.com", "AlertmanagerConfig"),
)(simple("availability", "what is measured or alerted changes"))  # fmt: skip
effects_of(("scheduling.k8s.io", "PriorityClass"))(simple("availability", "which Pods give way changes"))
effects_of(("postgresql.cnpg.io", "ClusterImageCatalog"))(
    simple("availability", "every PostgreSQL of the cluster is updated")
)
