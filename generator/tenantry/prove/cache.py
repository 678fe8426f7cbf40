"""Which pairs of clusters are proved, so that a change is proved where it is made and nowhere else.

A pair is a cluster and its DR partner. No proof looks beyond it: names, hosts and databases are unique by the rules
that the inputs keep, and what a tenant has elsewhere is proved there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tenantry.core.findings import Finding
from tenantry.model.cluster import Cluster
from tenantry.plan.inputs import Inputs
from tenantry.plan.unused_exceptions import unused_exceptions
from tenantry.render.blame import Blamer
from tenantry.runtime.cache import Store, digest_of
from tenantry.runtime.listing import Change, Listing, files_by_cluster
from tenantry.runtime.workspace import Workspace

Pair = tuple[str, ...]
"""Names of clusters, sorted."""


@dataclass
class Proofs:
    """The proofs of one fleet's trees. What is known of a pair holds for its files and the inputs that speak of it."""

    space: Workspace
    inputs: Inputs
    known: Store
    _lifting: dict[Pair, list[str]] = field(default_factory=dict)
    """Exceptions that lift something, of each pair that was proved."""
    _fresh: set[Pair] = field(default_factory=set)
    """Pairs that were proved now, without a finding."""

    def findings(
        self, listing: Listing, changes: Sequence[Change], staged: Callable[[str], Path | None] = lambda _: None
    ) -> list[Finding]:
        """What the proofs find on the trees as they will be once the changes are made.

        `staged` tells where the content of a file lies that is not yet in its place.
        """
        changed = {_cluster(change.file) for change in changes if change.file.startswith("rendered/")}
        for pair, key in self._keys(listing).items():
            entry = self.known.get(_entry(pair))
            if changed.isdisjoint(pair) and entry and entry[0] == key:
                self._lifting[pair] = entry[1]
        doubtful = [pair for pair in self._tenants if pair not in self._lifting]

        def content(file: str) -> str:
            return (staged(file) or self.space.root / file).read_text(encoding="utf-8", errors="replace")

        found = list(self._prove(doubtful, files_by_cluster(listing, changes), content)) if doubtful else []
        fleet, instances = self.inputs.fleet, self.inputs.resolution.instances
        used = {name for names in self._lifting.values() for name in names}
        return [*found, *unused_exceptions(fleet, instances, self.space.as_of, fleet.all(Cluster), used)]

    def remember(self, listing: Listing) -> None:
        """Keep in mind which pairs were proved without a finding, on the trees as they are now."""
        keys = self._keys(listing) if self._fresh else {}
        for pair in self._fresh:
            self.known.put(_entry(pair), [keys[pair], self._lifting[pair]])

    def _prove(
        self, pairs: Sequence[Pair], files: Mapping[str, Sequence[str]], content: Callable[[str], str]
    ) -> Iterator[Finding]:
        from tenantry.prove import run as trees  # a third of a second, and seldom needed
        from tenantry.prove.promises import promises

        fleet, instances = self.inputs.fleet, self.inputs.resolution.instances
        known = promises(fleet, instances, self.space.as_of)
        blame = Blamer(fleet, known.units)
        # Nothing is shown before the first answer: a process must not be forked while another thread draws.
        for done, proof in enumerate(trees.prove_pairs(known, blame, pairs, files, content, self.space.say), 1):
            self.space.progress("proving", done, len(pairs))
            self._lifting[proof.pair] = sorted(proof.used)
            if not proof.findings:
                self._fresh.add(proof.pair)
            yield from proof.findings

    def _keys(self, listing: Listing) -> dict[Pair, str]:
        """For each pair what its proof rests on: its files, and the inputs that speak of it."""
        folders: dict[str, list[str]] = defaultdict(list)
        for folder in sorted(listing.folders):
            if folder.startswith("rendered/"):
                folders[_cluster(folder)].append(f"{folder} {listing.fingerprint((folder,))}")
        return {
            pair: digest_of(
                self.space.as_of, *self._documents(tenants), *(line for name in pair for line in folders[name])
            )
            for pair, tenants in self._tenants.items()
        }

    def _documents(self, tenants: set[str]) -> list[str]:
        """Digests of all inputs but those of other tenants."""
        documents = self.inputs.fleet.documents
        return sorted(d.digest for (kind, name), d in documents.items() if kind != "Tenant" or name in tenants)

    @cached_property
    def _tenants(self) -> dict[Pair, set[str]]:
        """Each pair, and the tenants that have something there."""
        found = {cluster.pair: set[str]() for cluster in self.inputs.fleet.all(Cluster).values()}
        for instance in self.inputs.resolution.instances.values():
            found[instance.site.cluster.pair].add(instance.tenant.name)
        return found


def _cluster(path: str) -> str:
    return path.split("/")[1]


def _entry(pair: Pair) -> str:
    return f"proof of {' and '.join(pair)}"
