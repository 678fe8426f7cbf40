"""Results for pull requests: findings as a list, changes as a table per unit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from tenantry.core.findings import Finding, ObjectChange, Result
from tenantry.report import assurance
from tenantry.report.plain import one_line
from tenantry.report.plan.markdown import plan_markdown
from tenantry.report.values import MARKS, escape, show, unit_title


def write(result: Result) -> str:
    """The result as Markdown; with assurances, the report for auditors."""
    return "\n".join(map(one_line, _lines(result))) + "\n"


def _lines(result: Result) -> Iterator[str]:
    yield f"### tenantry {result.command}: {'ok' if result.ok else 'findings'}"
    yield ""
    for note in result.notes:
        yield escape(note)
        yield ""
    for finding in result.findings:
        yield _finding(finding)
    if result.findings:
        yield ""
    if result.plan is not None:
        yield from plan_markdown(result.plan)
    for unit, members in groupby(result.changes, key=unit_title):
        yield from _unit(unit, list(members))
    if result.assurances:
        yield from assurance.write(result.assurances)


def _unit(unit: str, members: list[ObjectChange]) -> Iterator[str]:
    yield f"<details><summary>{escape(unit)}: {len(members)} objects</summary>"
    yield ""
    yield "| | object | field | before | after |"
    yield "|---|---|---|---|---|"
    for change in members:
        head = f"| {MARKS[change.action]} | {escape(str(change.object))} |"
        if not change.fields:
            yield f"{head} | | |"
        for field in change.fields:
            yield f"{head} {_code(field.path)} | {_code(show(field.before))} | {_code(show(field.after))} |"
            head = "| | |"
    yield ""
    yield "</details>"
    yield ""


def _finding(finding: Finding) -> str:
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"- {_code(str(finding.place))} **{finding.code}** {finding.severity}: {escape(finding.message + hint)}"


def _code(text: str) -> str:
    """Text as inline code that can end neither the code nor the table cell."""
    return "`" + text.replace("`", "'").replace("|", "\\|").replace("\n", " ") + "`"
