"""A move is made step by step, each in a change of its own, so that somebody looked at what the step before has done."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.change.guards.registration import Comparison, guards
from tenantry.change.moves import following, is_back, is_next
from tenantry.core.findings import Finding
from tenantry.model.migration import AT_TARGET, Migration
from tenantry.model.tenant import Tenant


@guards
def steps(comparison: Comparison) -> Iterator[Finding]:
    """B012: no step is left out, and none is forgotten."""
    before, after = comparison.before.fleet, comparison.after.fleet
    for tenant in after.all(Tenant).values():
        earlier = before.find(Tenant, tenant.name)
        was, will = earlier.migration if earlier else None, tenant.migration
        if was == will or f"tenants/{tenant.name}.yaml" in before.broken:
            continue
        why, hint = _out_of_order(was, will, comparison.as_of)
        if why:
            place = after.place(tenant, "migration", "step") if will else after.place(tenant, "environments")
            yield Finding("B012", place, f"{tenant.name}: {why}", hint, tenant=tenant.name)


@guards
def records(comparison: Comparison) -> Iterator[Finding]:
    """B012: what was recorded of a step stays as it was written, unless the move goes back."""
    for tenant in comparison.after.fleet.all(Tenant).values():
        earlier = comparison.before.fleet.find(Tenant, tenant.name)
        was, will = earlier.migration if earlier else None, tenant.migration
        if was is None or will is None or not (was.step == will.step or is_next(was.step, will.step)):
            continue
        if will.records[: len(was.records)] != was.records:
            place = comparison.after.fleet.place(tenant, "migration", "records" if will.records else "step")
            hint = "records are only added, and go when the move goes back"
            message = f"{tenant.name}: a record of a step that is done would change"
            yield Finding("B012", place, message, hint, tenant=tenant.name)


def _out_of_order(was: Migration | None, will: Migration | None, as_of: str) -> tuple[str, str]:
    """Why a move may not go on like this, and what to do instead; empty if it may."""
    if was is None:
        begins = will is None or will.step == "prepare"
        return ("", "") if begins else ("a move begins with the step 'prepare'", "begin with 'tenantry move'")
    if will is None and was.step in ("prepare", "remove"):
        return "", ""
    if will is None:
        return f"its move would be forgotten in the step '{was.step}'", "end it by its steps, or go back first: --back"
    if (was.from_, was.to) != (will.from_, will.to):
        return "its move would lead from or to another place", "go back and give it up, then begin another"
    if was.step in AT_TARGET and will.keep_source_until < was.keep_source_until:
        return (
            f"the source is kept until {was.keep_source_until}, not {will.keep_source_until}",
            "the day can be put off only",
        )
    backwards = is_back(was.step, will.step)
    if was.attempt and backwards == (was.attempt == will.attempt):
        what = "those of the attempt before" if backwards else "looked for in another folder"
        hint = "'tenantry move' writes 'attempt': another one when it goes back, the same otherwise"
        return f"its copies would be {'taken for ' if backwards else ''}{what}", hint
    if was.step == will.step or is_back(was.step, will.step):
        return "", ""
    if not is_next(was.step, will.step):
        hint = (
            f"the step after '{was.step}' is '{following(was.step) or 'the end of the move'}'; or go back to 'prepare'"
        )
        return f"its move would go from '{was.step}' to '{will.step}' in one change", hint
    if will.step == "remove" and max(was.keep_source_until, will.keep_source_until) >= as_of:
        return f"the source is kept until {will.keep_source_until}", "take the step 'remove' on a later day"
    return "", ""


@guards
def release_stays(comparison: Comparison) -> Iterator[Finding]:
    """B012: what is switched to is what was copied; another release would migrate it in the same change."""
    for earlier, instance in comparison.kept():
        was, will = earlier.move, instance.move
        switches = was is not None and will is not None and (was.step, will.step) == ("freeze", "switch")
        if switches and earlier.release.marker != instance.release.marker:
            message = f"{instance.name} would get release '{instance.release.name}' with the switch"
            hint = "make two changes: if one fails, it is clear which"
            yield comparison.at(instance, ("migration", "step"), "B012", message, hint)
