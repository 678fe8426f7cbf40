"""Changed objects as a Markdown table that folds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tenantry.core.findings import ObjectChange
from tenantry.report.values import MARKS, escape, show


def object_table(summary: str, changes: Sequence[ObjectChange]) -> Iterator[str]:
    """A row for each field, under a line that is shown while it is folded; `summary` is Markdown already."""
    yield f"<details><summary>{summary}</summary>"
    yield ""
    yield "| | object | field | before | after |"
    yield "|---|---|---|---|---|"
    for change in changes:
        head = f"| {MARKS[change.action]} | {escape(str(change.object))} |"
        if not change.fields:
            yield f"{head} | | |"
        for field in change.fields:
            yield f"{head} {code(field.path)} | {code(show(field.before))} | {code(show(field.after))} |"
            head = "| | |"
    yield ""
    yield "</details>"
    yield ""


def code(text: str) -> str:
    """Text as inline code that can end neither the code nor the table cell."""
    return "`" + text.replace("`", "'").replace("|", "\\|").replace("\n", " ") + "`"
