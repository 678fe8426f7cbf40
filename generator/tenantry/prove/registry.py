"""The proofs. A new one is one function and one line here; what it proves stands in controls.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tenantry.prove.network import proof as network
from tenantry.prove.world import Breach, State

Proof = Callable[[State], Iterator[Breach]]

PROOFS: tuple[Proof, ...] = (
    network.isolation,
    network.reachability,
)


def prove(state: State) -> Iterator[Breach]:
    """All breaches in one cluster."""
    for proof in PROOFS:
        yield from proof(state)
