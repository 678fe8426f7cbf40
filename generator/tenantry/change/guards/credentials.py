"""A credential is replaced while both values work: no Pod may have one that is refused."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.change.guards.registration import Comparison, guards
from tenantry.core.findings import Finding
from tenantry.model.credential import Credentials


@guards
def overlap(comparison: Comparison) -> Iterator[Finding]:
    """B016: what Pods have works after the change, and what they get worked before it."""
    for earlier, instance in comparison.kept():
        if not instance.running:
            continue
        was = earlier.credentials.by_name
        for name, given in instance.credentials.by_name.items():
            old = was[name]
            if given.generation in old.accepted and old.generation in given.accepted:
                continue
            refused = old.generation if given.generation in old.accepted else given.generation
            written = ("credentials",) if instance.credentials != Credentials() else ()
            path = ("environments", instance.environment, *written)
            message = f"{instance.name}: Pods would have generation {refused} of {name} while it is refused"
            hint = f"one step a change: first {{generation: {old.generation}, also: {given.generation}}}; see 'tenantry secrets --rotation'"
            yield comparison.at(instance, path, "B016", message, hint)
