"""Findings as a Code Quality report of GitLab, which shows them in a merge request's changes."""

from __future__ import annotations

from tenantry.core.findings import Result
from tenantry.report.plain import to_json_text
from tenantry.report.repository import path_in_repository, sentence, with_fingerprints

_SEVERITIES = {"error": "critical", "warning": "minor"}


def write(result: Result) -> str:
    """A list of findings; GitLab compares their fingerprints with those of the target branch."""
    found = [
        {
            "description": f"{finding.code}: {sentence(finding)}",
            "check_name": finding.code,
            "fingerprint": mark,
            "severity": _SEVERITIES[finding.severity],
            "location": {
                "path": path_in_repository(result, finding.place.file),
                "lines": {"begin": max(finding.place.line, 1)},
            },
        }
        for finding, mark in with_fingerprints(result)
    ]
    return to_json_text(found)
