"""References between the objects of one cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tenantry.core.manifest import Manifest, Problem
from tenantry.verify.index import Index
from tenantry.verify.registration import REFERENCES, REFERENCES_OF_ALL


def problems(index: Index, only: Iterable[Manifest] | None = None) -> Iterator[tuple[Manifest, Problem]]:
    """References that lead nowhere, and ConfigMaps that nothing refers to. `only` asks for the former of some objects."""
    for manifest in index.manifests if only is None else only:
        index.asking = manifest
        index.needed.clear()
        for check in (*REFERENCES.get(manifest.kind, ()), *REFERENCES_OF_ALL):
            for problem in check(manifest, index):
                yield manifest, problem
    index.asking = None
    if only is None:
        yield from _unused(index)


def _unused(index: Index) -> Iterator[tuple[Manifest, Problem]]:
    for manifest in index.of("", "ConfigMap"):
        identity = manifest.identity
        used = ("ConfigMap", identity.namespace, identity.name) in index.used
        if used or not index.pods.get(identity.namespace) or not index.makes_namespace(identity.namespace):
            continue
        message, hint = "nothing in the tree uses this ConfigMap", "remove it, or the reference is misspelt"
        yield manifest, Problem("V066", ("metadata", "name"), message, hint, "warning")
