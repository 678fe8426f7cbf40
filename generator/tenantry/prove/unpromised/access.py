"""IAM-01, IAM-02, IAM-03 and IAM-08 on any tree: tokens, cluster-wide rights, roles, and secrets that lie open."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Value, dig, entries, items, mapping, text
from tenantry.prove.secrets import literal_in_container, literals_in_files
from tenantry.prove.unpromised.evidence import Evidence, fact
from tenantry.verify.index import POD_KINDS, Index, pod_specs

_RBAC = "rbac.authorization.k8s.io"
_EVERYBODY = frozenset({"system:authenticated", "system:unauthenticated", "system:serviceaccounts"})
_READS = frozenset({"get", "list", "watch"})
_POWERS = frozenset({"bind", "escalate", "impersonate"})


def _workloads(index: Index) -> Iterator[tuple[Manifest, Value]]:
    for kind in POD_KINDS:
        for manifest in index.of(*kind):
            for _, _, spec in pod_specs(manifest):
                yield manifest, spec


def tokens(index: Index) -> Iterator[Evidence]:
    """IAM-01: Pods that get a token of the API server."""
    works = list(_workloads(index))
    facts = tuple(fact(manifest) for manifest, spec in works if _mounted(index, manifest, spec))
    yield Evidence(
        ("IAM-01",), len(works), "no Pod gets a token of the API server",
        "Pods of {bad} of {all} workloads get a token of the API server", facts,
    )  # fmt: skip


def _mounted(index: Index, manifest: Manifest, spec: Value) -> bool:
    wanted = spec.get("automountServiceAccountToken")
    if wanted is None:
        name = text(spec.get("serviceAccountName")) or "default"
        account = index.get("", "ServiceAccount", manifest.identity.namespace, name)
        wanted = account.value.get("automountServiceAccountToken") if account else None
    projected = (
        source
        for _, volume in entries(spec.get("volumes"))
        for _, source in entries(dig(volume, "projected", "sources"))
    )
    return wanted is not False or any("serviceAccountToken" in source for source in projected)


def rights(index: Index) -> Iterator[Evidence]:
    """IAM-02: whom the tree binds cluster-wide. IAM-03: what its roles grant."""
    bindings = index.of(_RBAC, "ClusterRoleBinding")
    accounts = [*index.of("", "ServiceAccount"), *index.of(_RBAC, "RoleBinding")]
    facts = tuple(
        fact(b, f"{', '.join(whom)} get '{dig(b.value, 'roleRef', 'name')}'") for b in bindings if (whom := _bound(b))
    )
    yield Evidence(
        ("IAM-02",), len(bindings) + len(accounts), "the tree binds no ServiceAccount and no group of all users cluster-wide",
        "ServiceAccounts, or groups of all users, have rights in the whole cluster", facts,
    )  # fmt: skip
    roles = [*index.of(_RBAC, "Role"), *index.of(_RBAC, "ClusterRole")]
    granted = [(role, what) for role in roles if (what := sorted(_grants(role)))]
    yield Evidence(
        ("IAM-03",), len(roles), "none of {all} roles reads secrets, opens a shell or grants itself more",
        "{bad} of {all} roles read secrets, open a shell or can grant themselves more",
        tuple(fact(role, ', '.join(what)) for role, what in granted),
    )  # fmt: skip


def _bound(binding: Manifest) -> list[str]:
    return [
        f"{subject.get('kind')} {'/'.join(filter(None, (text(subject.get('namespace')), text(subject.get('name')))))}"
        for _, subject in entries(binding.value.get("subjects"))
        if subject.get("kind") == "ServiceAccount" or text(subject.get("name")) in _EVERYBODY
    ]


def _grants(role: Manifest) -> Iterator[str]:
    if role.value.get("aggregationRule"):
        yield "takes rules from other roles"
    for _, rule in entries(role.value.get("rules")):
        groups, resources, verbs = (set(map(str, items(rule.get(f)))) for f in ("apiGroups", "resources", "verbs"))
        core = bool(groups & {"", "*"})
        if core and resources & {"secrets", "*"} and verbs & {*_READS, "*"} and not items(rule.get("resourceNames")):
            yield "reads every Secret"
        if core and resources & {"pods/exec", "pods/attach", "*"} and verbs & {"create", "*"}:
            yield "opens a shell in Pods"
        if verbs & {*_POWERS, "*"} and (verbs & _POWERS or resources & {"*", "roles", "clusterroles"}):
            yield "can grant itself more"


def secrets(index: Index) -> Iterator[Evidence]:
    """IAM-08: Secrets with their values, and literals under names that suggest a secret."""
    plain = [m for m in index.of("", "Secret") if mapping(m.value.get("data")) or mapping(m.value.get("stringData"))]
    facts = [fact(manifest, "holds values") for manifest in plain]
    for manifest, spec in _workloads(index):
        for part in ("initContainers", "containers"):
            for _, container in entries(spec.get(part)):
                facts += (fact(manifest, fault) for _, fault in literal_in_container(container, ()))
    facts += (fact(manifest, fault) for manifest, _, fault in literals_in_files(index))
    kinds = (*POD_KINDS, ("", "Secret"), ("", "ConfigMap"), ("external-secrets.io", "ExternalSecret"))
    yield Evidence(
        ("IAM-08",), sum(len(index.of(*kind)) for kind in kinds), "no value of a secret lies in the tree",
        "values of secrets lie in the tree, for everyone who may read it", tuple(dict.fromkeys(facts)),
    )  # fmt: skip
