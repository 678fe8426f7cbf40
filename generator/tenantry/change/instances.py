"""What a change of an instance's values means, beyond its objects: migrations, states, exceptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tenantry.change.building import Key
from tenantry.change.failovers import failover_effects, switches
from tenantry.change.guards.placement import data_places
from tenantry.change.moves import crosses, move_effects
from tenantry.change.restores import database_effects, restore_effects, takes_over
from tenantry.change.side import Side
from tenantry.core.changes import Effect
from tenantry.core.manifest import Manifest, how_many
from tenantry.model.migration import MoveStep
from tenantry.resolve.instance import Instance

_STATES = {
    "active": ("availability", "it is started again", ""),
    "suspended": (
        "availability",
        "Pods are stopped and hosts are closed; data and backups are kept",
        "until it is active again",
    ),
    "offboarding": ("availability", "Odoo and its routes are removed; database and backups are kept", "for good"),
}


def instance_effects(
    before: Side, after: Side, was: Instance, will: Instance, objects: Mapping[Key, Manifest]
) -> Iterator[Effect]:
    """Effects of differing values; `objects` are those of the new state."""
    if was.state != will.state:
        risk, what, down = _STATES[will.state]
        yield Effect(risk, f"state {was.state} -> {will.state}: {what}", downtime=down)  # type: ignore[arg-type]
    if was.tier.name != will.tier.name:
        yield Effect("isolation", f"tier {was.tier.name} -> {will.tier.name}: other isolation, limits and objectives")
    yield from move_effects(was, will)
    if was.failovers == will.failovers:
        yield from restore_effects(was.database_servers, will.database_servers)
    yield from database_effects(was, will)
    yield from failover_effects(was, will)
    if not switches(was, will):
        yield from _moves(was, will)
    if was.release.marker != will.release.marker and will.running:
        yield _migration(was, will, objects)
    yield from _exceptions(before, after, was, will)
    hidden = _unseen(was, will)
    if hidden:
        yield Effect("cosmetic", f"{hidden} changes in the tenant's file")


def _moves(was: Instance, will: Instance) -> Iterator[Effect]:
    here, there = data_places(was), data_places(will)
    copied = data_places(was.move.other) if was.move is not None and crosses(was, will) else {}
    if takes_over(was, will) and was.beside is not None:
        copied = data_places(was.beside)
        there = {**there, "database": here["database"]} if there["database"] == copied["database"] else there
    for what, place in here.items():
        if there[what] == copied.get(what) != place:
            yield Effect("data", f"its {what} is now that of the other place of its move: {place} -> {there[what]}")
        elif there[what] != place:
            down = "until its data is moved" if what != "backups" else ""
            yield Effect("data", f"its {what} would be elsewhere, and empty: {place} -> {there[what]}", downtime=down)


def _migration(was: Instance, will: Instance, objects: Mapping[Key, Manifest]) -> Effect:
    """The backup and the migration run before the new Pods start, and Odoo is down meanwhile."""
    seconds = sum(
        how_many(manifest.spec.get("activeDeadlineSeconds"))
        for (cluster, identity), manifest in objects.items()
        if cluster == will.site.cluster.name
        and identity.namespace == will.names.namespace
        and manifest.kind == ("batch", "Job")
        and identity.name in ("odoo-backup", "odoo-migration")
    )
    release = (
        f"release {was.release.name} -> {will.release.name}"
        if was.release.name != will.release.name
        else f"release {will.release.name} has other modules or another image"
    )
    risk = "data" if was.release.odoo_version != will.release.odoo_version else "availability"
    what = f"{release}: the database is backed up and migrated, which can't be undone without restoring that backup"
    limit = f" ({seconds // 60} min at most, then it is stopped)" if seconds else ""
    return Effect(risk, what, downtime=f"while it is migrated{limit}", migrates=True)  # type: ignore[arg-type]


def _exceptions(before: Side, after: Side, was: Instance, will: Instance) -> Iterator[Effect]:
    old, new = before.exceptions(was), after.exceptions(will)
    for name in sorted(new.keys() - old.keys()):
        found = new[name]
        what = f"control {found.control} is lifted until {found.expires} ({found.reason}; approved by {found.approver})"
        yield Effect("isolation", what)
    for name in sorted(old.keys() - new.keys()):
        yield Effect("isolation", f"control {old[name].control} is no longer lifted")
    for name in sorted(old.keys() & new.keys()):
        if old[name] != new[name]:
            found = new[name]
            yield Effect(
                "isolation", f"exception {name} of control {found.control} changes, and ends on {found.expires}"
            )


def _step(instance: Instance) -> MoveStep | None:
    return instance.move.step if instance.move is not None else None


def _unseen(was: Instance, will: Instance) -> str:
    """Fields of the tenant that no object shows, but a person should see."""
    one, other = was.tenant, will.tenant
    fields = {
        "owner": one.owner != other.owner,
        "classification": one.classification != other.classification,
        "residency": one.residency != other.residency,
        "customer": one.customer != other.customer,
        "offboarding": one.offboarding != other.offboarding,
        "migration": one.migration != other.migration and _step(was) is not None and _step(was) == _step(will),
    }
    return ", ".join(name for name, differs in fields.items() if differs)
