"""Which parts of a pair are proved again: those that changed since the pair was proved without a finding.

A pair is without findings when its changed parts are, proved by themselves, and no border is crossed. Wherever that can't
be said, the whole pair is proved, so what is reported never depends on what is known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from tenantry.core.paths import cluster_of, folder_of, is_rendered
from tenantry.inputs.fleet import Fleet
from tenantry.model.control_exception import ControlException
from tenantry.prove.pairs import Pair, PairObjects, PairProof
from tenantry.prove.parts import Border, PairPart, Partition, apart, partition
from tenantry.prove.run import Content, Prover
from tenantry.runtime.cache import Store, digest_of
from tenantry.runtime.listing import Listing

Lines = Mapping[str, Mapping[str, str]]
"""By cluster, a line for each folder of its rendered tree, which changes with any of its files."""


@dataclass(frozen=True)
class _Memory:
    """What is known of a pair without findings: the key of what its parts share, exceptions in use, policies that
    matched an object, and the border of each part by its key."""

    common: str
    used: frozenset[str]
    met: frozenset[str]
    borders: Mapping[str, Border]


@dataclass(frozen=True)
class _ProvedParts:
    """A pair that was proved in this run without a finding; `kept` are the borders of parts that were not proved again."""

    used: frozenset[str]
    met: frozenset[str]
    proved: Mapping[PairPart, Border]
    kept: Mapping[str, Border]


@dataclass
class KnownParts:
    """The parts of one fleet's pairs, as they were when the pair was last proved. `listing` is of the beginning of the run."""

    prover: Prover
    store: Store
    pairs: Iterable[Pair]
    listing: Listing
    _fresh: dict[Pair, _ProvedParts] = field(default_factory=dict)
    _partitions: dict[Pair, Partition] = field(default_factory=dict)

    def prove(self, objects: PairObjects, content: Content) -> PairProof:
        """Prove a pair: its changed parts if that is enough, else all of it."""
        whole = self._partition(objects.pair)
        known = self._memory(objects.pair)
        chosen = self._changed(objects, whole, known) if known else None
        if known and chosen is not None:
            unchanged = set(self._keys(whole, chosen).values())
            kept = {key: border for key, border in known.borders.items() if key in unchanged}
            proof = self.prover.prove_parts(objects, content, whole, chosen)
            if is_enough(proof, known.met, kept.values()):
                used = proof.used | self._used_elsewhere(known, chosen)
                self._fresh[objects.pair] = _ProvedParts(used, _met(proof, kept.values()), proof.borders or {}, kept)
                return replace(proof, used=used)
        proof = self.prover.prove_parts(objects, content, whole)
        if proof.borders is not None:
            self._fresh[objects.pair] = _ProvedParts(proof.used, proof.met, proof.borders, {})
        return proof

    def remember(self, listing: Listing) -> None:
        """Keep in mind what was proved without a finding, on the trees as they are now."""
        for pair in self.pairs:
            self.store.get(_entry(pair))  # kept, unless there is something new
        lines = _lines(listing) if self._fresh else {}
        for pair, fresh in self._fresh.items():
            whole = self._partition(pair)
            borders = {self._key(part, lines): border for part, border in fresh.proved.items()} | dict(fresh.kept)
            self.store.put(_entry(pair), {
                "common": self._common(pair, whole, lines), "used": sorted(fresh.used), "met": sorted(fresh.met),
                "parts": {key: {"spaces": b.spaces, "selectors": b.selectors, "met": sorted(b.met)} for key, b in borders.items()},
            })  # fmt: skip
        self.store.save()

    def _used_elsewhere(self, known: _Memory, chosen: Iterable[PairPart]) -> frozenset[str]:
        """Exceptions that are in use outside of some parts."""
        tenants = {name for part in chosen for name in part.tenants}
        exceptions = self._fleet.all(ControlException).values()
        return known.used & {e.name for e in exceptions if e.tenant not in tenants}

    def _changed(self, objects: PairObjects, whole: Partition, known: _Memory) -> list[PairPart] | None:
        """The parts to prove; None if something changed outside of all parts, or a home is gone."""
        if known.common != self._common(objects.pair, whole, self._now):
            return None
        there = {space for border in known.borders.values() for space in border.namespaces}
        touched = {
            folder_of(c.file) for c in objects.changes if is_rendered(c.file) and cluster_of(c.file) in objects.pair
        }
        if not there <= whole.namespaces or not touched <= whole.owners.keys():
            return None
        keys = self._keys(whole, ())
        return [p for p in whole.parts if keys[p] not in known.borders or not touched.isdisjoint(p.folders)]

    def _keys(self, whole: Partition, but: Iterable[PairPart]) -> dict[PairPart, str]:
        left_out = set(but)
        return {part: self._key(part, self._now) for part in whole.parts if part not in left_out}

    def _partition(self, pair: Pair) -> Partition:
        if pair not in self._partitions:
            self._partitions[pair] = partition(self.prover.known, self.prover.templates, pair)
        return self._partitions[pair]

    def _memory(self, pair: Pair) -> _Memory | None:
        entry: Any = self.store.get(_entry(pair))
        if not entry:
            return None
        borders = {
            key: Border(part["spaces"], part["selectors"], frozenset(part["met"]))
            for key, part in entry["parts"].items()
        }
        return _Memory(entry["common"], frozenset(entry["used"]), frozenset(entry["met"]), borders)

    @property
    def _fleet(self) -> Fleet:
        return self.prover.known.fleet

    @cached_property
    def _now(self) -> Lines:
        return _lines(self.listing)

    def _key(self, part: PairPart, lines: Lines) -> str:
        """What the proof of a part rests on, besides what all parts share: its files, its tenants and its cells."""
        own = (lines.get(cluster_of(folder), {}).get(folder, "") for folder in sorted(part.folders))
        return digest_of(*sorted(self._documents(part)), *own)

    def _documents(self, part: PairPart) -> Iterator[str]:
        documents = self._fleet.documents
        for kind, names in (("Tenant", part.tenants), ("Cell", part.cells)):
            yield from (documents[kind, name].digest for name in names if (kind, name) in documents)

    def _common(self, pair: Pair, whole: Partition, lines: Lines) -> str:
        """What all parts rest on: files outside of all parts, and all inputs but tenants and the parts' cells.

        The day only tells which exceptions hold.
        """
        cells = {name for part in whole.parts for name in part.cells}
        inputs = (
            document.digest for (kind, name), document in self._fleet.documents.items()
            if kind != "Tenant" and not (kind == "Cell" and name in cells)
        )  # fmt: skip
        files = (line for name in pair for folder, line in lines.get(name, {}).items() if folder not in whole.owners)
        day = (self.prover.known.as_of,) if self._fleet.all(ControlException) else ()
        return digest_of(*day, *sorted(inputs), *sorted(files))


def is_enough(proof: PairProof, met: frozenset[str], others: Collection[Border]) -> bool:
    """Whether the proof of some parts says that the pair is without findings, as the `others` are known to be.

    A policy that has `met` something before must still do so: one that matches nothing is reported.
    """
    if proof.borders is None or not met <= _met(proof, others):
        return False
    return apart(proof.borders.values(), others)


def _met(proof: PairProof, others: Iterable[Border]) -> frozenset[str]:
    return proof.met.union(*(border.met for border in others))


def _lines(listing: Listing) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for folder in listing.folders:
        if is_rendered(folder):
            found.setdefault(cluster_of(folder), {})[folder] = f"{folder} {listing.fingerprint((folder,))}"
    return found


def _entry(pair: Pair) -> str:
    return f"parts of {' and '.join(pair)}"
