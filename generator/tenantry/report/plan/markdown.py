"""A plan for a pull request's comment: below the limit of the forges by folding, never by leaving out a removal or a risk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from tenantry.core.changes import RISKS, Plan, Risk
from tenantry.report.object_table import object_table
from tenantry.report.plan.lines import PlanEntry, facts, head, order, plan_entries, title
from tenantry.report.values import escape

LIMIT = 65_536
"""Characters of a comment on GitHub; GitLab allows more."""
_ROOM = 4_096
"""Left for what stands around the plan: findings and the heading."""


def plan_markdown(plan: Plan, room: int = LIMIT - _ROOM) -> Iterator[str]:
    """The most that fits: with every field, without fields, by effect, or by risk. Says where the rest is."""
    levels: tuple[Callable[[Plan], Iterator[str]], ...] = (_whole, _short, _by_effect, _by_risk, _counted)
    for level in levels:
        found = [*_head(plan), *level(plan), *_end(plan)]
        if sum(len(line) + 1 for line in found) <= room:
            break
    yield from found


def _head(plan: Plan) -> Iterator[str]:
    for line in head(plan):
        yield f"**{escape(line)}**" if line.startswith(("REMOVED", "Risk")) else escape(line)
        yield ""


def _end(plan: Plan) -> Iterator[str]:
    if plan.steps:
        yield "**In this order**"
        yield ""
        yield from map(escape, order(plan))
        yield ""
    if plan.approvals:
        yield "**Must agree**"
        yield ""
        yield from (f"- [ ] {escape(one.who)}: {escape(one.why)}" for one in plan.approvals)
        yield ""


def _whole(plan: Plan) -> Iterator[str]:
    for entry in plan_entries(plan):
        yield from _entry(entry)
        objects = entry.change.objects
        if objects:
            yield from object_table(f"{len(objects)} objects", objects)


def _short(plan: Plan) -> Iterator[str]:
    for entry in plan_entries(plan):
        yield from _entry(entry)
    yield from _elsewhere("the fields of the objects")


def _entry(entry: PlanEntry) -> Iterator[str]:
    yield f"#### {_MARKS[entry.change.risk]} {escape(title(entry))}"
    yield ""
    yield "| | |"
    yield "|---|---|"
    for label, text in facts(entry):
        yield f"| {label} | {escape(text)} |"
    yield ""


_MARKS: dict[Risk, str] = {
    "data": "🔴 data:", "isolation": "🟠 isolation:", "availability": "🟡 availability:", "cost": "🔵 cost:", "cosmetic": "⚪ cosmetic:",
}  # fmt: skip


def _by_effect(plan: Plan) -> Iterator[str]:
    """Each effect once, with those that it happens to."""
    whom: dict[tuple[Risk, str], list[str]] = defaultdict(list)
    for change in plan.subjects:
        for effect in change.effects:
            whom[effect.risk, effect.what].append(str(change.subject))
    for (risk, what), subjects in sorted(whom.items(), key=lambda item: RISKS.index(item[0][0])):
        yield f"- **{risk}** {escape(what)}: {escape(', '.join(subjects))}"
    yield ""
    yield from _elsewhere("cost, windows and fields of each")


def _by_risk(plan: Plan) -> Iterator[str]:
    """Each subject once, under its gravest risk."""
    for risk in RISKS:
        subjects = [str(change.subject) for change in plan.subjects if change.risk == risk]
        if subjects:
            yield f"- **{risk}** ({len(subjects)}): {escape(', '.join(subjects))}"
    yield ""
    yield from _elsewhere("what happens to each")


def _counted(plan: Plan) -> Iterator[str]:
    """Counts; the head names what is removed."""
    for risk in RISKS:
        count = sum(1 for change in plan.subjects if change.risk == risk)
        if count:
            yield f"- **{risk}**: {count}"
    yield ""
    yield from _elsewhere("who it is")


def _elsewhere(what: str) -> Iterator[str]:
    yield f"Too long for a comment: {what} stand in 'tenantry plan --format html' and '--format json'."
    yield ""
