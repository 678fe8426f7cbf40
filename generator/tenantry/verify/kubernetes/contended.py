"""Ingresses that take the same requests: the controller answers with the older one, or refuses the younger (ingress-nginx, docs/user-guide/nginx-configuration)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, mapping, text
from tenantry.verify.index import Index
from tenantry.verify.registration import references_of

_Key = tuple[str, str, str, str]
"""Class, host, path and its type."""
_Place = tuple[Manifest, Path, tuple[str, str, str]]
"""Ingress, path of the field, and the Service with its port."""
_CANARY = "nginx.ingress.kubernetes.io/canary"


def _paths(manifest: Manifest) -> Iterator[tuple[_Key, _Place]]:
    """Paths of an Ingress; none of a canary, which is meant to share the requests of another."""
    if manifest.annotations.get(_CANARY) == "true":
        return
    chosen = text(manifest.spec.get("ingressClassName")) or text(
        manifest.annotations.get("kubernetes.io/ingress.class")
    )
    for number, rule in entries(manifest.spec.get("rules")):
        for place, path in entries(mapping(rule.get("http")).get("paths")):
            service = mapping(mapping(path.get("backend")).get("service"))
            target = manifest.identity.namespace, text(service.get("name")), _port(service)
            key = chosen, text(rule.get("host")), text(path.get("path")) or "/", text(path.get("pathType"))
            yield key, (manifest, ("spec", "rules", number, "http", "paths", place), target)


def _port(service: Value) -> str:
    port = mapping(service.get("port"))
    return str(port.get("number", port.get("name")))


def _by_request(index: Index) -> dict[_Key, list[_Place]]:
    found: dict[_Key, list[_Place]] = defaultdict(list)
    for manifest in index.of("networking.k8s.io", "Ingress"):
        for key, place in _paths(manifest):
            found[key].append(place)
    return found


@references_of("networking.k8s.io", "Ingress")
def contended(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Told at the later one by its name; in one namespace only within a folder, since others may be alternatives."""
    taken = index.once(_by_request)
    for key, (_, path, target) in _paths(manifest):
        for other, _, theirs in taken.get(key, ()):
            alternatives = other.identity.namespace == manifest.identity.namespace and _folder(other) != _folder(
                manifest
            )
            if other.identity < manifest.identity and theirs != target and not alternatives:
                where = f"{key[1] or 'any host'}{key[2]}"
                message = f"{other.identity} takes the same requests ({where}), and leads to '{theirs[1]}': only one of the two answers"
                yield Problem("V076", path, message, "give each a host or a path of its own", "warning")
                break


def _folder(manifest: Manifest) -> str:
    return manifest.file.rpartition("/")[0]
