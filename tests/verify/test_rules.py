"""Every rule of `verify` is proven by a mutant: one change to one rendered object gives exactly that code, there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conftest import REPOSITORY
from mutation import GONE, changed_at
from tenantry.core.codes import CODES_BY_ID
from tenantry.core.manifest import Manifest
from tenantry.engine.kustomize import Engine
from tenantry.verify.folder import read_folder
from tenantry.verify.incremental import ClusterFacts, GroupJudge
from tenantry.verify.index import Index
from tenantry.verify.judge import judge, no_blame

RENDERED = REPOSITORY / "rendered"
CLUSTER = "use1-globex"
PARTS = ("production", "platform/common", "platform/globex-us-production", "cells")
STORAGE_CLASSES = frozenset({"fast-encrypted", "standard-encrypted"})


@dataclass(frozen=True)
class Mutant:
    """`file` begins the name of exactly one file; `to` is the new value, or GONE."""

    code: str
    file: str
    path: str
    to: Any
    told: str

    def __str__(self) -> str:
        return f"{self.code} {self.file} {self.path}"


POD = "spec.template.spec"
WEB = "deployment.apps_globex-us-production_odoo-web."
DB = "cluster.postgresql"
BACKUP = "scheduledbackup"
ROUTE = "ingressroute.traefik.io_globex-us-production_odoo-public."
TLS = "tlsoption.traefik.io_globex-us-production_api"
ADMIN = "middleware.traefik.io_globex-us-production_admin-sources"
PROJECT = "appproject.argoproj.io_argocd_globex-us-production-app"
APPLICATION = "application.argoproj.io_argocd_globex-us-production-app"
CERTIFICATE = "certificate.cert-manager.io_globex-us-production_odoo-tls."
SECRET = "externalsecret.external-secrets.io_globex-us-production_database-user"
POLICY = "networkpolicy.networking.k8s.io_globex-us-production_odoo-database"
OPEN = "networkpolicy.networking.k8s.io_globex-us-production_odoo-egress"
AUTOSCALER = "horizontalpodautoscaler"
SCHEDULE = "schedule.velero.io_velero_globex-us-production."
ROLE = "role.rbac"
BINDING = "rolebinding.rbac.authorization.k8s.io_globex-us-production_tenant-admin"
SERVICE = "service_globex-us-production_odoo-web."
QUOTA = "resourcequota"
CONFIG = "configmap_globex-us-production_odoo-config"
JOB = "job.batch_globex-us-production_odoo-migration"
BUDGET = "poddisruptionbudget.policy_globex-us-production_odoo-web."
STATEFUL = "statefulset"
MONITOR = "podmonitor.monitoring.coreos.com_globex-us-production_odoo"
POOLER = "pooler"
READER = "serviceaccount_globex-us-production_secret-reader"
STORE = "secretstore"

MUTANTS = (
    # kinds and versions
    Mutant("V010", WEB, "kind", "Deploymend", "unknown"),
    Mutant("V010", ROUTE, "apiVersion", "traefik.example/v1", "could not be checked"),
    Mutant("V011", AUTOSCALER, "apiVersion", "autoscaling/v2beta2", "not served by Kubernetes 1.34"),
    Mutant("V011", SECRET, "apiVersion", "external-secrets.io/v1beta1", "is not served"),
    # schemas
    Mutant("V020", WEB, f"{POD}.containers[0].imagePullPolcy", "Always", "unknown field 'imagePullPolcy'"),
    Mutant("V020", DB, "spec.storage.sise", "1Gi", "unknown field 'sise'"),
    Mutant("V020", ROUTE, "spec.routes[0].middleware", [], "unknown field 'middleware'"),
    Mutant("V021", WEB, "spec.minReadySeconds", "3", "wrong type"),
    Mutant("V021", WEB, "spec.strategy.type", "Rolling", "RollingUpdate"),
    Mutant("V021", WEB, f"{POD}.containers[0].ports[0].protocol", "HTTP", "TCP"),
    Mutant("V030", WEB, f"{POD}.priorityClassName", "Gold Class", "'Gold Class' can't be the name of an object"),
    Mutant("V065", READER, "metadata.annotations", GONE, "needs ServiceAccount 'secret-reader', which comes later: wave 0 after -5"),
    Mutant("V065", DB, "metadata.annotations[argocd.argoproj.io/sync-wave]", "1", "needs Cluster 'postgresql'"),
    Mutant("V065", SECRET, "metadata.annotations[argocd.argoproj.io/sync-wave]", "2", "needs ExternalSecret 'database-user'"),
    Mutant("V065", STORE, "metadata.annotations", GONE, "needs SecretStore 'openbao'"),
    Mutant("V065", PROJECT, "metadata.annotations", {"argocd.argoproj.io/sync-wave": "4"}, "not before it"),
    Mutant("V021", POLICY, "spec.policyTypes[0]", "Inbound", "Ingress"),
    Mutant("V021", WEB, f"{POD}.containers[0].readinessProbe.exec.command", "x", "wrong type"),
    Mutant("V021", SERVICE, "spec.type", 5, "wrong type"),
    Mutant("V021", DB, "spec.instances", 0, "greater than or equal to 1"),
    Mutant("V021", DB, "spec.primaryUpdateStrategy", "sometimes", "supported values"),
    Mutant("V021", SCHEDULE, "spec.schedule", GONE, "Required"),
    Mutant("V022", "database.postgresql", "spec.name", "postgres", "reserved"),
    Mutant("V023", BACKUP, "spec.schedule", "30 2 * * *", "expected"),
    Mutant("V023", SCHEDULE, "spec.schedule", "99 2 * * *", "above maximum"),
    Mutant("V023", ROUTE, "spec.routes[0].match", "Host(`a`, `b`)", "takes 1 value"),
    Mutant("V023", ROUTE, "spec.routes[0].match", "Host(`a`) &&", "no rule"),
    Mutant("V023", ROUTE, "spec.routes[0].match", "PathPrefix(`web`)", "does not start with a '/'"),
    Mutant("V023", PROJECT, "spec.syncWindows[0].schedule", "often", "fields"),
    # names, sizes, quantities
    Mutant("V030", WEB, "metadata.labels.purpose", "to be fast", "no label value"),
    Mutant("V030", CONFIG, "data.a/b", "x", "is no key"),
    Mutant("V030", SERVICE, "metadata.annotations.-x", "y", "no annotation key"),
    Mutant("V030", "configmap_globex-us-production_redis", "data.a b", "x", "is no key"),
    Mutant("V031", "priorityclass.scheduling.k8s.io_tenantry-production", "metadata.namespace", "x", "cluster-wide"),
    Mutant("V031", SERVICE, "metadata.namespace", GONE, "no namespace, while its neighbours"),
    Mutant("V032", CONFIG, "data.large", "x" * (1 << 20), "at most 1048576"),
    Mutant("V033", WEB, f"{POD}.containers[0].resources.requests.memory", "1Gig", "no quantity"),
    Mutant("V033", WEB, f"{POD}.containers[0].resources.requests.memory", "900Gi", "over the limit"),
    Mutant("V033", QUOTA, "spec.hard.pods", "many", "no quantity"),
    # credentials
    Mutant("V034", APPLICATION, "spec.source.repoURL", "https://glpat-1@git.provider.example/x", "user information"),
    Mutant("V034", "secretstore", "spec.provider.vault.server", "https://root:x@openbao.example", "user information"),
    Mutant("V034", WEB, f"{POD}.containers[0].env[0]", {"name": "DB", "value": "redis://:x@redis"}, "user information"),
    # operators
    Mutant("V040", DB, "spec.postgresql.parameters.port", "5433", "the operator owns"),
    Mutant("V040", DB, "spec.postgresql.parameters.shared_buffers", "99GB", "over the memory request"),
    Mutant("V040", DB, "spec.postgresql.synchronous.number", 3, "3 synchronous standbys"),
    Mutant("V040", DB, "spec.bootstrap.initdb.postInitSQL[0]", "SELECT 1", "the role 'streaming_replica' does not exist yet"),
    Mutant(
        "V040", DB, "spec.bootstrap.initdb.postInitApplicationSQL", ["GRANT pg_monitor TO cnpg_metrics_exporter"],
        "the role 'cnpg_metrics_exporter' does not exist yet",
    ),
    Mutant("V040", DB, "spec.managed.roles[0].name", "pg_tenants", "PostgreSQL's or the operator's"),
    Mutant("V040", POOLER, "spec.pgbouncer.parameters.listen_port", "1", "may not be set here"),
    Mutant("V041", PROJECT, "spec.syncWindows[0].timeZone", "Europe/Atlantis", "no time zone"),
    Mutant("V041", SCHEDULE, "spec.schedule", "0 0 31 2 *", "it never runs"),
    Mutant("V041", BACKUP, "spec.schedule", "0 0 0 30 2 *", "it never runs"),
    Mutant("V041", PROJECT, "spec.syncWindows[0].schedule", "0 22 31 4,6,9,11 *", "it never runs"),
    Mutant("V023", SCHEDULE, "spec.schedule", "CRON_TZ=UTC", "nothing follows the time zone"),
    Mutant("V023", ROUTE, "spec.routes[0].match", "Header(`a`, ``)", "has an empty value"),
    Mutant("V042", ROUTE, "spec.routes[0].services[0].weight", -1, "negative"),
    Mutant("V043", ADMIN, "spec.compress", {}, "exactly one type, not 2"),
    Mutant("V043", ADMIN, "spec.ipAllowList.sourceRange", ["198.51.100.0/99"], "neither an address nor a range"),
    Mutant("V043", TLS, "spec.minVersion", "TLS1.2", "none of VersionTLS10"),
    Mutant("V044", PROJECT, "spec.syncWindows[0].duration", "4 hours", "no duration"),
    Mutant("V044", APPLICATION, "spec.destination.server", "https://x", "exclude each other"),
    Mutant("V046", CERTIFICATE, "spec.duration", "30m", "at least 1h"),
    Mutant("V046", CERTIFICATE, "spec.renewBefore", "99999h", "not below the duration"),
    Mutant("V046", CERTIFICATE, "spec.dnsNames", GONE, "needs dnsNames"),
    Mutant("V047", AUTOSCALER, "spec.maxReplicas", 1, "below minReplicas"),
    Mutant("V048", SECRET, "spec.refreshInterval", "daily", "no duration"),
    Mutant("V048", SECRET, "spec.data[0].secretKey", "passphrase", "uses .password, which no entry of data gives"),
    Mutant("V049", SCHEDULE, "spec.template.ttl", "30 days", "no duration"),
    # what the API server checks beyond schemas
    Mutant("V050", WEB, "spec.selector.matchLabels.tier", "x", "does not select the Pods of its own template"),
    Mutant("V050", WEB, f"{POD}.restartPolicy", "Never", "must be Always"),
    Mutant("V050", JOB, f"{POD}.restartPolicy", "Always", "OnFailure or Never"),
    Mutant("V050", WEB, f"{POD}.containers[0].livenessProbe.tcpSocket", {"port": 1}, "exactly one of"),
    Mutant("V050", SERVICE, "spec.ports[0].port", 99999, "is no port"),
    Mutant("V050", OPEN, "spec.policyTypes", ["Ingress"], "policyTypes does not name Egress"),
    Mutant("V050", BUDGET, "spec.minAvailable", 1, "exclude each other"),
    Mutant("V050", ROLE, "rules[0].verbs", [], "needs verbs"),
    Mutant("V050", BINDING, "subjects[0].kind", "Team", "none of ServiceAccount"),
    Mutant("V050", "priorityclass.scheduling.k8s.io_tenantry-production", "value", 2_000_000_000, "over 1000000000"),
    # references
    Mutant("V060", WEB, f"{POD}.serviceAccountName", "odoo-wbe", "no ServiceAccount 'odoo-wbe'"),
    Mutant("V060", WEB, f"{POD}.priorityClassName", "fast", "no PriorityClass 'fast'"),
    Mutant("V060", "serviceaccount_globex-us-production_odoo-web.", "imagePullSecrets[0].name", "regcred", "no Secret 'regcred'"),
    Mutant("V060", WEB, f"{POD}.containers[0].volumeMounts[0].name", "nothing", "no volume 'nothing'"),
    Mutant("V060", ROUTE, "spec.routes[0].middlewares[0].name", "gone", "no Middleware 'gone'"),
    Mutant("V060", ROUTE, "spec.routes[0].services[0].name", "odoo", "no Service 'odoo'"),
    Mutant("V060", ROUTE, "spec.tls.secretName", "tls", "no Secret 'tls'"),
    Mutant("V060", "ingressroute.traefik.io_globex-us-production_odoo-api", "spec.tls.options.name", "x", "no TLSOption 'x'"),
    Mutant("V060", BACKUP, "spec.cluster.name", "postgres", "no Cluster 'postgres'"),
    Mutant("V060", "database.postgresql", "spec.cluster.name", "pg", "no Cluster 'pg'"),
    Mutant("V060", DB, "spec.storage.storageClass", "slow", "no StorageClass 'slow'"),
    # admission, drains, owners, backups, guards
    Mutant("V044", APPLICATION, "spec.syncPolicy.syncOptions[0]", "ServerSideAply=true", "none of Argo CD's options"),
    Mutant("V041", BACKUP, "spec.schedule", "0 3 * * * *", "runs every hour, 3 minutes past"),
    Mutant("V052", WEB, f"{POD}.containers[0].securityContext.allowPrivilegeEscalation", True, "refuses"),
    Mutant("V053", WEB, "spec.replicas", 3, "each sync sets them back to 3"),
    Mutant("V054", CERTIFICATE, "spec.secretName", "odoo-api-tls", "writes the Secret 'odoo-api-tls' too"),
    Mutant("V056", BACKUP, "spec.pluginConfiguration.name", "x", "has no plugin 'x', so every backup fails"),
    Mutant("V056", SCHEDULE, "spec.useOwnerReferencesInBackup", True, "owns its Backups"),
    Mutant("V057", ROUTE, "spec.tls.options", {"name": "default"}, "can't be referred to"),
    Mutant("V058", STATEFUL, "spec.updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"partition": 9}}, "reaches none"),
    Mutant("V058", ROLE, "rules[0]", {"apiGroups": ["apps"], "resources": ["pods"], "verbs": ["get"]}, "nothing is granted"),
    Mutant("V059", CONFIG, "data[options.conf]", "[options]\ndb_name = a\nworkers = four\n", "workers is a whole number"),
    Mutant("V060", DB, "spec.plugins[0].parameters.barmanObjectName", "x", "no ObjectStore 'x'"),
    Mutant("V060", DB, "spec.bootstrap.initdb.secret.name", "x", "no Secret 'x'"),
    Mutant("V060", DB, "spec.imageCatalogRef.name", "x", "no ClusterImageCatalog 'x'"),
    Mutant("V060", CERTIFICATE, "spec.issuerRef.name", "public", "no ClusterIssuer 'public'"),
    Mutant("V060", SECRET, "spec.secretStoreRef.name", "vault", "no SecretStore 'vault'"),
    Mutant("V060", BINDING, "roleRef.name", "admins", "no Role 'admins'"),
    Mutant("V060", AUTOSCALER, "spec.scaleTargetRef.name", "odoo", "no Deployment 'odoo'"),
    Mutant("V060", APPLICATION, "spec.project", "p", "no AppProject 'p'"),
    Mutant("V060", SCHEDULE, "spec.template.storageLocation", "x", "no BackupStorageLocation 'x'"),
    Mutant("V060", SCHEDULE, "spec.template.includedNamespaces", ["globex"], "nothing would be saved"),
    Mutant("V060", STATEFUL, "spec.serviceName", "x", "no Service 'x'"),
    Mutant("V061", DB, "spec.imageCatalogRef.major", 12, "no image of PostgreSQL 12"),
    Mutant("V061", "objectstore", "spec.configuration.s3Credentials.accessKeyId.key", "x", "has no key 'x'"),
    Mutant("V062", SERVICE, "spec.ports[0].targetPort", "web", "no selected Pod has a port 'web'"),
    Mutant("V062", ROUTE, "spec.routes[0].services[0].port", "web", "no port 'web'"),
    Mutant("V062", MONITOR, "spec.podMetricsEndpoints[0].port", "metrix", "has a port 'metrix'"),
    Mutant("V063", BUDGET, "spec.selector.matchLabels.x", "y", "takes no Pod"),
    Mutant("V063", POLICY, "spec.podSelector.matchLabels.x", "y", "takes no Pod"),
    Mutant("V064", PROJECT, "spec.sourceRepos", ["https://other.example"], "does not allow the repository"),
    Mutant("V064", APPLICATION, "spec.source.path", "rendered/use1-globex/production/globex", "holds no object"),
    Mutant("V066", CONFIG, "metadata.name", "odoo-config-2", ""),
)  # fmt: skip


@pytest.fixture(scope="module")
def manifests(engine_program: Path) -> list[Manifest]:
    with Engine(engine_program) as engine:
        return [m for part in PARTS for m in read_folder(engine, RENDERED, f"{CLUSTER}/{part}").manifests]


def mutated(manifest: Manifest, mutant: Mutant) -> dict[str, Any]:
    return changed_at(manifest.value, mutant.path, mutant.to)


def test_the_untouched_cluster_has_no_finding(manifests: list[Manifest]) -> None:
    assert list(judge(index_of(manifests), "1.34")) == []


def index_of(manifests: list[Manifest]) -> Index:
    return Index(manifests, storage_classes=STORAGE_CLASSES)


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_mutant_gives_its_code_at_its_object(mutant: Mutant, manifests: list[Manifest], parser: Engine) -> None:
    (place,) = [i for i, m in enumerate(manifests) if Path(m.file).name.startswith(mutant.file)]
    original = manifests[place]
    changed, problems = parser.parsed(parser.parse(json.dumps(mutated(original, mutant))), original.file)
    assert (len(changed), problems) == (1, [])
    found = list(judge(index_of([*manifests[:place], *changed, *manifests[place + 1 :]]), "1.34"))
    told = {(problem.code, manifest.identity.name) for manifest, problem in found}
    assert mutant.code in {code for code, _ in told}, found
    assert any(mutant.told in problem.message for _, problem in found), found


NEEDS_ALL = ("holds no object", "no image of PostgreSQL")
GROUP_ALONE = [m for m in MUTANTS if not m.told.startswith(NEEDS_ALL)]
"""In `check` a name answers for another group's object, so what lies in that object only `verify` sees."""


@pytest.mark.parametrize("mutant", GROUP_ALONE, ids=str)
def test_check_refuses_it_in_its_group_too(mutant: Mutant, manifests: list[Manifest], parser: Engine) -> None:
    (original,) = [m for m in manifests if Path(m.file).name.startswith(mutant.file)]
    group = [
        m for m in manifests if ("/common/" in m.file) == ("/common/" in original.file) and "/cells/" not in m.file
    ]
    changed, _ = parser.parsed(parser.parse(json.dumps(mutated(original, mutant))), original.file)
    there = {m.identity for m in manifests}
    judge_ = GroupJudge({CLUSTER: ClusterFacts("1.34", STORAGE_CLASSES)}, no_blame)
    judge_.judge(CLUSTER, "g", [m for m in group if m is not original] + changed, lambda _: "")
    found = judge_.answer(lambda _, identity: identity in there, lambda _: "")
    assert mutant.code in {finding.code for finding in found.get("g", [])}, found


def test_an_untouched_group_has_no_finding(manifests: list[Manifest]) -> None:
    there = {m.identity for m in manifests}
    judge_ = GroupJudge({CLUSTER: ClusterFacts("1.34", STORAGE_CLASSES)}, no_blame)
    for common in (True, False):
        group = [m for m in manifests if ("/common/" in m.file) == common and "/cells/" not in m.file]
        judge_.judge(CLUSTER, "g", group, lambda _: "")
    assert judge_.answer(lambda _, identity: identity in there, lambda _: "") == {}


def test_every_code_for_objects_is_proven() -> None:
    elsewhere = {"V001", "V002", "V003", "V004", "V012", "V014", "V045", "V067"}  # tests/verify/test_judge.py
    elsewhere |= {"V024", "V075"}  # tests/verify/test_folder.py
    elsewhere |= {"V055", "V076", "V077", "V078", "V090"}  # tests/verify/cases
    elsewhere |= {"V070", "V071", "V072", "V073", "V074"}  # tests/prove/test_policies.py, tests/prove/test_proofs.py
    assert {mutant.code for mutant in MUTANTS} | elsewhere == {
        code.id for code in CODES_BY_ID.values() if code.id.startswith("V")
    }
