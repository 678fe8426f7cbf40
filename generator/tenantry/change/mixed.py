"""A release and the infrastructure under it change in two steps, through two pipelines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tenantry.change.side import Side
from tenantry.core.changes import SubjectChange
from tenantry.core.findings import Finding

_INFRASTRUCTURE = {"infra", "standby"}


def mixed(before: Side, after: Side, subjects: Sequence[SubjectChange]) -> Iterator[Finding]:
    """B010 for instances that get another release and other infrastructure at once. A warning: it may be meant."""
    for change in subjects:
        was, will = before.instances.get(change.subject.name), after.instances.get(change.subject.name)
        if was is None or will is None or was.release.marker == will.release.marker:
            continue
        trees = {by.pipeline for by in change.synced_by}
        if "app" in trees and trees & _INFRASTRUCTURE:
            message = f"{change.subject} gets another release and other infrastructure in one change"
            hint = "make two changes: if one fails, it is clear which, and either can be taken back alone"
            place = after.fleet.place(will.tenant, "channel")
            yield Finding("B010", place, message, hint, "warning", tenant=will.tenant.name)
