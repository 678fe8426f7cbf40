"""Results for people: one line per finding, stable for line-based tools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tenantry.core.findings import Finding, Result
from tenantry.report import statements
from tenantry.report.plain import one_line
from tenantry.report.plan.text import plan_text
from tenantry.report.values import MARKS, by_unit, show


def line(finding: Finding) -> str:
    """`tenants/acme.yaml:14:5: S012 message (hint)`"""
    hint = f" ({finding.hint})" if finding.hint else ""
    word = "warning: " if finding.severity == "warning" else ""
    return one_line(f"{finding.place}: {finding.code} {word}{finding.message}{hint}")


def summary(findings: Sequence[Finding]) -> str:
    """How many there are of each severity, and where to read on."""
    counts = Counter(finding.severity for finding in findings)
    parts = [f"{count} {severity}{'s' if count > 1 else ''}" for severity, count in sorted(counts.items())]
    return f"{' and '.join(parts)}. 'tenantry explain CODE' describes a code."


def write(result: Result) -> str:
    """The result as text, hidden characters escaped."""
    return "\n".join(map(one_line, _lines(result))) + "\n"


def _lines(result: Result) -> Iterator[str]:
    yield from map(line, result.findings)
    yield from _changes(result)
    if result.plan is not None:
        yield from plan_text(result.plan)
    yield from statements.lines(result.statements)
    yield from result.notes
    if result.findings:
        yield summary(result.findings)


def _changes(result: Result) -> Iterator[str]:
    for title, members in by_unit(result):
        yield title
        for change in members:
            yield f"  {MARKS[change.action]} {change.object}"
            for field in change.fields:
                yield f"      {field.path}: {show(field.before)} -> {show(field.after)}"
