"""What each format says of a plan, as labelled lines of plain text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tenantry.core.changes import RISKS, Effect, Plan, Risk, Subject, SubjectChange
from tenantry.core.wording import first_few

Line = tuple[str, str]
"""(label, text)"""

MEANING: Mapping[Risk, str] = {
    "data": "data may be lost, moved, or no longer come back",
    "isolation": "who or what reaches whom changes",
    "availability": "something restarts, stops, or serves differently",
    "cost": "it costs more or less",
    "cosmetic": "nobody notices",
}


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """One entry of a plan: a subject's change, and the others for which exactly the same changes."""

    change: SubjectChange
    others: tuple[Subject, ...] = ()

    @property
    def size(self) -> int:
        return 1 + len(self.others)


def plan_entries(plan: Plan) -> list[PlanEntry]:
    """The gravest risk first, removals before all; instances that are alike are one entry."""
    group_of = {group[0]: group[1:] for group in plan.folded}
    inside = {subject for group in plan.folded for subject in group[1:]}
    found = [PlanEntry(c, group_of.get(c.subject, ())) for c in plan.subjects if c.subject not in inside]
    return sorted(found, key=lambda entry: (entry.change.action != "removed", RISKS.index(entry.change.risk)))


def head(plan: Plan) -> Iterator[str]:
    """What is compared, how grave it is, and how many it hits."""
    yield f"From {plan.before} to {plan.after}: {_many(len(plan.inputs), 'input file')} differ{'s' if len(plan.inputs) == 1 else ''}."
    if not plan.subjects:
        yield "No object changes."
        return
    tenants = {c.subject.tenant for c in plan.subjects if c.subject.tenant} | {
        t for c in plan.subjects for t in c.affects
    }
    kinds: Counter[str] = Counter(change.subject.kind for change in plan.subjects)
    parts = [_many(kinds[kind], word) for kind, word in _KINDS.items() if kinds[kind]]
    yield f"It touches {', '.join(parts)}; {_many(len(tenants), 'tenant')} in all."
    yield f"Risk: {plan.risk} ({MEANING[plan.risk]})."
    removed = [str(change.subject) for change in plan.subjects if change.action == "removed"]
    if removed:
        yield f"REMOVED: {', '.join(removed)}."


_KINDS = {"instance": "instance", "cell": "cell", "platform": "cluster's platform"}


def title(entry: PlanEntry) -> str:
    """The subject, where it is, and how many others are alike."""
    subject = entry.change.subject
    where = f"tier {subject.tier}, cell {subject.cell}, cluster {subject.cluster}" if subject.kind == "instance" else ""
    if subject.kind == "cell":
        where = f"cluster {subject.cluster}"
    alike = f" and {_many(entry.size - 1, 'other instance')}: the same change" if entry.others else ""
    action = "" if entry.change.action == "changed" else f" is {entry.change.action}"
    return f"{subject}{action}{f', {where}' if where else ''}{alike}"


def facts(entry: PlanEntry) -> Iterator[Line]:
    """Everything that is said of an entry."""
    change = entry.change
    if entry.others:
        yield "also", ", ".join(map(str, entry.others))
    for effect in sorted(change.effects, key=_weight):
        yield effect.risk, effect.what
    for content in change.contents:
        yield "with", content
    if change.affects:
        yield "shared by", ", ".join(change.affects)
    yield "downtime", "; ".join(change.downtimes) or "none expected"
    if change.restarts:
        yield "restarts", ", ".join(change.restarts)
    yield from _figures(change)
    for by in change.synced_by:
        yield "applied by", f"{by.application} ({by.pipeline} pipeline, cluster {by.cluster}): {by.window}"
    actions = Counter(one.action for one in change.objects)
    if actions:
        yield "objects", ", ".join(f"{actions[a]} {a}" for a in ("added", "changed", "removed") if actions[a])


def _weight(effect: Effect) -> tuple[int, bool, bool]:
    """The gravest first; of one risk, what users notice."""
    return RISKS.index(effect.risk), not effect.downtime, not effect.restarts


def _figures(change: SubjectChange) -> Iterator[Line]:
    cost = change.cost
    if cost is not None and cost.before != cost.after:
        before, after = (_euro(value) for value in (cost.before, cost.after))
        difference = (cost.after or 0) - (cost.before or 0)
        yield "cost", f"{before} -> {after} EUR a month ({difference:+,.2f}); at most {cost.at_most:,} for the tenant"
    for one in change.objectives:
        states = (one.after,) if change.action == "added" else (one.before, one.after)
        values = " -> ".join("unbounded" if v is None else f"{v:.4g} {one.unit}" for v in states)
        yield (
            "objective",
            f"{one.objective}: {values}; promised {one.promised:.4g} {one.unit}{'' if one.kept else ', NOT KEPT'}",
        )
    was, will = change.controls.lifted_before, change.controls.lifted_after
    if was or will:
        same = "" if was == will else f" (before: {', '.join(was) or 'none'})"
        yield "lifted", f"{', '.join(will) or 'none'}{same}"
    yield from _breached(change)


def _breached(change: SubjectChange) -> Iterator[Line]:
    was, will = change.controls.breached_before, change.controls.breached_after
    if was is None or will is None:
        return
    same = "" if was == will or change.action == "added" else f" (before: {', '.join(was) or 'none'})"
    yield "controls", f"{', '.join(will) or 'none'} breached{same}"


def _euro(value: float | None) -> str:
    return "nothing" if value is None else f"{value:,.2f}"


def order(plan: Plan) -> Iterator[str]:
    """The steps, numbered."""
    for number, step in enumerate(plan.steps, start=1):
        whom = first_few(step.subjects, 5)
        yield f"{number}. {step.what} ({step.when}): {whom}"


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
