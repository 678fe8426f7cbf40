"""How a guard is registered, and what it looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tenantry.change.side import Side
from tenantry.core.findings import Finding
from tenantry.resolve.instance import Instance


@dataclass(frozen=True)
class Comparison:
    """The state that a change starts from, the one that it leads to, and the day on which it is made (YYYY-MM-DD)."""

    before: Side
    after: Side
    as_of: str

    def kept(self) -> Iterator[tuple[Instance, Instance]]:
        """Instances of both states, as they were and as they will be."""
        for name, instance in self.after.instances.items():
            earlier = self.before.instances.get(name)
            if earlier is not None:
                yield earlier, instance

    def added(self) -> Iterator[Instance]:
        """Instances that were not there."""
        return (i for name, i in self.after.instances.items() if name not in self.before.instances)

    def at(self, instance: Instance, path: tuple[str | int, ...], code: str, message: str, hint: str) -> Finding:
        """A finding at a field of the tenant's file as it will be; `path` starts at its spec."""
        place = self.after.fleet.place(instance.tenant, *path)
        return Finding(code, place, message, hint, tenant=instance.tenant.name)


Guard = Callable[[Comparison], Iterator[Finding]]
GUARDS: list[Guard] = []


def guards(function: Guard) -> Guard:
    """Register a guard."""
    GUARDS.append(function)
    return function
