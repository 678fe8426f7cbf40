"""A tenant's data is erased only after the approved day, and what was recorded of it stays."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.change.guards.registration import Comparison, guards
from tenantry.core.findings import Finding
from tenantry.model.tenant import Offboarding, Tenant


@guards
def erasures(comparison: Comparison) -> Iterator[Finding]:
    """B014: the step `erase` follows an approval that was there before, and records are never taken back."""
    before = comparison.before.fleet.all(Tenant)
    for name, tenant in comparison.after.fleet.all(Tenant).items():
        was, will = before.get(name), tenant.offboarding
        then = was.offboarding if was is not None and was.state == "offboarding" else None
        why = _refused(then, will, comparison.as_of)
        if why:
            hint = "merge 'state: offboarding' with its approval first, and erase in a later change, after its day"
            yield Finding(
                "B014", comparison.after.fleet.place(tenant, "offboarding"), f"{name}: {why}", hint, tenant=name
            )


def _refused(then: Offboarding | None, will: Offboarding | None, as_of: str) -> str:
    """Why an offboarding may not be written like that; empty if it may."""
    if will is None or will.step != "erase":
        erasing = then is not None and (then.step == "erase" or then.erased)
        return "what is being erased can't be brought back" if erasing else ""
    if then is None:
        return "nobody approved before this change that its data is erased"
    if (then.delete_after, then.approver) != (will.delete_after, will.approver):
        return "the change that erases its data also changes who approved that, or until when it is kept"
    if then.delete_after >= as_of:
        return f"its data is kept until {then.delete_after}"
    taken = [record.place for record in then.erased if record not in will.erased]
    return f"the records of {', '.join(taken)} were changed or taken back" if taken else ""
