"""Stores that a namespace may not use, and Secrets that are to be merged or pushed but are not there (pkg/controllers, v1.3.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Problem, Value, entries, items, mapping, text
from tenantry.verify.index import Index, missing, not_in_cluster
from tenantry.verify.kubernetes.pods import secret
from tenantry.verify.kubernetes.workloads import selects
from tenantry.verify.registration import references_of

_GROUP = "external-secrets.io"


@references_of(_GROUP, "ExternalSecret")
def may_use(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A ClusterSecretStore with conditions is for the namespaces that they name (client_manager.go, denied by spec.condition)."""
    reference = mapping(manifest.spec.get("secretStoreRef"))
    if reference.get("kind") != "ClusterSecretStore":
        return
    store = index.get(_GROUP, "ClusterSecretStore", "", text(reference.get("name")))
    conditions = [condition for _, condition in entries(store.spec.get("conditions"))] if store is not None else []
    namespace = manifest.identity.namespace
    home = index.get("", "Namespace", "", namespace)
    if conditions and namespace and not any(_takes(condition, namespace, home) for condition in conditions):
        message = f"the ClusterSecretStore '{reference['name']}' is not for the namespace '{namespace}': denied by its conditions"
        yield Problem("V048", ("spec", "secretStoreRef", "name"), message, "add the namespace to spec.conditions")


def _takes(condition: Value, namespace: str, home: Manifest | None) -> bool:
    if namespace in items(condition.get("namespaces")):
        return True
    if any(_may_match(str(pattern), namespace) for pattern in items(condition.get("namespaceRegexes"))):
        return True
    selector = condition.get("namespaceSelector")
    if not isinstance(selector, dict):
        return False
    return home is None or selects(selector, {**home.labels, "kubernetes.io/metadata.name": namespace})


def _may_match(pattern: str, namespace: str) -> bool:
    """Plain names, whole or as a part, are compared; what else is an expression is for the operator to say."""
    plain = _PLAIN.fullmatch(pattern)
    if plain is None:
        return True
    start, name, end = plain.groups()
    if start and end:
        return namespace == name
    return namespace.startswith(name) if start else namespace.endswith(name) if end else name in namespace


_PLAIN = re.compile(r"(\^?)([-a-z0-9]{1,63})(\$?)")


@references_of(_GROUP, "ExternalSecret")
def merged(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Merge fills a Secret that somebody else makes; it waits until it is there."""
    target = mapping(manifest.spec.get("target"))
    name, namespace = text(target.get("name")) or manifest.identity.name, manifest.identity.namespace
    makers = [one for one in index.secret_makers_of(namespace, name) if one.identity != manifest.identity]
    if target.get("creationPolicy") == "Merge" and not makers and not index.partial:
        hint = "write creationPolicy: Owner, unless somebody else makes the Secret"
        yield missing(
            index,
            namespace,
            ("spec", "target", "creationPolicy"),
            f"Secret '{name}' in '{namespace}' to merge into",
            hint,
        )


@references_of(_GROUP, "PushSecret")
def pushed(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """What is pushed, and the stores that take it."""
    namespace, spec = manifest.identity.namespace, manifest.spec
    chosen = mapping(mapping(spec.get("selector")).get("secret"))
    wanted = [text(mapping(entry.get("match")).get("secretKey")) for _, entry in entries(spec.get("data"))]
    yield from secret(index, namespace, chosen, ("spec", "selector", "secret"), [key for key in wanted if key])
    for number, reference in entries(spec.get("secretStoreRefs")):
        kind, name = text(reference.get("kind")) or "SecretStore", text(reference.get("name"))
        path = ("spec", "secretStoreRefs", number, "name")
        if not name:
            continue
        if kind == "SecretStore" and not index.has(_GROUP, kind, namespace, name):
            yield missing(index, namespace, path, f"SecretStore '{name}' in '{namespace}'")
        elif kind != "SecretStore" and not index.has(_GROUP, kind, "", name):
            yield not_in_cluster(bool(index.of(_GROUP, kind)) or index.partial, path, f"{kind} '{name}'")
