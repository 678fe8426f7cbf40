"""Generations of a credential: in its tenant's file it says which value is used, so that Pods change with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """Which value of a credential is used. The store keeps each generation under a name of its own, which never changes its
    value."""

    generation: int
    also: int | None = None
    """Another generation that is accepted at the same time: the next one, or the one before."""

    @property
    def accepted(self) -> tuple[int, ...]:
        """All generations that work, in their order."""
        return tuple(sorted({self.generation, *(() if self.also is None else (self.also,))}))

    @property
    def endings(self) -> tuple[tuple[str, str], ...]:
        """How names of each generation that works end: in the store and in Secrets, and as variables of a template."""
        return tuple((suffix(generation), suffix(generation).replace("-", "_")) for generation in self.accepted)

    def used(self, name: str) -> str:
        """The name of a property, or of a key, in the generation that is used."""
        return f"{name}{suffix(self.generation)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Credentials of one environment that its Pods read when they start."""

    redis: Credential = Credential(generation=1)
    object_storage: Credential = Credential(generation=1)
    odoo: Credential = Credential(generation=1)

    @property
    def by_name(self) -> Mapping[str, Credential]:
        """Each by its name in the file."""
        return {"redis": self.redis, "objectStorage": self.object_storage, "odoo": self.odoo}


def suffix(generation: int) -> str:
    """The first generation has the bare name: `password`, then `password-2`."""
    return f"-{generation}" if generation > 1 else ""
