"""A cluster and its DR partner: what is proved together.

No proof looks beyond a pair: names, hosts and databases are unique by the rules that the inputs keep, and what a tenant
has elsewhere is proved there.
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
    """What the clusters of a pair will hold, and what is known of it already."""

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
    """Exceptions that lift something."""
