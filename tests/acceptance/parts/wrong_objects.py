"""Wrong objects: one change each to a rendered object, which the API server must refuse and `tenantry verify` too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from acceptance.harness import fleet
from mutation import GONE, changed_at

CLUSTER = "use1-globex"
NAMESPACE = "globex-us-production"
POD = "spec.template.spec"


@dataclass(frozen=True)
class Wrong:
    """`unseen` says why `verify`, which reads files, can't refuse what a running server refuses."""

    kind: str
    name: str
    path: str
    to: Any
    told: str
    unseen: str = ""

    def __str__(self) -> str:
        return f"{self.kind}/{self.name} {self.path}"

    def original(self) -> fleet.Rendered:
        found = [item for item in fleet.every(self.kind, cluster=CLUSTER)
                 if item.name == self.name and item.namespace in (NAMESPACE, "argocd", "velero", "traefik", "")]  # fmt: skip
        return found[0]

    def manifest(self) -> dict[str, Any]:
        """The object after the change."""
        return changed_at(self.original().manifest, self.path, self.to)


WEB, MIGRATION = "odoo-web", "odoo-migration"
_STATE = "needs what is already in the cluster; the diff of a pull request shows the change"

WRONG = (
    # fields that are not there
    Wrong("Deployment", WEB, f"{POD}.containers[0].imagePullPolcy", "Always", "field not declared"),
    Wrong("Cluster", "postgresql", "spec.storage.sise", "1Gi", "field not declared"),
    Wrong("IngressRoute", "odoo-public", "spec.routes[0].middleware", [], "field not declared"),
    Wrong("NetworkPolicy", "default-deny", "spec.podSelectors", {}, "field not declared"),
    Wrong("Application", f"{NAMESPACE}-app", "spec.syncPolicy.automatic", {}, "field not declared"),
    Wrong("ExternalSecret", "database-user", "spec.refresh", "1h", "field not declared"),
    Wrong("Certificate", "odoo-tls", "spec.dnsName", "erp.example", "field not declared"),
    Wrong("Schedule", NAMESPACE, "spec.template.ttlDays", 30, "field not declared"),
    # types, enumerations, patterns, what must be there
    Wrong("Deployment", WEB, "spec.replicas", "3", "expected numeric"),
    Wrong("Deployment", WEB, "spec.strategy.type", "Rolling", "Unsupported value"),
    Wrong("Deployment", WEB, f"{POD}.restartPolicy", "Sometimes", "Unsupported value"),
    Wrong("Deployment", WEB, f"{POD}.containers[0].ports[0].protocol", "HTTP", "Unsupported value"),
    Wrong("Deployment", WEB, f"{POD}.containers[0].image", GONE, "Required value"),
    Wrong("Deployment", WEB, "spec.selector", GONE, "Required value"),
    Wrong("Cluster", "postgresql", "spec.primaryUpdateMethod", "reboot", "Unsupported value"),
    Wrong("Cluster", "postgresql", "spec.instances", 0, "should be greater than or equal to 1"),
    Wrong("IngressRoute", "odoo-public", "spec.routes[0].match", GONE, "Required value"),
    Wrong("IngressRoute", "odoo-public", "spec.routes[0].kind", "Regex", "Unsupported value"),
    Wrong("Database", "odoo", "spec.databaseReclaimPolicy", "keep", "Unsupported value"),
    Wrong("AppProject", f"{NAMESPACE}-app", "spec.sourceRepos", "all", "expected list"),
    Wrong("Certificate", "odoo-tls", "spec.privateKey.algorithm", "DSA", "Unsupported value"),
    Wrong("ExternalSecret", "database-user", "spec.target.creationPolicy", "Always", "Unsupported value"),
    # rules of CRDs (CEL)
    Wrong("Database", "odoo", "spec.name", "postgres", "reserved"),
    Wrong("DatabaseRole", "odoo", "spec.name", "postgres", "reserved"),
    Wrong("Middleware", "in-flight", "spec.inFlightReq.amount", -1, "greater than or equal to 0"),
    Wrong("ScheduledBackup", "postgresql", "spec.method", "tape", "Unsupported value"),
    # names, labels, quantities
    Wrong("Deployment", WEB, "metadata.labels.team", "two words", "a valid label must be"),
    Wrong("Service", WEB, "spec.ports[0].name", "HTTP_PORT", "Invalid value"),
    Wrong("Service", WEB, "spec.ports[0].port", 70000, "must be between 1 and 65535"),
    Wrong("Deployment", WEB, f"{POD}.containers[0].resources.limits.memory", "2Gib", "quantities must match"),
    Wrong(
        "Deployment", WEB, f"{POD}.containers[0].resources.requests.memory", "900Gi", "must be less than or equal to"
    ),
    Wrong("Deployment", WEB, f"{POD}.containers[0].name", "Odoo Web", "Invalid value"),
    Wrong("ResourceQuota", "quota", "spec.hard.pods", "many", "quantities must match"),
    Wrong("ConfigMap", "odoo-config", "data.two words", "x", "a valid config key must consist"),
    # rules of the API server
    Wrong("Deployment", WEB, "spec.selector.matchLabels.extra", "yes", "selector"),
    Wrong("Deployment", WEB, f"{POD}.containers[0].volumeMounts[0].name", "nowhere", "Not found"),
    Wrong("Deployment", WEB, f"{POD}.volumes[0].name", "run", "duplicate entries"),
    Wrong(
        "Deployment", WEB, f"{POD}.containers[0].livenessProbe.tcpSocket", {"port": 8069}, "may not specify more than 1"
    ),
    Wrong("Deployment", WEB, f"{POD}.containers[0].volumeMounts[1].mountPath", "/run/odoo", "duplicate entries"),
    Wrong(
        "Deployment",
        WEB,
        f"{POD}.containers[0].env[0].valueFrom",
        {"fieldRef": {"fieldPath": "metadata.name"}},
        "may not be specified when",
    ),
    Wrong("Deployment", WEB, "spec.strategy.rollingUpdate", {"maxSurge": 0, "maxUnavailable": 0}, "may not be 0"),
    Wrong("Deployment", WEB, f"{POD}.priorityClassName", "Gold Class", "RFC 1123"),
    Wrong("Service", WEB, "spec.ports[1]", {"name": "http", "port": 9, "targetPort": "http"}, "uplicate"),
    Wrong("Job", MIGRATION, f"{POD}.restartPolicy", "Always", "Required value"),
    Wrong("HorizontalPodAutoscaler", WEB, "spec.maxReplicas", 0, "must be greater than"),
    Wrong("PodDisruptionBudget", WEB, "spec.minAvailable", 1, "cannot be both set"),
    Wrong("NetworkPolicy", "default-deny", "spec.policyTypes", ["Inbound"], "Unsupported value"),
    Wrong("NetworkPolicy", "object-storage", "spec.egress[0].to[0].ipBlock.cidr", "10.0.0/8", "valid CIDR"),
    Wrong("RoleBinding", "tenant-admin", "subjects[0].kind", "Team", "Unsupported value"),
    Wrong("RoleBinding", "tenant-admin", "roleRef.name", "cluster-admin", "field is immutable"),
    Wrong("Role", "tenant-admin", "rules[0].verbs", [], "Required value"),
    Wrong("LimitRange", "defaults", "spec.limits[0].defaultRequest.memory", "1Gi", "greater than default limit"),
    Wrong("PriorityClass", "tenantry-production", "value", 2_000_000_000, "may not be changed"),
    # what is there already
    Wrong(
        "Deployment",
        WEB,
        "spec.selector.matchLabels",
        {"app.kubernetes.io/name": "odoo"},
        "field is immutable",
        unseen=_STATE,
    ),
    Wrong("PriorityClass", "tenantry-production", "value", 7, "may not be changed", unseen=_STATE),
    Wrong("Job", MIGRATION, "spec.backoffLimit", -1, "greater than or equal to 0"),
)


@dataclass(frozen=True)
class Twice:
    """A key or an entry that is there twice, which only the text shows."""

    kind: str
    name: str
    old: str
    new: str
    told: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name} {self.new!r}"

    def original(self) -> fleet.Rendered:
        return fleet.one(self.kind, NAMESPACE, self.name, cluster=CLUSTER)

    def text(self) -> str:
        text = self.original().content.decode()
        assert self.old in text
        return text.replace(self.old, self.new, 1)


TWICE = (
    Twice("Deployment", WEB, "\nspec:\n", "\nspec:\n  revisionHistoryLimit: 9\n", "already set"),
    Twice("ResourceQuota", "quota", "  hard:\n", '  hard:\n    pods: "900"\n', "already set"),
    Twice("IngressRoute", "odoo-public", "  entryPoints:\n", "  entryPoints: [web]\n  entryPoints:\n", "already set"),
)


def written(manifest: dict[str, Any]) -> str:
    return yaml.safe_dump(manifest, sort_keys=False)
