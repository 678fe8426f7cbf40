"""Which pairs of clusters are proved: only those that a change affects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from tenantry.core.findings import Finding
from tenantry.core.paths import cluster_of, is_rendered
from tenantry.engine.engines import Engines
from tenantry.model.cluster import Cluster
from tenantry.plan.inputs import Inputs
from tenantry.plan.unused_exceptions import unused_exceptions
from tenantry.prove.pairs import Pair, PairObjects
from tenantry.prove.template_conformance import Templates
from tenantry.resolve.instance import with_elsewhere
from tenantry.runtime.cache import Store, digest_of
from tenantry.runtime.listing import Change, Listing, files_of
from tenantry.runtime.workspace import Workspace
from tenantry.verify.judge import Blame

if TYPE_CHECKING:
    from tenantry.prove.known_parts import KnownParts
    from tenantry.prove.run import Content


@dataclass
class Proofs:
    """The proofs of one fleet's trees. What is known of a pair holds for its files and the inputs that speak of it.

    `listing` are the trees as they were when the run began; `content` gives the text of a file as it will be.
    """

    space: Workspace
    inputs: Inputs
    known: Store
    engines: Engines
    listing: Listing
    templates: Templates
    blame: Blame
    content: Content
    _lifting: dict[Pair, list[str]] = field(default_factory=dict)
    """Exceptions in use, of each pair that is known or was proved."""
    _fresh: set[Pair] = field(default_factory=set)
    """Pairs that were proved in this run, without a finding."""
    _found: list[Finding] = field(default_factory=list)

    def take(self, objects: PairObjects) -> None:
        """Prove a pair while its objects are in memory."""
        proof = self._parts.prove(objects, self.content)
        self._lifting[objects.pair] = sorted(proof.used)
        self._found += proof.findings
        if not proof.findings:
            self._fresh.add(objects.pair)

    def needs(self, pair: Pair, changes: Sequence[Change]) -> bool:
        """Whether a pair is to be proved: something in it changes, or what is known of it is of other files or inputs."""
        changed = any(is_rendered(change.file) and cluster_of(change.file) in pair for change in changes)
        entry = self.known.get(_entry(pair))
        return changed or not entry or bool(entry[0] != self._keys[pair])

    def findings(self, changes: Sequence[Change]) -> list[Finding]:
        """What the proofs find on the trees as they will be once the changes are made."""
        missing = [pair for pair in self._tenants if pair not in self._lifting]
        doubtful = [pair for pair in missing if self.needs(pair, changes)]
        for done, pair in enumerate(doubtful):
            self.space.progress("proving", done, len(doubtful))
            self.take(PairObjects(pair, files_of(pair, self.listing, changes), changes))
        for pair in missing:
            if pair not in self._lifting:
                self._lifting[pair] = self.known.get(_entry(pair))[1]
        fleet, instances = self.inputs.fleet, self.inputs.resolution.instances
        used = {name for names in self._lifting.values() for name in names}
        return [*self._found, *unused_exceptions(fleet, instances, self.space.as_of, fleet.all(Cluster), used)]

    def remember(self, listing: Listing) -> None:
        """Keep in mind which pairs were proved without a finding, on the trees as they are now."""
        for pair in self._tenants:
            self.known.get(_entry(pair))  # a run that ends with errors asks for none, and forgets none
        keys = self._keys_on(listing) if self._fresh else {}
        for pair in self._fresh:
            self.known.put(_entry(pair), [keys[pair], self._lifting[pair]])
        if self._fresh:
            self._parts.remember(listing)

    @cached_property
    def _parts(self) -> KnownParts:
        from tenantry.prove.known_parts import KnownParts
        from tenantry.prove.promises import promises
        from tenantry.prove.run import Prover  # takes a third of a second, and is rarely needed

        fleet, instances = self.inputs.fleet, self.inputs.resolution.instances
        known = promises(fleet, instances, self.space.as_of)
        prover = Prover(known, self.templates, self.blame, self.engines)
        return KnownParts(prover, self.space.store("parts"), self._tenants, self.listing)

    @cached_property
    def _keys(self) -> Mapping[Pair, str]:
        return self._keys_on(self.listing)

    def _keys_on(self, listing: Listing) -> dict[Pair, str]:
        """For each pair what its proof rests on: its files, and the inputs that speak of it."""
        folders: dict[str, list[str]] = defaultdict(list)
        for folder in sorted(listing.folders):
            if is_rendered(folder):
                folders[cluster_of(folder)].append(f"{folder} {listing.fingerprint((folder,))}")
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
        for instance in with_elsewhere(self.inputs.resolution.instances.values()):
            found[instance.site.cluster.pair].add(instance.tenant.name)
        return found


def _entry(pair: Pair) -> str:
    return f"proof of {' and '.join(pair)}"
