"""Documents -> findings, by the JSON Schemas of the input kinds; all of them, never just the first."""

from __future__ import annotations

import datetime
import json
import zoneinfo
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, cast

from jsonschema import Draft202012Validator, FormatChecker

from tenantry.core import addresses
from tenantry.core.findings import Finding, Place
from tenantry.core.suggestions import did_you_mean
from tenantry.inputs.schema_messages import API_VERSION, explain, type_name
from tenantry.inputs.source import Document

KINDS = ("Platform", "Cluster", "Cell", "Release", "ImageContract", "Channel", "Tier", "Tenant", "Exception")

_formats = FormatChecker(())


@_formats.checks("cidr", (ValueError, TypeError))
def _is_cidr(value: object) -> bool:
    return not isinstance(value, str) or bool(addresses.declared(value))


@_formats.checks("ipv4-address", (ValueError, TypeError))
def _is_ipv4_address(value: object) -> bool:
    return not isinstance(value, str) or addresses.declared(f"{value}/32").version == 4


@_formats.checks("date", (ValueError, TypeError))
def _is_date(value: object) -> bool:
    datetime.date.fromisoformat(cast(str, value))
    return True


@_formats.checks("time-zone")
def _is_time_zone(value: object) -> bool:
    return isinstance(value, str) and value in _time_zones()


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def schema_text(kind: str) -> str:
    """The JSON Schema of a kind as shipped."""
    return (resources.files("tenantry.inputs") / "schemas" / f"{kind.lower()}.json").read_text(encoding="utf-8")


@cache
def load_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of a kind, parsed once; don't change it."""
    return cast(dict[str, Any], json.loads(schema_text(kind)))


@cache
def _validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(load_schema(kind), format_checker=_formats)


def validate(document: Document, expected: tuple[str, ...], known_bad: frozenset[Place]) -> list[Finding]:
    """Validate a document that should be of one of the `expected` kinds.

    Places in `known_bad` already have a finding; a second one would only confuse.
    """
    kind_findings = list(_check_kind(document, expected))
    if kind_findings:
        return kind_findings
    validator = _validator(document.data["kind"])
    found = [
        finding
        for error in validator.iter_errors(document.data)
        for finding in explain(document, error)
        if finding.place not in known_bad
    ]
    return found or list(_check_file_name(document))


def _check_kind(document: Document, expected: tuple[str, ...]) -> Iterator[Finding]:
    data = document.data
    if not isinstance(data, dict):
        yield Finding(
            "S011", document.place(), f"is {type_name(data)}, not a mapping", f"start with 'apiVersion: {API_VERSION}'"
        )
        return
    kind = data.get("kind")
    here = " or ".join(expected)
    if kind is None:
        yield Finding("S021", document.place(), "has no field 'kind'", f"add 'kind: {expected[0]}'")
    elif kind not in expected:
        hint = did_you_mean(str(kind), expected) or (
            f"a {kind} belongs in another folder" if kind in KINDS else f"write 'kind: {expected[0]}'"
        )
        yield Finding("S024", document.place(("kind",)), f"kind is '{kind}', but files here are of kind {here}", hint)


def _check_file_name(document: Document) -> Iterator[Finding]:
    metadata = document.data.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None  # other problems have their own finding
    stem = document.file.rsplit("/", 1)[-1].removesuffix(".yaml")
    if name is not None and name != stem:
        message = f"metadata.name is '{name}', but the file is named '{stem}.yaml'"
        yield Finding(
            "S026",
            document.place(("metadata", "name")),
            message,
            f"rename the file to '{name}.yaml', or write 'name: {stem}'",
        )
