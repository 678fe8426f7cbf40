"""The control catalogue: each promise of isolation, recovery and residency as a rule with an id, and how it is proved.

The reference page `docs/reference/controls.md`, `tenantry explain ID`, the reports and the mutants' table come from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Weight = Literal["critical", "high", "medium"]


@dataclass(frozen=True, slots=True)
class Control:
    """One rule. `proof` says what is looked at; `attack` names the live test that tries to break it, if there is one;
    `demanded_by` are classifications (`field value`) that forbid a tier which does not keep it."""

    id: str
    rule: str
    weight: Weight
    proof: str
    attack: str = ""
    demanded_by: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ("shared", "segmented", "dedicated")

    @property
    def group(self) -> str:
        return self.id.partition("-")[0]


GROUPS: Mapping[str, str] = {
    "NET": "Network", "IAM": "Identity and access", "DATA": "Data", "RUN": "Running", "EDGE": "Edge", "BKP": "Backup and recovery",
    "OBS": "Observation", "SUP": "Supply and exceptions", "RES": "Residency", "CST": "Cost",
}  # fmt: skip

STANDARDS: Mapping[str, str] = {
    "NET": "ISO 27001 A.8.20-22, A.8.24, A.8.31; SOC 2 CC6.1, CC6.6, CC6.7; NIST SC-7, SC-8, AC-4; NIS2 21(2)(e,h); GDPR 32",
    "IAM": "ISO 27001 A.5.3, A.5.15-18, A.8.2-5; SOC 2 CC6.1-6.3; NIST AC-2, AC-3, AC-5, AC-6, IA-5; NIS2 21(2)(i,j); GDPR 25, 32",
    "DATA": "ISO 27001 A.8.3, A.8.10-12; SOC 2 CC6.1, C1.1; NIST AC-3, SC-4, SC-28; GDPR 5(1)(f), 25, 28, 32",
    "RUN": "ISO 27001 A.8.6, A.8.9; SOC 2 CC6.8, A1.1; NIST SC-5, SC-39, CM-6, CM-7; NIS2 21(2)(e)",
    "EDGE": "ISO 27001 A.8.20-22, A.8.24; SOC 2 CC6.1, CC6.6, CC6.7; NIST SC-7, SC-8; NIS2 21(2)(e,h); GDPR 32",
    "BKP": "ISO 27001 A.5.29, A.5.30, A.8.13, A.8.14; SOC 2 A1.2, A1.3; NIST CP-6, CP-9, CP-10; NIS2 21(2)(c); GDPR 32(1)(b,c)",
    "OBS": "ISO 27001 A.8.15, A.8.16, A.5.24-26; SOC 2 CC7.1-7.4; NIST AU-2, AU-6, AU-11, SI-4; NIS2 21(2)(b), 23; GDPR 33",
    "SUP": "ISO 27001 A.5.19-23, A.8.8, A.8.25, A.8.32; SOC 2 CC8.1, CC9.2; NIST CM-3, SR-3, SI-2, SI-7; NIS2 21(2)(d,e)",
    "RES": "ISO 27001 A.5.31, A.5.34; SOC 2 C1.1; NIST SA-9(5), CP-6; GDPR 28, 44-46",
    "CST": "-",
}  # fmt: skip
"""What a group serves, in our judgement; the standards' texts are not quoted here, and an auditor decides."""

_OWN = ("segmented", "dedicated")
_PRIVATE = ("dataSensitivity confidential", "dataSensitivity restricted", "obligations client-confidentiality")
_C = Control

CATALOG: tuple[Control, ...] = (
    _C("NET-01", "Every Pod is isolated in both directions.", "critical",
       "In each namespace a NetworkPolicy selects every Pod, also one that no template makes, for ingress and for egress."),
    _C("NET-02", "No network path leads from one tenant to another.", "critical",
       "All NetworkPolicies of a cluster together, by classes of equal Pods; each end alone must be shut. A breach names both ends, the "
       "ports and the policies that let it through."),
    _C("NET-03", "The environments of a tenant are kept apart like tenants.", "high", "As NET-02, with the instance as the unit."),
    _C("NET-04", "Peers in other namespaces are exactly the declared ones: Traefik, Prometheus, the mail relay.", "high",
       "Each peer must be pinned to one namespace by the name that the API server writes and to Pods by label; what else it would take is told."),
    _C("NET-05", "Names are looked up at the cluster's DNS only.", "medium",
       "Port 53 leads to the Pods of cluster DNS and to the node's own cache, and nowhere else."),
    _C("NET-06", "The internet is reached at declared addresses only, and never instance metadata, nodes, Pods or Services.", "critical",
       "Each egress range lies within the tenant's integrations or the object storage, on their ports."),
    _C("NET-07", "The API server is reached only by Pods that need it.", "high",
       "Its addresses are open to PostgreSQL instances and poolers, which the operator's manager inside of them needs, and to no other Pod."),
    _C("NET-08", "PostgreSQL and Redis are reached only by their own clients.", "critical",
       "Callers and ports at the databases' end, and targets at Odoo's end, are exactly the declared ones."),
    _C("NET-09", "No Pod uses its node's network, processes or ports.", "critical", "Every Pod template of every workload."),
    _C("NET-10", "A Service leads to Pods of one workload of its own namespace.", "high",
       "Selectors, types and addresses of Services; hand-made Endpoints and EndpointSlices are refused.", "traefik"),
    _C("NET-11", "The labels by which policies choose are ours and true.", "critical",
       "Labels of namespaces, Pods and objects equal the promise; no other namespace wears them; nobody may change namespaces.", "rbac"),
    _C("NET-12", "No kind of network policy is in use that this proof does not read.", "high",
       "AdminNetworkPolicy, Cilium's and Calico's kinds are breaches, whatever they say."),
    _C("IAM-01", "Each workload has a ServiceAccount of its own, without a token.", "high",
       "ServiceAccount names and automountServiceAccountToken of Pods and accounts.", "rbac"),
    _C("IAM-02", "No tenant has a role in the whole cluster.", "critical", "Subjects of every ClusterRoleBinding.", "rbac"),
    _C("IAM-03", "Roles of people read, and give no secrets, no shell and no way to more rights.", "critical",
       "Rules of each Role and ClusterRole, followed through bindings; aggregation and built-in roles are refused.", "rbac"),
    _C("IAM-04", "Access groups stay with their tenant.", "critical",
       "Subjects of RoleBindings and roles of Argo CD projects are this tenant's administrators, or support.", "rbac"),
    _C("IAM-05", "An Argo CD project fences one tree of one instance.", "critical",
       "Projects' repositories, destinations and kinds; Applications' project, path, cluster and namespace; the project `default` is empty.", "argo-cd"),
    _C("IAM-06", "A release can't touch policies, rights, secrets or databases.", "high",
       "Kinds that the `app` projects let in.", "argo-cd"),
    _C("IAM-07", "Secrets come from the instance's own path, through its own store and role.", "critical",
       "Stores, roles and remote keys, up to the slash that ends the own path."),
    _C("IAM-08", "No secret value lies in git.", "critical", "Secrets, literals under names of secrets, passwords in addresses, private keys."),
    _C("IAM-09", "A credential has one purpose and one instance.", "critical",
       "Each remote key's users over the whole fleet; a role's password comes from the key of that role's instance."),
    _C("DATA-01", "An instance's database and role are its own.", "critical",
       "Databases, owners and roles on each server are a one-to-one image of its instances.", "postgresql"),
    _C("DATA-02", "pg_hba keeps each role in its own database, with TLS and a password.", "critical",
       "The first matching line for each role, database and kind of connection, with the lines that the operator adds.", "postgresql"),
    _C("DATA-03", "PUBLIC may connect to no database.", "high", "Statements that run at the cluster's start and with each migration.", "postgresql"),
    _C("DATA-04", "Database roles have no power over the server.", "critical", "Attributes and memberships of roles; superuser access.", "postgresql"),
    _C("DATA-05", "Odoo is bound to its own database.", "critical",
       "odoo.conf, arguments, environment and the PgBouncer beside it: one database, verified TLS, no list, no filter.", "postgresql"),
    _C("DATA-06", "A Redis user reaches its own keys and channels with listed commands.", "critical",
       "ACL lines, rule by rule; the default user is off.", "redis"),
    _C("DATA-07", "Volumes are new and the instance's own.", "high", "Claims, templates of claims, volumes of Pods; no foreign source or volume."),
    _C("DATA-08", "Objects in storage lie below the instance's own prefix or bucket.", "critical",
       "Destinations of backups, of dumps and of attachments."),
    _C("DATA-09", "PostgreSQL and Redis serve one tenant only; dedicated tenants have clusters of their own.", "high",
       "Which server each instance's pooler and sessions lead to, and who else is there.", "", _PRIVATE, _OWN),
    _C("RUN-01", "Pods are restricted as Pod Security has it.", "critical", "Namespace labels, security contexts, volumes.", "pod-security"),
    _C("RUN-02", "Pods run on their own node pool; other tiers' Pods can't land there.", "high",
       "Node selectors and tolerations against the cluster's pools and taints.", "rollout", _PRIVATE, _OWN),
    _C("RUN-03", "Quotas, limits and priorities keep neighbours from starving each other.", "high",
       "ResourceQuota, LimitRange, requests and limits of each container, priority classes, and the sum of a cell against its capacity.", "api-server"),
    _C("RUN-04", "Connections fit: from Odoo's processes to the server's slots.", "high",
       "Processes x db_maxconn <= PgBouncer's clients; Pods at the autoscaler's most x pool <= the role's limit; roles <= the server's.", "postgresql"),
    _C("RUN-05", "Nothing blocks itself: updates fit the quota, and nodes can be emptied.", "medium",
       "Workloads at the autoscaler's most, old and new Pods of an update and the hook Jobs against the quota; PodDisruptionBudgets.", "rollout"),
    _C("RUN-06", "Replicas and their spread keep the promised availability.", "medium",
       "Product of the serial parts' availabilities, from replicas and zones, against the contract."),
    _C("RUN-07", "Odoo starts only on a database that was backed up and migrated for its release.", "critical",
       "In each Pod of Odoo a gate waits for the release's marker; the hooks, their order, and the marker that the migration leaves."),
    _C("RUN-08", "A Pod that can't serve gets no requests, and one that only works hard is not restarted.", "high",
       "Readiness looks at pages, bus and session store; liveness outlasts the longest request, and ends what is stuck at once."),
    _C("EDGE-01", "A host leads to its instance, and to no other.", "critical",
       "Each rule, parsed, takes own hosts only; priorities are bounded; what is promised at a host reaches the instance's own Service.", "traefik"),
    _C("EDGE-02", "Routes refer to what is in their own namespace.", "critical",
       "References of routes; Traefik's own switches against foreign namespaces and providers.", "traefik"),
    _C("EDGE-03", "The database manager is closed.", "critical",
       "No path by which Odoo's database service answers, in any spelling, leads to a backend.", "traefik"),
    _C("EDGE-04", "Every way in has its limits; administration and API have their guards.", "high",
       "Each class of paths, by the rule that takes it: rates, body size, sources, firewall, client certificates. Administration: from promised addresses, never from more than an IPv4 /16 or an IPv6 /44.", "traefik"),
    _C("EDGE-05", "TLS with the own certificate, strictly.", "high", "Certificates' names, routes' certificates and options, one option a host.", "traefik"),
    _C("BKP-01", "All state is backed up.", "critical", "Every PostgreSQL cluster archives and has base backups, every namespace has backups of Velero, as often as promised."),
    _C("BKP-02", "A backup holds one instance.", "critical", "Namespaces that schedules include."),
    _C("BKP-03", "Nothing is restored into another tenant.", "critical", "No Restore in the trees; the policy against mappings is shipped."),
    _C("BKP-04", "Backups are encrypted, kept and locked as long as promised.", "high",
       "Retention, encryption, times to live, and the bucket's lock, against the contract.", "", ("obligations nis2", "obligations sector-rules")),
    _C("BKP-05", "What can be lost and how long recovery takes stay within the promise.", "critical",
       "RPO in the region, RPO when it is lost, and RTO, derived from replication, archiving, schedules and declared rates.", "", ("availability critical",)),
    _C("OBS-01", "Metrics and logs stay with the tenant, as long as promised.", "medium",
       "Monitors look into their own namespace; the namespace tells the stores how long to keep."),
    _C("OBS-02", "Missing the promised availability, or a cell's archive that stands still, wakes somebody.", "medium",
       "Alerts on the error budget, in the three burn rates, per production instance; on the time since WAL was archived, per cell."),
    _C("SUP-01", "Only images of known releases run.", "critical", "Each image, by digest, against the channel's release and the platform's images."),
    _C("SUP-02", "The policies are shipped to every cluster and refuse.", "high", "Policies in the platform trees equal those in policies/, with Deny and Fail."),
    _C("SUP-03", "A control is lifted only by an approved exception that ends.", "high",
       "PolicyExceptions equal the files in policies/exceptions/; a file that lifts nothing is told."),
    _C("SUP-04", "No component is below the floor that security fixes set.", "high", "Versions in platform.yaml and images."),
    _C("SUP-05", "Objects are what the tier's templates make of the instance's own values.", "high",
       "Objects of bases, components, cells, delivery and platform, field by field, against their templates; of an instance's other objects, that "
       "they are there. Told where no other proof speaks of the object."),
    _C("RES-01", "An instance runs in its tenant's regions.", "critical", "The cluster in which each of its objects lies.", "", ("obligations data-residency",)),
    _C("RES-02", "Copies stay in the tenant's regions.", "critical",
       "Buckets and endpoints of backups, dumps, attachments, Velero, and the DR site.", "", ("obligations data-residency",)),
    _C("CST-01", "Cost stays inside the tier's envelope.", "medium", "Requests, storage, backups, logs and shared parts x unit prices."),
)  # fmt: skip

BY_ID: Mapping[str, Control] = {control.id: control for control in CATALOG}
CONTROLS: tuple[str, ...] = tuple(BY_ID)


def demanded(classification: Mapping[str, object]) -> dict[str, str]:
    """Control -> the classification that demands it, for a tenant's `classification` as it is written."""
    values = {
        f"{key} {v}"
        for key, value in classification.items()
        for v in (value if isinstance(value, (list, tuple)) else [value])
    }
    return {
        c.id: next(d for d in c.demanded_by if d in values) for c in CATALOG if not values.isdisjoint(c.demanded_by)
    }


ASSUMPTIONS: tuple[str, ...] = (
    "The network plugin enforces NetworkPolicies, in the way that the Kubernetes API describes.",
    "The clusters hold what git holds: no drift, no hand-made rights, node labels and taints as declared.",
    "Rights outside of Kubernetes (cloud accounts, bucket policies and locks, the secret store's roles) are as declared.",
    "Admission runs: the API server, Pod Security and Kyverno refuse what they are told to refuse.",
    "Operators make only the Pods that are modelled here (CloudNativePG: instances, their Jobs, poolers).",
    "SQL that runs at start and with migrations has run, and Odoo modules do with their own database role what they may.",
    "Kernel, hypervisor and hardware keep containers apart; side channels are out of reach of this proof.",
    "Load stays below the limits that were sized for it.",
    "DNS, certificates' issuers and the identity provider answer truthfully.",
    "A secret path holds what it is called.",
    "Declared rates (restore, replay, upload) are those of the last drill.",
    "People act only through what is in git, or through what is logged.",
)
"""What no look at objects can show; printed with every report."""
