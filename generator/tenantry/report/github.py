"""Findings as workflow commands of GitHub Actions, which annotates the lines of a pull request with them."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.codes import CODES_BY_ID
from tenantry.core.findings import Finding, Result
from tenantry.report import statements
from tenantry.report.plain import one_line
from tenantry.report.repository import path_in_repository, sentence
from tenantry.report.text import summary


def write(result: Result) -> str:
    """One command per finding, then what text says. GitHub shows ten errors and ten warnings of a step."""
    return "".join(f"{line}\n" for line in _lines(result))


def _lines(result: Result) -> Iterator[str]:
    for finding in result.findings:
        yield _command(result, finding)
    yield from map(one_line, (*statements.lines(result.statements), *result.notes))
    if result.findings:
        yield summary(result.findings)


def _command(result: Result, finding: Finding) -> str:
    place, known = finding.place, CODES_BY_ID.get(finding.code)
    properties = {
        "file": path_in_repository(result, place.file),
        "line": str(place.line or 1),
        "col": str(place.column) if place.column else "",
        "title": f"{finding.code} {known.title}" if known else finding.code,
    }
    named = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
    return f"::{finding.severity} {named}::{_data(sentence(finding))}"


def _data(text: str) -> str:
    """Text of a finding, which repeats untrusted files: it stays one line, so it can't begin another command."""
    return one_line(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
