"""Where proofs are registered, by a decorator beside their code."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tenantry.core.controls import CONTROLS_BY_ID
from tenantry.prove.cluster_state import Breach, State

Proof = Callable[[State], Iterator[Breach]]

PROOFS: dict[Proof, tuple[str, ...]] = {}
"""Each proof, and the controls whose breaches it reports."""


def proof(*controls: str) -> Callable[[Proof], Proof]:
    """The function proves these controls on one cluster's objects; raises ValueError for a control that is not in the
    catalog."""
    unknown = [control for control in controls if control not in CONTROLS_BY_ID]
    if unknown or not controls:
        raise ValueError(f"no control of the catalog: {', '.join(unknown) or 'none is named'}")

    def register(function: Proof) -> Proof:
        PROOFS[function] = controls
        return function

    return register
