"""The order in which a merged change takes effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tenantry.change.windows import AT_ONCE
from tenantry.core.changes import PlanStep, SubjectChange


def steps(subjects: Sequence[SubjectChange]) -> tuple[PlanStep, ...]:
    """What is shared first, then what is tried out, then production, window by window; removals last."""
    return tuple(_steps(subjects))


def _steps(subjects: Sequence[SubjectChange]) -> Iterator[PlanStep]:
    staying = [c for c in subjects if c.action != "removed"]
    shared = [str(c.subject) for c in staying if c.subject.kind != "instance"]
    if shared:
        yield PlanStep("shared services: Argo CD applies them as soon as it is merged", tuple(shared), AT_ONCE)
    trial = [
        c for c in staying if c.subject.kind == "instance" and c.subject.environment != "production" and c.synced_by
    ]
    if trial:
        yield PlanStep("staging and recovery" + _how(trial), tuple(str(c.subject) for c in trial), AT_ONCE)
    production = [c for c in staying if c.subject.environment == "production" and c.synced_by]
    for window in sorted({_window(c) for c in production}, key=lambda window: (window != AT_ONCE, window[4:])):
        there = [c for c in production if _window(c) == window]
        yield PlanStep("production" + _how(there), tuple(str(c.subject) for c in there), window)
    removed = [str(c.subject) for c in subjects if c.action == "removed"]
    if removed:
        yield PlanStep(
            "removal: namespace and databases stay until somebody deletes them in the cluster", tuple(removed), AT_ONCE
        )


def _window(change: SubjectChange) -> str:
    return next((by.window for by in change.synced_by if by.window != AT_ONCE), AT_ONCE)


def _how(changes: Sequence[SubjectChange]) -> str:
    """What the applications of an instance do, in their order."""
    trees = {by.pipeline for change in changes for by in change.synced_by}
    order = [tree for tree in ("infra", "standby", "app") if tree in trees]
    migrates = any(change.migrates for change in changes)
    return f": {', then '.join(order)}{' (backup and migration first)' if migrates else ''}" if order else ""
