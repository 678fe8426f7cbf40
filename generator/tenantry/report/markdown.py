"""Results for pull requests: findings as a list, changes as a table per unit."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.findings import Finding, Result
from tenantry.report import assurance, statements
from tenantry.report.object_table import code, object_table
from tenantry.report.plain import one_line
from tenantry.report.plan.markdown import plan_markdown
from tenantry.report.values import by_unit, escape


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
    for title, there in by_unit(result):
        yield from object_table(f"{escape(title)}: {len(there)} objects", there)
    yield from statements.markdown(result.statements)
    if result.assurances:
        yield from assurance.write(result.assurances)


def _finding(finding: Finding) -> str:
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"- {code(str(finding.place))} **{finding.code}** {finding.severity}: {escape(finding.message + hint)}"
