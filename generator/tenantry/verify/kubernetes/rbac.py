"""Roles and bindings: pkg/apis/rbac/validation of Kubernetes 1.37."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, entries, items, mapping, text
from tenantry.verify.index import Index, missing, not_in_cluster
from tenantry.verify.registration import references_of, rule_for

_GROUP = "rbac.authorization.k8s.io"


@rule_for(_GROUP, "ClusterRole", "Role")
def role(manifest: Manifest) -> Iterator[Problem]:
    in_namespace = manifest.identity.kind == "Role"
    for index, rule in entries(manifest.value.get("rules")):
        path: Path = ("rules", index)
        if not items(rule.get("verbs")):
            yield Problem("V050", path, "a rule needs verbs")
        if items(rule.get("nonResourceURLs")):
            if in_namespace:
                yield Problem("V050", (*path, "nonResourceURLs"), "a Role can't grant paths; a ClusterRole can")
            continue
        if not items(rule.get("apiGroups")):
            yield Problem("V050", path, "a rule needs apiGroups", 'the core group is ""')
        if not items(rule.get("resources")):
            yield Problem("V050", path, "a rule needs resources")


@rule_for(_GROUP, "ClusterRoleBinding", "RoleBinding")
def binding(manifest: Manifest) -> Iterator[Problem]:
    reference = mapping(manifest.value.get("roleRef"))
    allowed = ("Role", "ClusterRole") if manifest.identity.kind == "RoleBinding" else ("ClusterRole",)
    if reference.get("kind") not in allowed:
        yield Problem("V050", ("roleRef", "kind"), f"'{reference.get('kind')}' is none of {', '.join(allowed)}")
    if reference.get("apiGroup") != _GROUP:
        yield Problem("V050", ("roleRef", "apiGroup"), f"must be {_GROUP}")
    if not reference.get("name"):
        yield Problem("V050", ("roleRef",), "a name is needed")
    for index, subject in entries(manifest.value.get("subjects")):
        path: Path = ("subjects", index)
        kind, group = subject.get("kind"), subject.get("apiGroup", "")
        if kind == "ServiceAccount":
            if group:
                yield Problem("V050", (*path, "apiGroup"), "a ServiceAccount is of the core group: leave it empty")
            if not subject.get("namespace") and manifest.identity.kind == "ClusterRoleBinding":
                yield Problem("V050", path, "a ServiceAccount needs its namespace")
        elif kind in ("User", "Group"):
            if group not in ("", _GROUP):
                yield Problem("V050", (*path, "apiGroup"), f"must be {_GROUP}")
        else:
            yield Problem("V050", (*path, "kind"), f"'{kind}' is none of ServiceAccount, User, Group")


@references_of(_GROUP, "ClusterRoleBinding", "RoleBinding")
def bound(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """RoleBinding and ClusterRoleBinding."""
    namespace = manifest.identity.namespace
    reference = mapping(manifest.value.get("roleRef"))
    kind, name = text(reference.get("kind")), text(reference.get("name"))
    if kind == "Role" and not index.has(_GROUP, "Role", namespace, name):
        yield missing(index, namespace, ("roleRef", "name"), f"Role '{name}' in '{namespace}'")
    built_in = name in ("cluster-admin", "admin", "edit", "view") or name.startswith("system:")
    if kind == "ClusterRole" and not built_in and not index.has(_GROUP, "ClusterRole", "", name):
        known = bool(index.of(_GROUP, "ClusterRole")) or index.partial
        yield not_in_cluster(known, ("roleRef", "name"), f"ClusterRole '{name}'")
    for number, subject in entries(manifest.value.get("subjects")):
        space = text(subject.get("namespace")) or namespace
        account = text(subject.get("name"))
        if subject.get("kind") != "ServiceAccount" or account == "default":
            continue
        if not index.makes_namespace(space):
            yield from _astray(index, namespace, space, account, number)
            continue
        if not index.has_account(space, account):
            yield missing(index, space, ("subjects", number, "name"), f"ServiceAccount '{account}' in '{space}'")


def _astray(index: Index, own: str, space: str, account: str, number: int) -> Iterator[Problem]:
    """A subject in a namespace of others, while an account of that name is in the binding's own."""
    if own and space != own and index.get("", "ServiceAccount", own, account) is not None:
        message = (
            f"the ServiceAccount '{account}' of the tree is in '{own}', not in '{space}', which the tree does not make"
        )
        yield Problem(
            "V067", ("subjects", number, "namespace"), message, f"write {own}, if that one is meant", "warning"
        )
