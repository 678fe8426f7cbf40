"""A cluster and its DR partner: what is proved together.

No proof looks beyond a pair: the rules of the inputs make names, hosts and databases unique, and a tenant's objects in
other clusters are proved there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tenantry.core.findings import Finding
from tenantry.core.manifest import Manifest
from tenantry.prove.template_conformance import Conformance
from tenantry.runtime.listing import Change

if TYPE_CHECKING:
    from tenantry.prove.parts import Border, PairPart

Pair = tuple[str, ...]
"""Names of clusters, sorted."""


@dataclass(frozen=True)
class PairObjects:
    """The future objects of a pair's clusters, and what is already known about them."""

    pair: Pair
    files: Mapping[str, Sequence[str]]
    """Files of rendered/ by cluster."""
    changes: Sequence[Change]
    """What differs from the files on disk; changes of other pairs may be among them."""
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
    met: frozenset[str] = frozenset()
    """Policies that matched an object."""
    borders: Mapping[PairPart, Border] | None = None
    """Of the parts that were proved; None when something was found or excepted, or a part is not apart from others."""
