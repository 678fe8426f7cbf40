"""A plan for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.changes import Plan
from tenantry.report.plan.lines import facts, head, order, plan_entries, title

_WIDTH = 13


def plan_text(plan: Plan) -> Iterator[str]:
    """Lines; each entry begins at the margin, what is said of it is indented."""
    yield from head(plan)
    for entry in plan_entries(plan):
        yield ""
        yield title(entry)
        for label, text in facts(entry):
            yield f"  {label:<{_WIDTH}}{text}"
    if plan.steps:
        yield ""
        yield "In this order:"
        yield from (f"  {line}" for line in order(plan))
    if plan.approvals:
        yield ""
        yield "Must agree:"
        yield from (f"  {approval.who}: {approval.why}" for approval in plan.approvals)
