"""An exception must name a known control and tenant, be approved by someone other than its owner, and not have expired.

An expired one is an error of its tenant, and of no other: nothing of them depends on it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator

from tenantry.core.controls import CONTROLS
from tenantry.core.findings import Finding
from tenantry.core.wording import ends
from tenantry.model.control_exception import ControlException
from tenantry.model.policy import CONTROL, Policy
from tenantry.model.tenant import Tenant
from tenantry.model.tier import Tier
from tenantry.plan.scope import Scope

EXPIRED = "F028"
_WARNED_DAYS = 30


def stops(findings: Iterable[Finding]) -> bool:
    """Whether an error stops all tenants. An expired exception, and the breach that it allowed, stop their own."""
    found = list(findings)
    expired = {(finding.tenant, finding.control) for finding in found if finding.code == EXPIRED}
    return any(f.severity == "error" and (f.tenant, f.control) not in expired for f in found)


def dates(scope: Scope) -> Iterator[Finding]:
    """F028 from the day after the last one on, F029 in the 30 days before."""
    today = datetime.date.fromisoformat(scope.as_of)
    for exception in scope.fleet.all(ControlException).values():
        left = (datetime.date.fromisoformat(exception.expires) - today).days
        if left > _WARNED_DAYS:
            continue
        what = f"the exception of {exception.tenant} from {exception.control}"
        when = ends(left, exception.expires)
        place = scope.fleet.place(exception, "expires")
        if left < 0:
            hint = "fix the cause and remove it, or have it approved again; other tenants are not affected"
            yield Finding(
                EXPIRED, place, f"{what} {when}", hint,
                tenant=exception.tenant, control=exception.control,
            )  # fmt: skip
        else:
            hint = "fix the cause by then, or have it approved again"
            yield Finding(
                "F029", place, f"{what} {when}", hint, "warning", tenant=exception.tenant, control=exception.control
            )


def valid(scope: Scope) -> Iterator[Finding]:
    """F021, also for controls named by tiers and policies."""
    for tier in scope.fleet.all(Tier).values():
        for index, control in enumerate(tier.controls_not_kept):
            if control not in CONTROLS:
                yield Finding(
                    "F021",
                    scope.fleet.place(tier, "controlsNotKept", index),
                    f"there is no control '{control}'",
                    "check its id",
                )
    for policy in scope.fleet.all(Policy).values():
        if policy.control not in CONTROLS:
            place = scope.fleet.document(policy).place(("metadata", "annotations", CONTROL))
            yield Finding("F021", place, f"there is no control '{policy.control}'", "check its id")
    for exception in scope.fleet.all(ControlException).values():
        for path, message, hint in _faults(scope, exception):
            yield Finding(
                "F021",
                scope.fleet.place(exception, path),
                message,
                hint,
                tenant=exception.tenant,
                control=exception.control,
            )


def _faults(scope: Scope, exception: ControlException) -> Iterator[tuple[str, str, str]]:
    tenant = scope.fleet.find(Tenant, exception.tenant)
    if tenant is None and not scope.fleet.is_broken(Tenant, exception.tenant):
        yield "tenant", f"there is no tenant '{exception.tenant}'", "remove the exception together with its tenant"
    if tenant is not None and exception.environment and exception.environment not in tenant.environments:
        yield (
            "environment",
            f"tenant '{tenant.name}' has no environment '{exception.environment}'",
            f"it has {', '.join(tenant.environments)}",
        )
    if exception.control not in CONTROLS:
        yield "control", f"there is no control '{exception.control}'", "check its id"
    if exception.approver == exception.owner:
        yield "approver", "owner and approver are the same person", "somebody else must approve it"
