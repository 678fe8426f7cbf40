"""What could not be compared is said: a guard that could not look is no guard."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.change.guards.registration import Comparison, guards
from tenantry.change.side import Side
from tenantry.core.findings import Finding, Place


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


def _invalid(side: Side) -> set[str]:
    """Files with errors; links among them, which are not read at all."""
    return {finding.place.file for finding in side.inputs.findings if finding.code.startswith("S")}
