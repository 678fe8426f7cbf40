"""What the External Secrets webhook refuses (apis/externalsecrets/v1/externalsecret_validator.go, v1.3.2), and templates
that the operator can't fill."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.core.codes import Code, declare
from tenantry.core.manifest import Manifest, Path, Problem, Value, dig, entries, items, mapping, text
from tenantry.verify import values
from tenantry.verify.index import Index, missing, not_in_cluster
from tenantry.verify.registration import Keys, makes_secrets, references_of, rule_for

declare(
    Code("V048", "External Secrets rejects", "Conflicting policies, or nothing to fetch."),
)

_SCOPE = re.compile(r"\b(?:range|with|define|template|block|index)\b")
_VARIABLE = re.compile(r"(?<![\w)\"$.])\.([A-Za-z_]\w*)")


@rule_for("external-secrets.io", "ExternalSecret")
def secret(manifest: Manifest) -> Iterator[Problem]:
    spec = manifest.spec
    target = mapping(spec.get("target"))
    if not items(spec.get("data")) and not items(spec.get("dataFrom")):
        yield Problem("V048", ("spec",), "data or dataFrom is needed")
    if target.get("deletionPolicy") == "Delete" and target.get("creationPolicy") in ("Merge", "None"):
        yield Problem(
            "V048",
            ("spec", "target", "deletionPolicy"),
            f"Delete does not go with creationPolicy {target['creationPolicy']}",
        )
    if target.get("deletionPolicy") == "Merge" and target.get("creationPolicy") == "None":
        yield Problem("V048", ("spec", "target", "deletionPolicy"), "Merge does not go with creationPolicy None")
    yield from _entries(spec)
    yield from _templates(spec)
    interval = spec.get("refreshInterval")
    if interval is not None and values.duration(interval) is None:
        yield Problem("V048", ("spec", "refreshInterval"), f"'{interval}' is no duration", "write it like 1h0m0s")
    if not mapping(spec.get("secretStoreRef")).get("name") and not _own_stores(manifest):
        yield Problem("V048", ("spec", "secretStoreRef"), "the name of a store is needed")


def _entries(spec: Value) -> Iterator[Problem]:
    seen = set()
    for index, entry in entries(spec.get("data")):
        key = str(entry.get("secretKey"))
        if key in seen:
            yield Problem("V048", ("spec", "data", index, "secretKey"), f"the key '{key}' is there twice")
        seen.add(key)
    for index, source in entries(spec.get("dataFrom")):
        ways = [way for way in ("extract", "find", "sourceRef") if way in source]
        if len(ways) > 1 and "sourceRef" not in ways:
            yield Problem("V048", ("spec", "dataFrom", index), "one of extract and find")
        if not ways:
            yield Problem("V048", ("spec", "dataFrom", index), "extract, find or sourceRef is needed")


def _templates(spec: Value) -> Iterator[Problem]:
    """A name that is not there is an error, says the operator's guide to templates (v2); no Secret is made then."""
    if items(spec.get("dataFrom")):
        return  # what that brings is not known here
    keys = {str(entry.get("secretKey")) for _, entry in entries(spec.get("data"))}
    for name, content in mapping(dig(spec, "target", "template", "data")).items():
        actions = list(values.actions(text(content)))
        if any(_SCOPE.search(action) for action in actions):
            continue  # a dot is something else inside of these
        for variable in (found for action in actions for found in _VARIABLE.findall(action)):
            if variable not in keys:
                path = ("spec", "target", "template", "data", name)
                yield Problem("V048", path, f"the template uses .{variable}, which no entry of data gives")


def _own_stores(manifest: Manifest) -> bool:
    """Each entry can name a store, or a generator, of its own."""
    parts = [*entries(manifest.spec.get("data")), *entries(manifest.spec.get("dataFrom"))]
    return bool(parts) and all("sourceRef" in part for _, part in parts)


@references_of("external-secrets.io", "ExternalSecret")
def external_secret(manifest: Manifest, index: Index) -> Iterator[Problem]:
    yield from _store(manifest, index, ("spec", "secretStoreRef"))
    for number, _ in entries(manifest.spec.get("data")):
        yield from _store(manifest, index, ("spec", "data", number, "sourceRef", "storeRef"))


def _store(manifest: Manifest, index: Index, where: Path) -> Iterator[Problem]:
    namespace = manifest.identity.namespace
    reference = mapping(dig(manifest.value, *where))
    kind, name = text(reference.get("kind")) or "SecretStore", text(reference.get("name"))
    path: Path = (*where, "name")
    if not name:
        return
    if kind == "SecretStore":
        if not index.has("external-secrets.io", kind, namespace, name):
            yield missing(index, namespace, path, f"SecretStore '{name}' in '{namespace}'")
    elif not index.has("external-secrets.io", kind, "", name):
        known = bool(index.of("external-secrets.io", kind)) or index.partial
        yield not_in_cluster(known, path, f"{kind} '{name}'")


_LOGINS: tuple[Path, ...] = (
    ("vault", "auth", "kubernetes", "serviceAccountRef"),
    ("aws", "auth", "jwt", "serviceAccountRef"),
    ("gcpsm", "auth", "workloadIdentity", "serviceAccountRef"),
    ("azurekv", "serviceAccountRef"),
    ("kubernetes", "auth", "serviceAccount"),
)
"""Where the providers of a store name the ServiceAccount by which they log in."""


@references_of("external-secrets.io", "SecretStore")
def secret_store(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """The ServiceAccount by which a store logs in."""
    namespace = manifest.identity.namespace
    for login in _LOGINS:
        path: Path = ("spec", "provider", *login)
        reference = mapping(dig(manifest.value, *path))
        name, space = text(reference.get("name")), text(reference.get("namespace")) or namespace
        if name and space and not index.has("", "ServiceAccount", space, name):
            yield missing(index, space, (*path, "name"), f"ServiceAccount '{name}' in '{space}'")


def _external_keys(spec: Value) -> Keys:
    template = mapping(mapping(spec.get("target")).get("template"))
    fetched = frozenset(text(entry.get("secretKey")) for _, entry in entries(spec.get("data")))
    if template.get("templateFrom"):
        return None
    if template.get("data"):
        made = frozenset(mapping(template["data"]))
        return made | fetched if template.get("mergePolicy") == "Merge" else made
    return None if items(spec.get("dataFrom")) else fetched


@makes_secrets("external-secrets.io", "ExternalSecret", own_name=True)
def target(manifest: Manifest) -> Iterator[tuple[str, Keys]]:
    """The Secret that is filled."""
    yield (
        text(mapping(manifest.spec.get("target")).get("name")) or manifest.identity.name,
        _external_keys(manifest.spec),
    )
