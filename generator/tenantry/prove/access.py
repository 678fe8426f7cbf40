"""Who may do what in Kubernetes: IAM-02, IAM-03, IAM-04 (kubernetes, plugin/pkg/auth/authorizer/rbac)."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Value, dig, entries, items, mapping, text
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.registration import proof

_GROUP = "rbac.authorization.k8s.io"
_READ = frozenset({"get", "list", "watch"})
_NEVER = frozenset({
    "secrets", "pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "pods/ephemeralcontainers", "services/proxy", "nodes/proxy",
    "serviceaccounts/token",
})  # fmt: skip
"""Resources that give access to a shell, a token or secrets, whatever the verb."""
_WRITES = frozenset({("create", "pods/eviction")})
"""What people may do besides reading: support may drain a node."""
_BUILT_IN = frozenset({"cluster-admin", "admin", "edit", "view"})


@proof("IAM-02")
def cluster_wide(state: State) -> Iterator[Breach]:
    """IAM-02: no tenant's subject is bound cluster-wide, nor is a group of all users."""
    for manifest in state.of(_GROUP, "ClusterRoleBinding"):
        subjects = list(entries(manifest.value.get("subjects")))
        role = text(dig(manifest.value, "roleRef", "name"))
        for number, subject in subjects:
            tenant = _tenant_of(state, subject)
            who = f"{subject.get('kind')} {subject.get('name')}"
            message = f"{who} has the role '{role}' in every namespace of the cluster, so in every tenant's"
            yield breach(
                manifest,
                "IAM-02",
                ("subjects", number),
                message,
                "bind roles in the tenant's own namespace only",
                tenant=tenant,
            )


def _tenant_of(state: State, subject: Value) -> str:
    """The tenant whose group or account a subject is; empty for others."""
    if subject.get("kind") == "ServiceAccount":
        home = state.homes.get(text(subject.get("namespace")))
        return home.tenant if home else ""
    name = text(subject.get("name"))
    for home in state.homes_at("instance"):
        assert home.instance is not None
        if name in home.instance.tenant.access.admin_groups:
            return home.tenant
    return ""


@proof("IAM-03")
def rules(state: State) -> Iterator[Breach]:
    """IAM-03: what each role grants, and that no role takes rules from elsewhere."""
    for kind in ("Role", "ClusterRole"):
        for manifest in state.of(_GROUP, kind):
            if kind == "Role" and state.home(manifest) is None:
                continue
            yield from _aggregated(manifest)
            for number, rule in entries(manifest.value.get("rules")):
                fault = _fault(rule)
                if fault:
                    field, what = fault
                    yield breach(
                        manifest,
                        "IAM-03",
                        ("rules", number, field),
                        what,
                        "people of tenants and support read, and read no secrets",
                    )
    for kind in ("RoleBinding", "ClusterRoleBinding"):
        for manifest in state.of(_GROUP, kind):
            yield from _role_reference(state, manifest)


def _aggregated(manifest: Manifest) -> Iterator[Breach]:
    if "aggregationRule" in manifest.value:
        message = "aggregates the rules of any cluster role with a label, so what it grants is unknown"
        yield breach(manifest, "IAM-03", ("aggregationRule",), message, "write the rules out")
    for key in manifest.labels:
        if str(key).startswith(f"{_GROUP}/aggregate-to-"):
            message = f"the label {key} adds these rules to a built-in role, and so to everyone bound to it"
            yield breach(manifest, "IAM-03", ("metadata", "labels", key), message, "remove the label")


def _fault(rule: Value) -> tuple[str, str] | None:
    verbs, resources = list(map(text, items(rule.get("verbs")))), list(map(text, items(rule.get("resources"))))
    for field in ("verbs", "resources", "apiGroups"):
        if "*" in items(rule.get(field)):
            return field, f"a wildcard in {field} gives what nobody has read"
    for verb in ("escalate", "bind", "impersonate"):
        if verb in verbs:
            return "verbs", f"the verb {verb} allows escalation to every right"
    for resource in resources:
        if resource in _NEVER:
            return "resources", f"gives {'/'.join(verbs)} on {resource}"
    for verb in verbs:
        written = [r for r in resources if verb not in _READ and (verb, r) not in _WRITES]
        if written:
            return "verbs", f"gives {verb} on {', '.join(written)}: changes are made through git only"
    if items(rule.get("nonResourceURLs")):
        return "nonResourceURLs", "grants non-resource URLs of the API server"
    return None


def _role_reference(state: State, manifest: Manifest) -> Iterator[Breach]:
    reference = mapping(manifest.value.get("roleRef"))
    kind, name = text(reference.get("kind")), text(reference.get("name"))
    path: Path = ("roleRef", "name")
    if kind == "ClusterRole" and (name in _BUILT_IN or name.startswith("system:")):
        message = f"binds the built-in role '{name}', which gives {'everything' if name == 'cluster-admin' else 'secrets, shells or tokens'}"
        yield breach(manifest, "IAM-03", path, message, "bind a role of the tree")
    elif kind == "ClusterRole" and state.get(_GROUP, "ClusterRole", "", name) is None:
        message = f"binds the cluster role '{name}', which is not in the tree, so what it grants is unknown"
        yield breach(manifest, "IAM-03", path, message, "bind a role of the tree")


@proof("IAM-04")
def groups(state: State) -> Iterator[Breach]:
    """IAM-04: only groups of the tenant's administrators or support are bound in a namespace; likewise in projects."""
    support = frozenset(state.promises.platform.support.groups)
    for manifest in state.of(_GROUP, "RoleBinding"):
        home = state.home(manifest)
        if home is None:
            continue
        own = frozenset(home.instance.tenant.access.admin_groups) if home.instance else frozenset()
        role_kind = text(dig(manifest.value, "roleRef", "kind"))
        for number, subject in entries(manifest.value.get("subjects")):
            fault = _stranger(home.namespace, subject, own, support, role_kind)
            if fault:
                hint = f"groups that may be bound:  {', '.join(sorted(own | support)) or 'none'}"
                yield breach(manifest, "IAM-04", ("subjects", number), fault, hint, tenant=home.tenant)
    for manifest in state.of("argoproj.io", "AppProject"):
        yield from _project_roles(state, manifest, support)
    yield from _without_support(state, support)


def _without_support(state: State, support: frozenset[str]) -> Iterator[Breach]:
    """Whoever is called at night must see the instance, or rights are given in a hurry, past git."""
    bound = {
        manifest.identity.namespace
        for manifest in state.of(_GROUP, "RoleBinding")
        for _, subject in entries(manifest.value.get("subjects"))
        if text(subject.get("name")) in support or dig(manifest.value, "roleRef", "kind") == "ClusterRole"
    }  # a binding of another group is reported by itself
    for home in state.homes_at("instance"):
        if support and home.namespace not in bound:
            message = f"no RoleBinding lets {' or '.join(sorted(support))} see {home}"
            yield breach(state.anchor(home), "IAM-04", (), message, "run 'tenantry render'", tenant=home.tenant)


def _stranger(namespace: str, subject: Value, own: frozenset[str], support: frozenset[str], role_kind: str) -> str:
    kind, name = text(subject.get("kind")), text(subject.get("name"))
    if kind == "ServiceAccount":
        there = text(subject.get("namespace")) or namespace
        return "" if there == namespace else f"binds the ServiceAccount {there}/{name}, of another namespace"
    if kind == "User":
        return f"lets in the user '{name}': rights are granted to groups of the identity provider"
    if name in support or (name in own and role_kind == "Role"):
        return ""
    return f"lets in the group '{name}'" + (
        " with a cluster role of support" if name in own else ", which is not this tenant's"
    )


def _project_roles(state: State, manifest: Manifest, support: frozenset[str]) -> Iterator[Breach]:
    tenant = state.promises.tenant(text(manifest.labels.get("tenantry.io/tenant")))
    own = frozenset(tenant.access.admin_groups) if tenant else frozenset()
    for number, role in entries(manifest.spec.get("roles")):
        for group in map(text, items(role.get("groups"))):
            if group not in own | support:
                message = f"the role '{role.get('name')}' of the project lets in the group '{group}', which is not this tenant's"
                yield breach(manifest, "IAM-04", ("spec", "roles", number, "groups"), message, "remove the group")
