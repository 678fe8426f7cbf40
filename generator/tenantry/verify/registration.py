"""Where rules, references and the objects that controllers make are registered, by decorators beside their code.

A rule looks at one object, a reference at an object and the index of its cluster. `tenantry.verify` imports all modules
of `operators/` and `kubernetes/`, so that a new file takes effect without a line elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tenantry.core.manifest import Manifest, Problem, Value

if TYPE_CHECKING:
    from tenantry.verify.index import Index

Kind = tuple[str, str]
"""(API group, kind); the core group is empty."""
Rule = Callable[[Manifest], Iterator[Problem]]
Reference = Callable[[Manifest, "Index"], Iterator[Problem]]
Keys = frozenset[str] | None
"""Keys of a Secret or ConfigMap; None when they can't be known."""
Ports = frozenset[str | int]
"""Names and numbers of ports."""


@dataclass(frozen=True, slots=True)
class MadePods:
    """Pods that an object brings forth: their labels, and their ports' names and numbers."""

    namespace: str
    labels: Value
    ports: Ports
    maker: Manifest


PodMaker = Callable[[Manifest], Iterator[MadePods]]
SecretMaker = Callable[[Manifest], Iterator[tuple[str, Keys]]]
ServiceMaker = Callable[[Manifest], Iterator[tuple[str, Ports | None]]]
F = TypeVar("F", bound=Callable[..., object])

RULES: dict[Kind, list[Rule]] = defaultdict(list)
RULES_OF_ALL: list[Rule] = []
REFERENCES: dict[Kind, list[Reference]] = defaultdict(list)
REFERENCES_OF_ALL: list[Reference] = []
POD_MAKERS: dict[Kind, PodMaker] = {}
SECRET_MAKERS: dict[Kind, SecretMaker] = {}
SERVICE_MAKERS: dict[Kind, ServiceMaker] = {}
NAMED_LIKE_THEIR_SECRET: list[Kind] = []
"""Kinds that usually make a Secret of their own name."""
INSTALLATIONS: tuple[Kind, ...] = (
    ("argoproj.io", "Application"),
    ("helm.cattle.io", "HelmChart"),
    ("helm.toolkit.fluxcd.io", "HelmRelease"),
)
"""Kinds by which a controller installs what may not be in the tree."""
ACCOUNT_MAKERS: list[Kind] = []
"""Kinds that stand for a ServiceAccount of their own name."""


def rule_for(group: str, *kinds: str) -> Callable[[F], F]:
    """What is wrong with an object of one of these kinds by itself."""
    return _append(RULES, group, kinds)


def rule_for_all(function: F) -> F:
    """What is wrong with an object of any kind."""
    RULES_OF_ALL.append(function)  # type: ignore[arg-type]
    return function


def references_of(group: str, *kinds: str) -> Callable[[F], F]:
    """What is wrong with an object's references to others."""
    return _append(REFERENCES, group, kinds)


def references_of_all(function: F) -> F:
    """The same for any kind; called last, when `Index.needed` holds what the references led to."""
    REFERENCES_OF_ALL.append(function)  # type: ignore[arg-type]
    return function


def makes_pods(group: str, *kinds: str) -> Callable[[F], F]:
    """The Pods that a controller makes of the object."""
    return _put(POD_MAKERS, group, kinds)


def makes_secrets(group: str, *kinds: str, own_name: bool = False) -> Callable[[F], F]:
    """(name, keys) of the Secrets that a controller makes of the object, in its namespace."""
    if own_name:
        NAMED_LIKE_THEIR_SECRET.extend((group, kind) for kind in kinds)
    return _put(SECRET_MAKERS, group, kinds)


def makes_services(group: str, *kinds: str) -> Callable[[F], F]:
    """(name, ports) of the Services that a controller makes of the object; None for ports that can't be known."""
    return _put(SERVICE_MAKERS, group, kinds)


def makes_accounts(group: str, *kinds: str) -> None:
    """Objects of these kinds come with a ServiceAccount of their name."""
    ACCOUNT_MAKERS.extend((group, kind) for kind in kinds)


def _append(
    registry: Mapping[Kind, list[object]] | Mapping[Kind, list[Rule]] | Mapping[Kind, list[Reference]],
    group: str,
    kinds: tuple[str, ...],
) -> Callable[[F], F]:
    def register(function: F) -> F:
        for kind in kinds:
            registry[group, kind].append(function)  # type: ignore[arg-type]
        return function

    return register


def _put(
    registry: dict[Kind, object] | dict[Kind, PodMaker] | dict[Kind, SecretMaker] | dict[Kind, ServiceMaker],
    group: str,
    kinds: tuple[str, ...],
) -> Callable[[F], F]:
    def register(function: F) -> F:
        for kind in kinds:
            if (group, kind) in registry:
                raise ValueError(f"what {group}/{kind} makes is registered twice")
            registry[group, kind] = function  # type: ignore[assignment]
        return function

    return register
