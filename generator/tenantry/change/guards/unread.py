"""What could not be compared is said: a guard that could not look is no guard."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.change.guards.registration import Comparison, guards
from tenantry.change.side import Side
from tenantry.core.findings import Finding, Place
from tenantry.model.common import ENVIRONMENTS
from tenantry.model.names import InstanceNames
from tenantry.model.tenant import Tenant


@guards
def broken(comparison: Comparison) -> Iterator[Finding]:
    """B009: files that were invalid in the state that the change starts from, and are valid or gone now."""
    title = comparison.before.revision.title
    for file in sorted(_invalid(comparison.before) - _invalid(comparison.after)):
        message = f"was invalid in {title}, so it is unknown what this change does to it"
        yield Finding("B009", Place(file), message, "look at it yourself, or name another revision", "warning")
    if not comparison.before.fleet.has_platform:
        hint = "name a revision that holds the fleet"
        yield Finding("B009", Place("platform/platform.yaml"), f"was missing or invalid in {title}", hint)


@guards
def unresolved(comparison: Comparison) -> Iterator[Finding]:
    """B009: instances that could not be resolved in the state that the change starts from, so nothing is known of their data."""
    before = comparison.before
    for tenant in before.fleet.all(Tenant).values() if before.fleet.has_platform else ():
        for environment in (name for name in ENVIRONMENTS if name in tenant.environments):
            name = InstanceNames(tenant.name, environment).instance
            if name not in before.instances:
                message = f"{tenant.name} ({environment}) contradicts the platform in {before.revision.title}"
                hint = "it is unknown what this change does to its data: look at it yourself, or name another revision"
                yield Finding("B009", Place(f"tenants/{tenant.name}.yaml"), message, hint, tenant=tenant.name)


def _invalid(side: Side) -> set[str]:
    """Files with errors; links among them, which are not read at all."""
    return {finding.place.file for finding in side.inputs.findings if finding.code.startswith("S")}
