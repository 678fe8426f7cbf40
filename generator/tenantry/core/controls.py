"""The control catalog: each promise of isolation, recovery and residency as a rule with an id, and how it is proved.

The source of `docs/reference/controls.md`, `tenantry explain ID`, the reports and the table of mutants.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Weight = Literal["critical", "high", "medium"]


@dataclass(frozen=True, slots=True)
class Control:
    """One rule. `proof` says what is examined; `attack` names the live test that tries to break it, if there is one;
    `demanded_by` are classifications (`field value`) that require it of a tier."""

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
    "NET": "Network", "IAM": "Identity and access", "DATA": "Data", "RUN": "Runtime", "EDGE": "Edge", "BKP": "Backup and recovery",
    "OBS": "Observability", "SUP": "Supply chain and exceptions", "RES": "Residency", "CST": "Cost",
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
"""What a group contributes to, in our judgement; the standards are not quoted here, and an auditor decides."""

_OWN = ("segmented", "dedicated")
_PRIVATE = ("dataSensitivity confidential", "dataSensitivity restricted", "obligations client-confidentiality")
_C = Control

CATALOG: tuple[Control, ...] = (
    _C("NET-01", "Every Pod is isolated in both directions.", "critical",
       "In every namespace a NetworkPolicy selects all Pods, including Pods that no template makes, for ingress and egress."),
    _C("NET-02", "No network path leads from one tenant to another.", "critical",
       "All NetworkPolicies of a cluster together, by classes of equivalent Pods; each end alone must deny the path. A breach names both "
       "ends, the ports and the policies that allow it."),
    _C("NET-03", "A tenant's environments are isolated from each other like tenants.", "high", "As NET-02, with the instance as the unit."),
    _C("NET-04", "Peers in other namespaces are exactly the declared ones: Traefik, Prometheus, the mail relay.", "high",
       "Each peer must be pinned to one namespace by the name label that the API server sets, and to Pods by label; anything else it matches is reported."),
    _C("NET-05", "Only the cluster's DNS resolves names.", "medium",
       "Port 53 reaches the Pods of the cluster DNS and the node-local cache, and nothing else."),
    _C("NET-06", "Egress reaches declared internet addresses only, and never instance metadata, nodes, Pods or Services.", "critical",
       "Each egress range is within the tenant's integrations or the object storage, on their ports."),
    _C("NET-07", "The API server is reached only by Pods that need it.", "high",
       "Its addresses are open to PostgreSQL instances and poolers, whose instance manager needs them, and to no other Pod."),
    _C("NET-08", "PostgreSQL and Redis are reached only by their own clients.", "critical",
       "Clients and ports on the database side, and targets on Odoo's side, are exactly the declared ones."),
    _C("NET-09", "No Pod uses its node's network, processes or ports.", "critical", "Every Pod template of every workload."),
    _C("NET-10", "A Service selects Pods of one workload in its own namespace.", "high",
       "Selectors, types and addresses of Services; manually created Endpoints and EndpointSlices are rejected.", "traefik"),
    _C("NET-11", "The labels that policies select by are correct and can't be forged.", "critical",
       "Labels of namespaces, Pods and objects are as promised; no other namespace carries them; nobody may change namespaces.", "rbac"),
    _C("NET-12", "No kind of network policy is in use that this proof does not understand.", "high",
       "AdminNetworkPolicy and the kinds of Cilium and Calico are breaches, whatever they contain."),
    _C("IAM-01", "Each workload has a ServiceAccount of its own, without a token.", "high",
       "ServiceAccount names and automountServiceAccountToken of Pods and accounts.", "rbac"),
    _C("IAM-02", "No tenant has a cluster-wide role.", "critical", "Subjects of every ClusterRoleBinding.", "rbac"),
    _C("IAM-03", "Roles for people are read-only and grant no secrets, no shell and no privilege escalation.", "critical",
       "Rules of each Role and ClusterRole, followed through bindings; aggregated and built-in roles are rejected.", "rbac"),
    _C("IAM-04", "Access groups stay with their tenant.", "critical",
       "Subjects of RoleBindings and roles of Argo CD projects are this tenant's administrators, or support.", "rbac"),
    _C("IAM-05", "An Argo CD project is confined to one tree of one instance.", "critical",
       "Projects' repositories, destinations and kinds; Applications' project, path, cluster and namespace; the project `default` is empty.", "argo-cd"),
    _C("IAM-06", "A release can't change policies, permissions, secrets or databases.", "high",
       "Kinds that the `app` projects permit.", "argo-cd"),
    _C("IAM-07", "Secrets come from the instance's own path, through its own store and role.", "critical",
       "Stores, roles and remote keys, up to the slash that ends the instance's path."),
    _C("IAM-08", "No secret value is in git.", "critical", "Secrets, literals under names that suggest a secret, passwords in URLs, private keys."),
    _C("IAM-09", "A credential has one purpose and one instance.", "critical",
       "Each remote key's users over the whole fleet; a role's password comes from the key of that role's instance."),
    _C("IAM-10", "Who uses a credential or a certificate follows when it is replaced.", "high",
       "Every use of a Secret that the trees have made, in Pods and in fields of operators: it is watched, read again, or called by a generation that changes the Pods. "
       "Redis accepts each generation that Pods may have; a value with several readers is read by all when somebody asks for it; while the internal authority is replaced, Odoo's Pods trust both.", "redis"),
    _C("DATA-01", "An instance's database and role are its own.", "critical",
       "Databases, owners and roles on each server match its instances one to one.", "postgresql"),
    _C("DATA-02", "pg_hba keeps each role in its own database, with TLS and a password.", "critical",
       "The first matching line for each role, database and kind of connection, including the lines that the operator adds.", "postgresql"),
    _C("DATA-03", "PUBLIC can't connect to any database.", "high", "Statements that run when the cluster is created and with each migration.", "postgresql"),
    _C("DATA-04", "Database roles have no privileges on the server.", "critical", "Attributes and memberships of roles; superuser access.", "postgresql"),
    _C("DATA-05", "Odoo is bound to its own database.", "critical",
       "odoo.conf, arguments, environment and the PgBouncer sidecar: one database, verified TLS, no database list, no filter.", "postgresql"),
    _C("DATA-06", "A Redis user can only run listed commands on its own keys and channels.", "critical",
       "ACL lines, rule by rule; the default user is off.", "redis"),
    _C("DATA-07", "Volumes are newly provisioned and belong to the instance.", "high", "Claims, claim templates and Pod volumes; no data source or volume from elsewhere."),
    _C("DATA-08", "Objects in storage are below the instance's own prefix or bucket.", "critical",
       "Destinations of backups, of dumps and of attachments."),
    _C("DATA-09", "PostgreSQL and Redis serve one tenant only; dedicated tenants have their own clusters.", "high",
       "Which server each instance's pooler and sessions use, and who else uses it.", "", _PRIVATE, _OWN),
    _C("RUN-01", "Pods meet the restricted Pod Security Standard.", "critical", "Namespace labels, security contexts, volumes.", "pod-security"),
    _C("RUN-02", "Pods run on their tier's node pool; Pods of other tiers can't be scheduled there.", "high",
       "Node selectors and tolerations against the cluster's pools and taints.", "rollout", _PRIVATE, _OWN),
    _C("RUN-03", "Quotas, limits and priorities prevent tenants from starving each other.", "high",
       "ResourceQuota, LimitRange, requests and limits of each container, priority classes, and a cell's total against its capacity.", "api-server"),
    _C("RUN-04", "Connection limits add up, from Odoo's processes to the server's max_connections.", "high",
       "Processes x db_maxconn <= PgBouncer's clients; the autoscaler's maximum of Pods x pool <= the role's limit; roles <= the server's limit.", "postgresql"),
    _C("RUN-05", "No deadlocks: updates fit the quota, and nodes can be drained.", "medium",
       "Workloads at the autoscaler's maximum, old and new Pods of an update and the hook Jobs against the quota; PodDisruptionBudgets.", "rollout"),
    _C("RUN-06", "Replicas and their spread over zones meet the promised availability.", "medium",
       "The product of the availabilities of serial components, from replicas and zones, against the contract."),
    _C("RUN-07", "Odoo starts only on a database that was backed up and migrated for its release.", "critical",
       "In each Odoo Pod a gate waits for the release's marker; the hooks, their order, and the marker that the migration leaves."),
    _C("RUN-08", "A Pod that can't serve gets no requests, and a busy one is not restarted.", "high",
       "Readiness checks pages, bus and session store; liveness outlasts the longest request, and a stuck Pod is terminated at once."),
    _C("RUN-09", "A process that leaves its container is nobody on the node, and no other tenant.", "medium",
       "`hostUsers: false` on Odoo and Redis where the tier asks for user namespaces and the cluster has them, and nowhere else: an old runtime ignores it "
       "silently. PostgreSQL's Pods are the operator's, which has no such field."),
    _C("EDGE-01", "A host routes to its instance, and to no other.", "critical",
       "Each parsed rule matches the instance's hosts only; priorities are bounded; what is promised at a host reaches the instance's own Service.", "traefik"),
    _C("EDGE-02", "Routes only reference objects in their own namespace.", "critical",
       "References of routes; Traefik's own options against other namespaces and providers.", "traefik"),
    _C("EDGE-03", "The database manager is unreachable.", "critical",
       "No path of Odoo's database manager, in any spelling, reaches a backend.", "traefik"),
    _C("EDGE-04", "Every entry point has its limits; administration and API are protected.", "high",
       "Each class of paths, by the rule that matches it: rates, body size, sources, firewall, client certificates. Administration only from promised addresses, never from more than an IPv4 /16 or an IPv6 /44.", "traefik"),
    _C("EDGE-05", "TLS is strict and uses the instance's own certificate.", "high", "Names in certificates, the issuer's solver for each host, certificates and options of routes, one option per host.", "traefik"),
    _C("BKP-01", "All state is backed up.", "critical", "Every PostgreSQL cluster archives WAL and has base backups, every namespace has Velero backups, as often as promised."),
    _C("BKP-02", "A backup contains one instance.", "critical", "Namespaces that schedules include."),
    _C("BKP-03", "Nothing is restored into another tenant.", "critical", "No Restore in the trees; the policy against namespace mappings is deployed."),
    _C("BKP-04", "Backups are encrypted, kept and locked as long as promised.", "high",
       "Retention, encryption, TTLs, the bucket's object lock and the time for which deleted attachments are kept, against the contract.", "", ("obligations nis2", "obligations sector-rules")),
    _C("BKP-05", "Data loss and recovery time stay within the promise.", "critical",
       "RPO within the region, RPO when the region is lost, and RTO, derived from replication, archiving, schedules and declared rates.", "", ("availability critical",)),
    _C("BKP-06", "A server that is recovered goes on in an archive of its own.", "critical",
       "Each recovery's source is an ObjectStore beside it, of the same PostgreSQL major, and not what it writes to; it ends at the moment that the "
       "inputs say; no two servers write to one archive."),
    _C("BKP-07", "Backups are restored for practice as often as promised, and somebody hears when they are not.", "high",
       "Each promised drill: its schedule, its deadline (the RTO), its steps, that it reads the archive of the server that serves and expects all "
       "databases on it, that its only credential reads the object store, and the alert on its age. What it reaches is proved by NET-02, NET-06 and NET-08.",
       "", ("availability critical",)),
    _C("BKP-08", "Of an instance's two places, one writes.", "critical",
       "At both places together at most one PostgreSQL server neither follows nor is fenced, at the place that the inputs say; while a failover waits for its "
       "token, none. Odoo's Pods and routes are there alone, and what was lost while it served stays fenced."),
    _C("OBS-01", "Metrics and logs stay with the tenant and are kept as long as promised.", "medium",
       "Monitors select their own namespace only; the namespace carries the retention for the stores."),
    _C("OBS-02", "Before the promised availability or a promise of a database is missed, an alert is sent.", "medium",
       "Alerts on the error budget at three burn rates per production instance; of every PostgreSQL server: none answers, also when all Pods are gone, "
       "volumes, lag, connections, transaction IDs, base backups, and a WAL archive that stops or never worked, before the RPO is missed. Of every instance and cell: failing and slow requests at the edge, "
       "certificates, secrets that are not read, delivery, quotas, Velero's backups, each read from the component that tells it; of every component, that it tells nothing."),
    _C("OBS-03", "Each alert reaches who answers for it, in the hours that the tier is sold with.", "medium",
       "The labels of every alert, and the route that Alertmanager takes for it over all AlertmanagerConfigs: promised receivers only, somebody at any minute of the week, somebody who "
       "wakes up within the hours of support; only symptoms are silent in maintenance windows, and while the edge, their cell or their own database is down."),
    _C("SUP-01", "Only images of known releases run.", "critical", "Each image, by digest, against the channel's release and the platform's images."),
    _C("SUP-02", "The policies are deployed to every cluster and enforced.", "high", "Policies in the platform trees equal those in policies/, with Deny and Fail."),
    _C("SUP-03", "A control is lifted only by an approved exception with an end date.", "high",
       "PolicyExceptions equal the files in policies/exceptions/; an unused file is reported."),
    _C("SUP-04", "No component is older than the version with its last security fix.", "high", "Versions in platform.yaml and images."),
    _C("SUP-05", "Objects are what the tier's templates render from the instance's own values.", "high",
       "Objects of bases, components, cells, delivery and platform, field by field, against their templates; of an instance's other objects, that "
       "they exist. Reported where no other proof covers the object."),
    _C("SUP-06", "Argo CD applies what was reviewed, in an order that it can see.", "high",
       "Argo CD's settings in each cluster: the health of every kind that a later sync wave waits for is known, no kind of the trees is excluded, no "
       "file in a tree starts a tool, one cluster and one repository are registered; and no tree names what an autoscaler sets, so nothing is OutOfSync for ever."),
    _C("SUP-07", "Platform components are what policies and proofs rely on.", "high",
       "Each Application of a Helm chart: repository, chart, exact version, namespace and values - accounts that policies let pass, replicas of "
       "webhooks, what each operator watches, Traefik's configuration, ports and Services. A component that others install is an assumption."),
    _C("RES-01", "An instance runs in its tenant's regions.", "critical", "The cluster of each of its objects.", "", ("obligations data-residency",)),
    _C("RES-02", "Copies stay in the tenant's regions.", "critical",
       "Buckets and endpoints of backups, dumps, attachments, Velero, and the DR site.", "", ("obligations data-residency",)),
    _C("CST-01", "Cost stays within the tier's envelope.", "medium", "Requests, storage, backups, logs and shares of common components x unit prices."),
)  # fmt: skip

CONTROLS_BY_ID: Mapping[str, Control] = {control.id: control for control in CATALOG}
CONTROLS: tuple[str, ...] = tuple(CONTROLS_BY_ID)


def demanded(classification: Mapping[str, object]) -> dict[str, str]:
    """Control -> the classification that requires it, for a tenant's `classification` as written in its file."""
    values = {
        f"{key} {v}"
        for key, value in classification.items()
        for v in (value if isinstance(value, (list, tuple)) else [value])
    }
    return {
        c.id: next(d for d in c.demanded_by if d in values) for c in CATALOG if not values.isdisjoint(c.demanded_by)
    }


ASSUMPTIONS: tuple[str, ...] = (
    "The network plugin enforces NetworkPolicies, as the Kubernetes API specifies.",
    "The clusters match git: no drift, no manually granted permissions, node labels and taints as declared.",
    "Permissions outside Kubernetes (cloud accounts, bucket policies and locks, the secret store's roles) are as declared.",
    "Admission control works: the API server, Pod Security and Kyverno reject what they are configured to reject.",
    "A Helm chart makes what its values say, at its version; a component that others install is as the bootstrap page wants it.",
    "Operators create only the Pods that are modelled here (CloudNativePG: instances, their Jobs, poolers).",
    "SQL for cluster creation and migrations has run, and Odoo modules use only the privileges of their own database role.",
    "Kernel, hypervisor and hardware isolate containers; side channels are out of scope.",
    "Load stays within what was sized for it.",
    "DNS, certificate issuers and the identity provider are trustworthy.",
    "A secret path holds the secret that its name says.",
    "Declared rates (restore, replay, upload) are those measured in the last drill.",
    "People act only through git, or through channels that are logged.",
)
"""What objects can't show; printed with every report."""
