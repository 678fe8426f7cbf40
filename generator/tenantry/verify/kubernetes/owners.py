"""Two objects that manage one thing: each undoes the other's work, over and over.

cert-manager issues anew when a Secret is another Certificate's (internal/controller/certificates/policies/checks.go);
External Secrets refuses a Secret that another ExternalSecret owns (pkg/controllers/externalsecret, ErrSecretIsOwned).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, mapping, text
from tenantry.verify.index import Index
from tenantry.verify.registration import references_of

_Owners = dict[tuple[str, ...], list[Manifest]]
_WORKLOADS = ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")


def _by_selector(index: Index) -> _Owners:
    found: _Owners = defaultdict(list)
    for kind in _WORKLOADS:
        for manifest in index.of("apps", kind):
            selector = json.dumps(manifest.spec.get("selector"), sort_keys=True, default=str)
            found[manifest.identity.namespace, selector].append(manifest)
    return found


@references_of("apps", *_WORKLOADS)
def one_selector(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Services, budgets and autoscalers of one workload take the Pods of the other too."""
    selector = json.dumps(manifest.spec.get("selector"), sort_keys=True, default=str)
    first = index.once(_by_selector)[manifest.identity.namespace, selector][0]
    if first is not manifest and first.identity != manifest.identity and manifest.spec.get("selector"):
        message = f"{first.identity} has the same selector: Services, budgets and autoscalers take the Pods of both"
        yield Problem("V054", ("spec", "selector"), message, "give each workload a label of its own")


_WRITTEN = ("", "Secret")
_DATA = frozenset({"data", "stringData"})
_SECRET_FIELDS: dict[tuple[str, str], Path] = {
    ("bitnami.com", "SealedSecret"): ("metadata", "name"),
    ("cert-manager.io", "Certificate"): ("spec", "secretName"),
    ("external-secrets.io", "ExternalSecret"): ("spec", "target", "name"),
}


def _secret_of(manifest: Manifest) -> str:
    """The Secret that a controller makes of an object and keeps as its own; empty if it leaves that to others."""
    spec = manifest.spec
    if manifest.kind == ("cert-manager.io", "Certificate"):
        return text(spec.get("secretName"))
    target = mapping(spec.get("target"))
    if target.get("creationPolicy", "Owner") in ("Merge", "None"):
        return ""
    return text(target.get("name")) or manifest.identity.name


def _by_secret(index: Index) -> _Owners:
    found: _Owners = defaultdict(list)
    for kind in _SECRET_FIELDS:
        for manifest in index.of(*kind):
            found[manifest.identity.namespace, _secret_of(manifest)].append(manifest)
    return found


@references_of("bitnami.com", "SealedSecret")
@references_of("cert-manager.io", "Certificate")
@references_of("external-secrets.io", "ExternalSecret")
def one_secret(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A Secret has one controller."""
    name = _secret_of(manifest)
    first = index.once(_by_secret)[manifest.identity.namespace, name][0] if name else manifest
    hint = "give each a Secret of its own"
    if first.identity != manifest.identity:
        message = f"{first.identity} writes the Secret '{name}' too, so each undoes the other's work"
        yield Problem("V054", _SECRET_FIELDS[manifest.kind], message, hint)
    elif (
        name
        and (plain := index.get(*_WRITTEN, manifest.identity.namespace, name)) is not None
        and plain.value.keys() & _DATA
    ):
        message = f"{plain.identity} of the tree holds the same Secret, so each sync undoes the controller's work"
        yield Problem("V054", _SECRET_FIELDS[manifest.kind], message, hint)
