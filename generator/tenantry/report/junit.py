"""Findings as a JUnit report: valid for the schemas of Ant and of both Jenkins plugins, which disagree on much else."""

from __future__ import annotations

from html import escape

from tenantry.core.findings import Finding, Result
from tenantry.report import statements
from tenantry.report.plain import one_line
from tenantry.report.repository import path_in_repository, sentence

_NO_TIME = "1970-01-01T00:00:00"
"""The schema of Ant requires a time; a report of the same findings is the same bytes."""


def _in_element(text: str) -> str:
    """As in the standard library's xml.sax.saxutils, which loads an HTTP client at each start."""
    return escape(text, quote=False)


def _in_attribute(text: str) -> str:
    """A value of an attribute, with its quotes."""
    return f'"{escape(text)}"'


def write(result: Result) -> str:
    """One suite: an error is a failed test, a warning a skipped one; without findings, one test has passed."""
    errors = sum(finding.severity == "error" for finding in result.findings)
    cases = [_case(result, finding) for finding in result.findings] or [_opening(result.command, "all") + "/>"]
    suite = {
        "name": f"tenantry {result.command}", "package": "tenantry", "id": "0", "timestamp": _NO_TIME,
        "hostname": "localhost", "tests": str(len(cases)), "failures": str(errors), "errors": "0",
        "skipped": str(len(result.findings) - errors), "time": "0",
    }  # fmt: skip
    said = (*statements.lines(result.statements), *result.notes)
    notes = "\n".join(_in_element(_plain(note)) for note in said)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<testsuites>",
        f"<testsuite {' '.join(f'{key}={_in_attribute(value)}' for key, value in suite.items())}>",
        f'<properties><property name="command" value={_in_attribute(result.command)}/></properties>',
        *cases,
        f"<system-out>{notes}</system-out>",
        "<system-err></system-err>",
        "</testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _case(result: Result, finding: Finding) -> str:
    file = path_in_repository(result, finding.place.file)
    place = f"{file}:{finding.place.line}:{finding.place.column}" if finding.place.line else file
    opening = _opening(file, f"{finding.code} {finding.message}")
    text = _in_element(_plain(f"{place}: {finding.code} {sentence(finding)}"))
    if finding.severity == "warning":
        return f"{opening}><skipped>{text}</skipped></testcase>"
    message = _in_attribute(_plain(finding.message))
    return f"{opening}><failure message={message} type={_in_attribute(finding.code)}>{text}</failure></testcase>"


def _opening(group: str, name: str) -> str:
    return f'<testcase classname={_in_attribute(_plain(group))} name={_in_attribute(_plain(name))} time="0"'


def _plain(text: str) -> str:
    """One line of characters that XML allows."""
    return one_line(text.encode("utf-8", "backslashreplace").decode())
