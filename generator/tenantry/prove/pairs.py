"""A cluster and its DR partner: what is proved together.

No proof looks beyond a pair: the rules of the inputs make names, hosts and databases unique, and a tenant's objects in
other clusters are proved there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tenantry.core.findings import Finding
from tenantry.core.manifest import Manifest
from tenantry.prove.template_conformance import Conformance

Pair = tuple[str, ...]
"""Names of clusters, sorted."""


@dataclass(frozen=True)
class PairObjects:
    """The future objects of a pair's clusters, and what is already known about them."""

    pair: Pair
    files: Mapping[str, Sequence[str]]
    """Files of rendered/ by cluster."""
    made: Mapping[str, Manifest] = field(default_factory=dict)
    """Objects that were built or read before, by file."""
    compared: Mapping[str, Conformance] = field(default_factory=dict)
    """Units, by path, that were compared with their templates when they were built."""


@dataclass(frozen=True)
class PairProof:
    """What was found in the clusters of a pair."""

    findings: Sequence[Finding]
    used: frozenset[str]
    """Names of the exceptions in use."""
