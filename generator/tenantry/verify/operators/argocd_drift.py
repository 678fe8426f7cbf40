"""What Argo CD is told to leave alone, to remove, and to make, in words that reach nothing (v3.6.1).

Differences are ignored by group and kind, as globs, where no group means the core one (util/argo/normalizers), so a
Deployment without `group: apps` is not meant (argoproj/argo-cd#28590). Finalizers are those of application_defaults.go.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase

from tenantry.core.manifest import Manifest, Path, Problem, entries, items, mapping, text
from tenantry.core.suggestions import near
from tenantry.verify.index import Index
from tenantry.verify.operators.argocd import project_of
from tenantry.verify.registration import references_of, rule_for

_GROUPS = {
    "ClusterRole": "rbac.authorization.k8s.io",
    "ClusterRoleBinding": "rbac.authorization.k8s.io",
    "CronJob": "batch",
    "CustomResourceDefinition": "apiextensions.k8s.io",
    "DaemonSet": "apps",
    "Deployment": "apps",
    "HorizontalPodAutoscaler": "autoscaling",
    "Ingress": "networking.k8s.io",
    "Job": "batch",
    "MutatingWebhookConfiguration": "admissionregistration.k8s.io",
    "NetworkPolicy": "networking.k8s.io",
    "PodDisruptionBudget": "policy",
    "ReplicaSet": "apps",
    "Role": "rbac.authorization.k8s.io",
    "RoleBinding": "rbac.authorization.k8s.io",
    "StatefulSet": "apps",
    "StorageClass": "storage.k8s.io",
    "ValidatingWebhookConfiguration": "admissionregistration.k8s.io",
}


@rule_for("argoproj.io", "Application")
def differences(manifest: Manifest) -> Iterator[Problem]:
    for index, rule in entries(manifest.spec.get("ignoreDifferences")):
        path: Path = ("spec", "ignoreDifferences", index)
        kind, group = text(rule.get("kind")), text(rule.get("group"))
        wanted = _GROUPS.get(kind)
        if wanted is not None and not fnmatchcase(wanted, group):
            message = f"the kind {kind} is of the group '{wanted}', not '{group}', so nothing is ignored"
            yield Problem("V044", path, message, f"write group: {wanted}", "warning")
        for number, pointer in enumerate(items(rule.get("jsonPointers"))):
            if isinstance(pointer, str) and not pointer.startswith("/"):
                message = f"'{pointer}' is no JSON pointer, so nothing is ignored"
                hint = f"write /{pointer.lstrip('.').replace('.', '/')}"
                yield Problem("V044", (*path, "jsonPointers", number), message, hint)
        for number, expression in enumerate(items(rule.get("jqPathExpressions"))):
            if isinstance(expression, str) and not expression.lstrip().startswith((".", "(", "[")):
                where = (*path, "jqPathExpressions", number)
                yield Problem(
                    "V044",
                    where,
                    f"'{expression}' is no path of jq",
                    f"write .{expression.replace('/', '.').lstrip('.')}",
                )


_FINALIZERS = (
    "resources-finalizer.argocd.argoproj.io",
    "resources-finalizer.argocd.argoproj.io/background",
    "resources-finalizer.argocd.argoproj.io/foreground",
    "post-delete-finalizer.argocd.argoproj.io",
    "post-delete-finalizer.argocd.argoproj.io/cleanup",
    "pre-delete-finalizer.argocd.argoproj.io",
    "pre-delete-finalizer.argocd.argoproj.io/cleanup",
)


@rule_for("argoproj.io", "Application", "AppProject")
def finalizers(manifest: Manifest) -> Iterator[Problem]:
    """A finalizer that nobody removes keeps the object for ever."""
    for number, name in enumerate(items(manifest.metadata.get("finalizers"))):
        if str(name) in _FINALIZERS or not isinstance(name, str):
            continue
        meant = near(name, _FINALIZERS, 0.75)
        if name.partition("/")[0].endswith("argocd.argoproj.io") or meant:
            message = f"Argo CD does not know the finalizer '{name}', so it never removes it, and deleting never ends"
            hint = f"did you mean {meant}?" if meant else f"there is {_FINALIZERS[0]}"
            yield Problem("V044", ("metadata", "finalizers", number), message, hint)


@references_of("argoproj.io", "Application")
def may_create(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """CreateNamespace needs the right to make Namespaces (argoproj/argo-cd#22869)."""
    options = items(mapping(manifest.spec.get("syncPolicy")).get("syncOptions"))
    project = project_of(index, manifest)
    if project is None or "CreateNamespace=true" not in options or manifest.spec.get("project") == "default":
        return
    name = text(mapping(manifest.spec.get("destination")).get("namespace"))
    allowed = any(
        fnmatchcase("", text(entry.get("group"))) and fnmatchcase("Namespace", text(entry.get("kind")))
        and (not entry.get("name") or fnmatchcase(name, text(entry.get("name"))))
        for _, entry in entries(project.spec.get("clusterResourceWhitelist"))
    )  # fmt: skip
    if not allowed:
        number = options.index("CreateNamespace=true")
        message = f"the AppProject '{project.identity.name}' does not allow Namespaces, so the sync fails where '{name}' is not there yet"
        yield Problem(
            "V064",
            ("spec", "syncPolicy", "syncOptions", number),
            message,
            "list Namespace in clusterResourceWhitelist",
            "warning",
        )


def _by_source(index: Index) -> dict[str, list[Manifest]]:
    found: dict[str, list[Manifest]] = defaultdict(list)
    for application in sorted(index.of("argoproj.io", "Application"), key=lambda m: m.identity):
        found[_source(application)].append(application)
    return found


def _source(application: Manifest) -> str:
    spec = application.spec
    return json.dumps([spec.get("source"), spec.get("sources"), spec.get("destination")], sort_keys=True, default=str)


@references_of("argoproj.io", "Application")
def one_application(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Two Applications of the same objects: each takes them for its own (SharedResourceWarning)."""
    first = index.once(_by_source)[_source(manifest)][0]
    same = manifest.spec.get("source") or manifest.spec.get("sources")
    if first.identity != manifest.identity and same and manifest.spec.get("destination"):
        message = f"{first.identity} delivers the same objects to the same place, so each takes them from the other"
        yield Problem("V054", ("spec",), message, "keep one of them")


_OLD_FIELD = re.compile(
    r"\{\{\s*(?!if\b|else\b|end\b|range\b|with\b|include\b|index\b|default\b|toYaml\b|printf\b|normalize\b|slugify\b|trim\w*\b|lower\b|upper\b|replace\b|not\b|eq\b|ne\b|and\b|or\b)([a-z][\w]*(?:\.[\w.\[\]]+)?)\s*\}\}"
)
_NEW_FIELD = re.compile(r"\{\{-?\s*\.([\w.]+)\s*-?\}\}")


@rule_for("argoproj.io", "ApplicationSet")
def template_fields(manifest: Manifest) -> Iterator[Problem]:
    """Fields begin with a dot in Go templates, and never without (docs/operator-manual/applicationset/GoTemplate)."""
    go = manifest.spec.get("goTemplate") is True
    todo: list[tuple[Path, object]] = [(("spec", "template"), manifest.spec.get("template"))]
    while todo:
        path, value = todo.pop()
        if isinstance(value, dict):
            todo += [((*path, key), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            todo += [((*path, number), inner) for number, inner in enumerate(value)]
        elif isinstance(value, str) and "{{" in value:
            if go and (found := _OLD_FIELD.search(value)):
                message = f"'{found[0]}' is no field of a Go template: the ApplicationSet makes nothing"
                yield Problem("V044", path, message, f"write {{{{ .{found[1]} }}}}")
            elif not go and (found := _NEW_FIELD.search(value)):
                message = f"'{found[0]}' is a field of a Go template, and stays as it is without goTemplate: true"
                yield Problem("V044", path, message, f"write {{{{{found[1]}}}}}, or goTemplate: true")


@rule_for("argoproj.io", "AppProject")
def listed(manifest: Manifest) -> Iterator[Problem]:
    """Kinds that a project lists by a group that is not theirs."""
    for field in (
        "clusterResourceWhitelist",
        "clusterResourceBlacklist",
        "namespaceResourceWhitelist",
        "namespaceResourceBlacklist",
    ):
        for number, entry in entries(manifest.spec.get(field)):
            kind, group = text(entry.get("kind")), text(entry.get("group"))
            wanted = _GROUPS.get(kind, "" if kind in _CORE else None)
            if wanted is not None and not fnmatchcase(wanted, group):
                message = f"the kind {kind} is of the group '{wanted}', not '{group}', so the entry is for nothing"
                yield Problem("V044", ("spec", field, number), message, f"write group: '{wanted}'", "warning")


_CORE = (
    "ConfigMap",
    "LimitRange",
    "Namespace",
    "PersistentVolumeClaim",
    "ResourceQuota",
    "Secret",
    "Service",
    "ServiceAccount",
)
