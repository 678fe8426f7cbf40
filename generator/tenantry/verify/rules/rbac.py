"""Roles and bindings: pkg/apis/rbac/validation of Kubernetes 1.37."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, entries, items, mapping

_GROUP = "rbac.authorization.k8s.io"


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
