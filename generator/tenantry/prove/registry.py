"""All proofs. A new one is a function with the decorator `proof`, in any module of this package; what it proves stands
in `core/controls.py`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache

from tenantry import prove as package
from tenantry.prove.cluster_state import Breach, State
from tenantry.prove.registration import PROOFS, Proof


@cache
def proofs() -> Mapping[Proof, tuple[str, ...]]:
    """Each proof of the package, and the controls that it proves; ordered by module and place in it."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)  # registers what it holds
    return dict(sorted(PROOFS.items(), key=lambda item: (item[0].__module__, item[0].__code__.co_firstlineno)))


def prove(state: State) -> Iterator[Breach]:
    """All breaches in one cluster."""
    for proof in proofs():
        yield from proof(state)
