"""A failover is made step by step, and what was promoted once stays said: its archive must never be written again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tenantry.change.failovers import follows
from tenantry.change.guards.registration import Comparison, guards
from tenantry.core.findings import Finding
from tenantry.model.failover import Failover

Refusal = tuple[str, str]
_RELEASE: Refusal = (
    "it would get another release with the failover",
    "make two changes: if one fails, it is clear which",
)


@guards
def failover_steps(comparison: Comparison) -> Iterator[Finding]:
    """B015: no step is left out, and none is forgotten."""
    for earlier, instance in comparison.kept():
        refusal = _refusal(earlier.failovers, instance.failovers)
        changed = earlier.failovers != instance.failovers
        if refusal is None and changed and earlier.release.marker != instance.release.marker:
            refusal = _RELEASE
        if refusal is not None:
            path = ("environments", instance.environment, *(("failovers",) if instance.failovers else ()))
            yield comparison.at(instance, path, "B015", f"{instance.name}: {refusal[0]}", refusal[1])
    for instance in comparison.added():
        if instance.failovers:
            path = ("environments", instance.environment, "failovers")
            message = f"{instance.name} is new, and nothing of it is at its other place yet"
            yield comparison.at(instance, path, "B015", message, "let it serve at its home first")


def _refusal(was: Sequence[Failover], will: Sequence[Failover]) -> Refusal | None:
    """Why failovers may not change like this, and what to do instead; None if they may."""
    if len(will) < len(was):
        given_up = was[-1].step == "demote" and tuple(will) == tuple(was[:-1])
        why = f"the failover to '{was[-1].to}' would be forgotten in the step '{was[-1].step}'"
        return None if given_up else (why, "keep the entry; only what was not promoted can be given up")
    for old, now in zip(was, will, strict=False):
        refusal = _changed(old, now) if old != now else None
        if refusal is not None:
            return refusal
    new = will[len(was) :]
    if len(new) > 1:
        return f"{len(new)} failovers would begin in one change", "begin one, and look at it before the next"
    for failover in new:
        if failover.step not in ("demote", "promote") or failover.promotion_token:
            why = f"a failover begins with the step 'demote', or with 'promote' when the place that serves is lost, not with '{failover.step}'"
            return why, "begin with 'tenantry failover'"
    return None


def _changed(old: Failover, now: Failover) -> Refusal | None:
    if replace(now, step=old.step, promotion_token=old.promotion_token) != old:
        return f"generation {old.generation} would be another failover than it was", "begin another one"
    if now.step not in (old.step, follows(old)):
        why = f"its failover would go from '{old.step}' to '{now.step}' in one change"
        return why, f"the next step is {follows(old) or 'none: it is over'}"
    if now.step == "promote" and old.step == "demote" and not now.promotion_token:
        why = "it was demoted, and would be promoted without its token, before it has all that the other place had"
        return why, "'tenantry failover --next --token TOKEN'"
    if old.step != "demote" and now.promotion_token != old.promotion_token:
        return "its token would change after it was used", "put it back"
    return None
