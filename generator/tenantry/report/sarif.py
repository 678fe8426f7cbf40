"""Findings as SARIF 2.1.0, for code scanning and for viewers in editors."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from tenantry import __version__
from tenantry.core.codes import CODES_BY_ID
from tenantry.core.findings import Finding, Place, RelatedPlace, Result
from tenantry.report.plain import to_json_text
from tenantry.report.repository import path_in_repository, sentence, with_fingerprints
from tenantry.report.statements import TITLES, facts

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_REPOSITORY, _PACKAGE = "%SRCROOT%", "TENANTRY"
_BASES = {_REPOSITORY: "The top of the repository.", _PACKAGE: "The folder 'render' of the installed package tenantry."}
_ROLES = {
    "input": "This input decided the value.",
    "template": "This template wrote the value.",
    "overlay": "Kustomize added the value by this overlay.",
}


def write(result: Result) -> str:
    """One run, with the rules that were broken; the same findings give the same bytes."""
    rules = sorted({finding.code for finding in result.findings})
    run = {
        "tool": {"driver": {"name": "Tenantry", "version": __version__, "rules": [_rule(code) for code in rules]}},
        "automationDetails": {"id": f"tenantry/{result.command}/"},
        "originalUriBaseIds": {name: {"description": {"text": text}} for name, text in _BASES.items()},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(result)],
        "results": [_result(result, rules, finding, mark) for finding, mark in with_fingerprints(result)],
    }
    return to_json_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(code: str) -> dict[str, Any]:
    known = CODES_BY_ID.get(code)
    if known is None:
        return {"id": code}
    return {
        "id": code,
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": known.meaning},
        "help": {"text": f"{known.meaning} 'tenantry explain {code}' prints this."},
    }


def _invocation(result: Result) -> dict[str, Any]:
    notes = [{"level": "note", "message": _message(note)} for note in (*_said(result), *result.notes)]
    return {"executionSuccessful": True, "toolExecutionNotifications": notes}


def _said(result: Result) -> Iterator[str]:
    for one in result.statements:
        yield f"{' '.join(one.controls)}: {TITLES[one.standing]}: {'; '.join((one.sentence, *facts(one)))}"


def _result(result: Result, rules: list[str], finding: Finding, mark: str) -> dict[str, Any]:
    location: dict[str, Any] = {"physicalLocation": _physical(_uri(result, finding.place.file), finding.place)}
    if finding.object is not None:
        location["logicalLocations"] = [{"fullyQualifiedName": str(finding.object), "kind": "resource"}]
    found = {
        "ruleId": finding.code,
        "ruleIndex": rules.index(finding.code),
        "level": finding.severity,
        "message": _message(sentence(finding)),
        "locations": [location],
        "relatedLocations": [_related(result, number, place) for number, place in enumerate(finding.related, 1)],
        "partialFingerprints": {"primaryLocationLineHash": f"{mark[:16]}:1", "tenantryFinding/v1": mark},
        "properties": _properties(finding),
    }
    return {key: value for key, value in found.items() if value not in ([], {})}


def _properties(finding: Finding) -> dict[str, Any]:
    identity = None if finding.object is None else dataclasses.asdict(finding.object)
    named = {"tenant": finding.tenant, "control": finding.control, "object": identity}
    return {key: value for key, value in named.items() if value}


def _related(result: Result, number: int, related: RelatedPlace) -> dict[str, Any]:
    file = related.place.file
    uri = _below(_PACKAGE, file) if related.role == "template" else _uri(result, file)
    return {"id": number, "physicalLocation": _physical(uri, related.place), "message": {"text": _ROLES[related.role]}}


def _physical(artifact: dict[str, str], place: Place) -> dict[str, Any]:
    """Code scanning shows nothing without a line, so a file as a whole is its first line."""
    region = {"startLine": max(place.line, 1)}
    if place.column:
        region["startColumn"] = place.column
    return {"artifactLocation": artifact, "region": region}


def _uri(result: Result, file: str) -> dict[str, str]:
    path = path_in_repository(result, file)
    return {"uri": f"file://{_quoted(path)}"} if path.startswith("/") else _below(_REPOSITORY, path)


def _below(base: str, path: str) -> dict[str, str]:
    return {"uri": _quoted(path), "uriBaseId": base}


def _quoted(path: str) -> str:
    return quote(os.fsencode(path), safe="/")


def _message(text: str) -> dict[str, str]:
    """Text that a viewer can't take for a link, which would be `[words](target)`."""
    return {"text": text.replace("](", "] (")}
