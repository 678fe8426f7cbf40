"""Who may do what: every subject of the fleet, asked of the real authorizer, against what the service promises.

The promise stands here in plain words and is not read from the rendered Roles.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from acceptance.harness import fleet
from acceptance.harness.api import Api
from acceptance.harness.cluster import holding
from acceptance.harness.control_plane import ControlPlane, ControlPlanes
from acceptance.harness.process import NotReadyError, wait_for
from acceptance.harness.tally import Tally

RBAC = {"Namespace", "ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"}
READ = frozenset({"get", "list", "watch"})
TENANT_READS = {
    "": {"pods", "pods/log", "services", "events", "configmaps", "resourcequotas"},
    "apps": {"deployments", "replicasets"},
    "autoscaling": {"horizontalpodautoscalers"},
    "batch": {"jobs"},
    "traefik.io": {"ingressroutes"},
}
"""A tenant's own administrators watch their own namespaces, and change nothing."""
SUPPORT_READS = {
    "": TENANT_READS[""] | {"endpoints", "persistentvolumeclaims", "limitranges"},
    "apps": TENANT_READS["apps"] | {"statefulsets"},
    "autoscaling": TENANT_READS["autoscaling"],
    "batch": TENANT_READS["batch"],
    "cert-manager.io": {"certificates"},
    "external-secrets.io": {"externalsecrets", "secretstores"},
    "networking.k8s.io": {"networkpolicies"},
    "policy": {"poddisruptionbudgets"},
    "postgresql.cnpg.io": {"backups", "clusters", "databases", "databaseroles", "poolers", "scheduledbackups"},
    "traefik.io": {"ingressroutes", "middlewares", "tlsoptions"},
}
"""The provider's support reads every instance, moves a stuck Pod, and sees no Secret."""
ANYONE = {
    ("authorization.k8s.io", "selfsubjectaccessreviews", "create"),
    ("authorization.k8s.io", "selfsubjectrulesreviews", "create"),
    ("authentication.k8s.io", "selfsubjectreviews", "create"),
}
"""Kubernetes lets every user ask about himself."""
ACCOUNTS = {("certificates.k8s.io", "clustertrustbundles", verb) for verb in READ}
"""Kubernetes lets every ServiceAccount read the cluster's public CA certificates."""
EXTRA_VERBS = {"": ("impersonate",), "rbac.authorization.k8s.io": ("bind", "escalate")}


@dataclass(frozen=True)
class Subject:
    """A user with groups, and the namespaces in which he may read what."""

    user: str
    groups: tuple[str, ...]
    home: frozenset[str]
    reads: dict[str, set[str]]
    evicts: bool = False

    def may(self, namespace: str, group: str, resource: str, verb: str) -> bool:
        operation = (group, resource, verb)
        if operation in ANYONE or (operation in ACCOUNTS and "system:serviceaccounts" in self.groups):
            return True
        if namespace not in self.home:
            return False
        if self.evicts and operation == ("", "pods/eviction", "create"):
            return True
        return verb in READ and resource in self.reads.get(group, ())


def subjects(cluster: str) -> Iterator[Subject]:
    """Administrators of each tenant, the provider's support, each ServiceAccount, and a stranger."""
    everyone = ("system:authenticated",)
    homes = {tenant["metadata"]["name"]: home_of(tenant, cluster) for tenant in fleet.inputs("tenants")}
    for tenant in fleet.inputs("tenants"):
        name, groups = tenant["metadata"]["name"], tenant["spec"].get("access", {}).get("adminGroups", ())
        for group in groups if homes[name] else ():
            yield Subject(f"somebody@{name}", (group, *everyone), homes[name], TENANT_READS)
    yield Subject(
        "support", ("provider-support", *everyone), frozenset().union(*homes.values()), SUPPORT_READS, evicts=True
    )
    yield Subject("stranger", everyone, frozenset(), {})
    for account in fleet.every("ServiceAccount", cluster=cluster):
        user = f"system:serviceaccount:{account.namespace}:{account.name}"
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{account.namespace}", *everyone)
        yield Subject(user, groups, frozenset(), {})


def home_of(tenant: dict[str, Any], cluster: str) -> frozenset[str]:
    """Namespaces in which the tenant's Odoo runs here; a database that only follows another region's is nobody's home."""
    cells = {cell["metadata"]["name"]: cell["spec"]["cluster"] for cell in fleet.inputs("cells")}
    environments = tenant["spec"]["environments"].items()
    return frozenset(
        f"{tenant['metadata']['name']}-{name}" for name, placed in environments if cells[placed["cell"]] == cluster
    )


@pytest.fixture(scope="module")
def planes(control_planes: ControlPlanes) -> dict[str, ControlPlane]:
    return holding(control_planes, RBAC)


def allowed(api: Api, subject: Subject, namespace: str, group: str, resource: str, verb: str) -> bool:
    """One SubjectAccessReview."""
    plural, _, sub = resource.partition("/")
    attributes = {"namespace": namespace, "group": group, "resource": plural, "subresource": sub, "verb": verb}
    review = {
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {"user": subject.user, "groups": list(subject.groups), "resourceAttributes": attributes},
    }  # fmt: skip
    answer = api.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body=review)
    assert answer.accepted, answer.message
    return bool(answer.body["status"]["allowed"])


def operations(api: Api) -> list[tuple[str, str, str]]:
    """(API group, resource, verb) of all that the server serves, subresources too."""
    found = set()
    for version, entry in api.discovery():
        group = version.rpartition("/")[0]
        found |= {(group, entry["name"], verb) for verb in (*entry["verbs"], *EXTRA_VERBS.get(group, ()))}
    return sorted(found)


@pytest.mark.parametrize("cluster", fleet.clusters())
def test_matrix(planes: dict[str, ControlPlane], cluster: str, tally: Tally) -> None:
    """People: each operation at home and next door; the first tenant's, support's and a stranger's everywhere else too."""
    api = planes[cluster].api
    asked = operations(api)
    homes = sorted(fleet.instances(cluster))
    cells = [item.name for item in fleet.every("Namespace", cluster=cluster) if item.name not in homes]
    people = [subject for subject in subjects(cluster) if not subject.user.startswith("system:")]
    with ThreadPoolExecutor(8) as pool:
        for number, subject in enumerate(people):
            neighbours = [name for name in homes if name not in subject.home]
            places = [*sorted(subject.home)[:1], *neighbours[:1]]
            if number == 0 or subject.user in ("support", "stranger"):
                places += [*cells[:1], "argocd", ""]
            questions = [(place, *operation) for place in places for operation in asked]
            answers = pool.map(lambda question, who=subject: allowed(api, who, *question), questions)
            for question, answer in zip(questions, answers, strict=True):
                what = f"{subject.user}: {' '.join(question)}"
                if subject.may(*question):
                    tally.control(answer, what)
                else:
                    tally.attack(not answer, what)


@pytest.mark.parametrize("cluster", fleet.clusters())
def test_rules_everywhere(planes: dict[str, ControlPlane], cluster: str, tally: Tally) -> None:
    """Everybody, ServiceAccounts too, in every namespace: the authorizer's own list of rules is no longer than promised."""
    api = planes[cluster].api
    namespaces = [item["metadata"]["name"] for item in api.list("v1", "Namespace")]
    for subject in subjects(cluster):
        for namespace in namespaces if not subject.user.startswith("system:") else _near(subject, namespaces):
            rules = rules_of(api, subject, namespace)
            beyond = [rule for rule in rules if not subject.may(namespace, *rule)]
            tally.attack(not beyond, f"{subject.user} in {namespace}: {beyond}")
            if namespace in subject.home:
                wanted = {
                    (group, name, verb) for group, names in subject.reads.items() for name in names for verb in READ
                }
                tally.control(wanted <= rules, f"{subject.user} in {namespace}: lacks {sorted(wanted - rules)}")
            elif not rules - ANYONE - ACCOUNTS:
                tally.control(rules >= ANYONE, f"{subject.user} in {namespace}: an empty answer")


def _near(subject: Subject, namespaces: list[str]) -> list[str]:
    """For a ServiceAccount: its own namespace, one other tenant's, and the one where Secrets of everybody lie."""
    own = subject.user.split(":")[2]
    others = [name for name in namespaces if name.endswith("-production") and name != own]
    return [own, *others[:1], "argocd"]


def rules_of(api: Api, subject: Subject, namespace: str) -> set[tuple[str, str, str]]:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    answer = api.request(
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
        body=review,
        user=subject.user,
        groups=subject.groups,
    )
    assert answer.accepted, answer.message
    assert not answer.body["status"]["incomplete"]
    return {
        (group, name, verb)
        for rule in answer.body["status"]["resourceRules"]
        for group in rule["apiGroups"] for name in rule["resources"] for verb in rule["verbs"]
    }  # fmt: skip


def test_a_wider_role_would_open_secrets(planes: dict[str, ControlPlane], tally: Tally) -> None:
    """The Role is the protection: one rule more, or a binding in the neighbour's namespace, and the attack succeeds."""
    api = planes["euw1-a"].api
    acme = next(subject for subject in subjects("euw1-a") if "acme-admins" in subject.groups)
    role = fleet.one("Role", "acme-production", "tenant-admin").manifest
    secrets = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
    api.apply(fleet.changed(role, lambda wide: wide["rules"].append(secrets)))
    tally.without_protection(soon(api, acme, "acme-production", "secrets"), "a Role with Secrets")
    binding = fleet.one("RoleBinding", "delta-books-production", "tenant-admin").manifest
    api.apply(fleet.changed(binding, lambda wide: wide["subjects"][0].update(name="acme-admins")))
    tally.without_protection(soon(api, acme, "delta-books-production", "pods"), "a binding next door")


def soon(api: Api, subject: Subject, namespace: str, resource: str) -> bool:
    """Whether the subject may get it, once the authorizer has seen the change."""
    try:
        return wait_for(f"{resource} in {namespace}", lambda: allowed(api, subject, namespace, "", resource, "get"), 15)
    except NotReadyError:
        return False
