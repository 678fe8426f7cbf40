"""Generations of credentials: two that work at once are neighbours, so that the store holds no more than two."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.findings import Finding
from tenantry.plan.scope import Scope


def neighbours(scope: Scope) -> Iterator[Finding]:
    """F052: the other generation that works is the next one or the one before."""
    for instance in scope.instances.values():
        for name, given in instance.credentials.by_name.items():
            if given.also is None or abs(given.also - given.generation) == 1:
                continue
            wanted = " or ".join(str(n) for n in (given.generation - 1, given.generation + 1) if n > 0)
            message = f"generation {given.also} is neither the one after {given.generation} nor the one before"
            path = ("environments", instance.environment, "credentials", name, "also")
            yield scope.at(instance.tenant, path, "F052", message, f"write {wanted}, or leave 'also' out")
