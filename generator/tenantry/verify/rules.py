"""Rules that no schema holds: what is wrong with one object by itself."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Problem
from tenantry.verify.kubernetes.metadata import scope
from tenantry.verify.registration import RULES, RULES_OF_ALL


def problems(manifest: Manifest, version: str) -> Iterator[Problem]:
    """All that the registered rules find wrong with one object; `version` of Kubernetes, like 1.34."""
    yield from scope(manifest, version)
    for rule in (*RULES_OF_ALL, *RULES.get(manifest.kind, ())):
        yield from rule(manifest)
