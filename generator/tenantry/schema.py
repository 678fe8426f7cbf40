"""Documents -> findings, by the JSON Schemas of the input kinds; all findings, never just the first."""

from __future__ import annotations

import datetime
import difflib
import ipaddress
import json
import re
import zoneinfo
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, cast

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from tenantry.findings import Finding, Place
from tenantry.source import Document, Path_

API_VERSION = "tenantry.io/v1alpha1"
KINDS = ("Platform", "Cluster", "Cell", "Release", "Channel", "Tier", "Tenant", "Exception")

_formats = FormatChecker(())


@_formats.checks("cidr", ValueError)
def _is_cidr(value: object) -> bool:
    ipaddress.ip_network(cast(str, value), strict=True)
    return True


@_formats.checks("date", ValueError)
def _is_date(value: object) -> bool:
    datetime.date.fromisoformat(cast(str, value))
    return True


@_formats.checks("time-zone")
def _is_time_zone(value: object) -> bool:
    return value in _time_zones()


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def schema_text(kind: str) -> str:
    """The JSON Schema of a kind as it is shipped."""
    return (resources.files("tenantry") / "schemas" / f"{kind.lower()}.json").read_text(encoding="utf-8")


@cache
def load_schema(kind: str) -> dict[str, Any]:
    return cast(dict[str, Any], json.loads(schema_text(kind)))


@cache
def _validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(load_schema(kind), format_checker=_formats)


def validate(document: Document, expected: tuple[str, ...], known_bad: frozenset[Place]) -> list[Finding]:
    """Check a document that should be of one of the `expected` kinds.

    Places in `known_bad` already have a finding of their own; a second one there would only confuse.
    """
    kind_findings = list(_check_kind(document, expected))
    if kind_findings:
        return kind_findings
    validator = _validator(document.data["kind"])
    found = [
        finding
        for error in validator.iter_errors(document.data)
        for finding in _explain(document, error)
        if finding.place not in known_bad
    ]
    return found or list(_check_file_name(document))


def _check_kind(document: Document, expected: tuple[str, ...]) -> Iterator[Finding]:
    data = document.data
    if not isinstance(data, dict):
        yield Finding("S011", document.place(), f"is {_type_name(data)}, not a mapping", f"start with 'apiVersion: {API_VERSION}'")
        return
    kind = data.get("kind")
    here = " or ".join(expected)
    if kind is None:
        yield Finding("S021", document.place(), "has no field 'kind'", f"add 'kind: {expected[0]}'")
    elif kind not in expected:
        hint = _did_you_mean(str(kind), expected) or (f"a {kind} belongs into another folder" if kind in KINDS else f"write 'kind: {expected[0]}'")
        yield Finding("S024", document.place(("kind",)), f"kind is '{kind}', but files here are of kind {here}", hint)


def _check_file_name(document: Document) -> Iterator[Finding]:
    name = document.data["metadata"]["name"]
    stem = document.file.rsplit("/", 1)[-1].removesuffix(".yaml")
    if name != stem:
        message = f"metadata.name is '{name}', but the file is called '{stem}.yaml'"
        yield Finding("S026", document.place(("metadata", "name")), message, f"rename the file to '{name}.yaml', or write 'name: {stem}'")


def _explain(document: Document, error: ValidationError) -> Iterator[Finding]:
    path = cast(Path_, tuple(error.absolute_path))
    of_key = "propertyNames" in error.absolute_schema_path
    handler = _explain_key_name if of_key else _HANDLERS.get(str(error.validator), _explain_value)
    yield from handler(document, error, path)


def _explain_unknown(document: Document, error: ValidationError, path: Path_) -> Iterator[Finding]:
    known = list(error.schema.get("properties", {}))
    for key in error.instance:
        if key not in known:
            field = _field((*path, key))
            hint = _did_you_mean(key, known) or f"fields here: {', '.join(known)}"
            yield Finding("S020", document.place((*path, key), key=True), f"unknown field '{field}'", hint)


def _explain_missing(document: Document, error: ValidationError, path: Path_) -> Iterator[Finding]:
    for name in cast("list[str]", error.validator_value):
        if name not in error.instance and error.message.startswith(repr(name)):
            about = error.schema["properties"].get(name, {}).get("description", "")
            place = document.place(path, key=bool(path) and isinstance(path[-1], str))
            yield Finding("S021", place, f"missing field '{_field((*path, name))}'", about.rstrip("."))


def _explain_type(document: Document, error: ValidationError, path: Path_) -> Iterator[Finding]:
    wanted = _TYPE_NAMES.get(str(error.validator_value), str(error.validator_value))
    hint = _about(error)
    if error.validator_value == "string" and isinstance(error.instance, (int, float)):
        hint = f'write "{json.dumps(error.instance)}" in quotes'
    elif error.instance is None:
        hint = f"give it a value or remove the line. {hint}".strip()
    yield Finding("S022", document.place(path), f"'{_field(path)}' must be {wanted}, not {_type_name(error.instance)}", hint)


def _explain_key_name(document: Document, error: ValidationError, path: Path_) -> Iterator[Finding]:
    allowed = error.schema.get("enum")
    hint = (_did_you_mean(str(error.instance), allowed) or f"one of: {', '.join(allowed)}") if allowed else "check its spelling"
    yield Finding("S020", document.place((*path, error.instance), key=True), f"unknown entry '{error.instance}' in '{_field(path)}'", hint)


def _explain_value(document: Document, error: ValidationError, path: Path_) -> Iterator[Finding]:
    if path == ("apiVersion",):
        yield Finding("S025", document.place(path), f"apiVersion is {_show(error.instance)}", f"write '{API_VERSION}'")
        return
    field, shown = _field(path), _show(error.instance)
    limit: Any = error.validator_value
    match error.validator:
        case "enum":
            hint = _did_you_mean(str(error.instance), limit) or f"one of: {', '.join(map(str, limit))}"
            yield Finding("S023", document.place(path), f"'{field}' is {shown}, which is not a known value", hint)
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
            side = "at least" if "inimum" in str(error.validator) else "at most"
            yield Finding("S023", document.place(path), f"'{field}' is {shown}, but must be {side} {limit}", _about(error))
        case "maxLength":
            yield Finding("S023", document.place(path), f"'{field}' has {len(error.instance)} characters; {limit} are allowed", _about(error))
        case "minItems" | "minProperties":
            yield Finding("S023", document.place(path), f"'{field}' is empty; at least {limit} is needed", _about(error))
        case "maxItems":
            yield Finding("S023", document.place(path), f"'{field}' has {len(error.instance)} entries; {limit} are allowed", _about(error))
        case "uniqueItems":
            yield Finding("S023", document.place(path), f"'{field}' holds an entry twice", "remove one of them")
        case "format" if limit == "cidr":
            yield Finding("S023", document.place(path), f"'{field}' is {shown}, which is not an address range", _cidr_hint(error.instance))
        case "pattern" if error.schema.get("format") == "cidr":
            yield Finding("S023", document.place(path), f"'{field}' is {shown}, which is not an address range", _cidr_hint(error.instance))
        case "const":
            yield Finding("S023", document.place(path), f"'{field}' must be {_show(limit)}, not {shown}", _about(error))
        case _:
            yield Finding("S023", document.place(path), f"'{field}' is {shown}, which does not fit", _about(error))


_HANDLERS = {
    "additionalProperties": _explain_unknown,
    "required": _explain_missing,
    "type": _explain_type,
}
_TYPE_NAMES = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false", "array": "a list", "object": "a mapping"}


def _cidr_hint(value: object) -> str:
    if isinstance(value, str):
        try:
            return f"write {ipaddress.ip_network(value, strict=False)}: a range has no host bits"
        except ValueError:
            pass
    return "write it like 203.0.113.0/27, or 203.0.113.7/32 for one address"


def _about(error: ValidationError) -> str:
    """The schema's own words on the value, followed through one reference."""
    return str(error.schema.get("description", "")).rstrip(".")


def _did_you_mean(word: str, known: Any) -> str:
    lowered = {str(k).lower(): str(k) for k in known}
    close = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return f"did you mean '{lowered[close[0]]}'?" if close else ""


def _field(path: Path_) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return re.sub(r"[\x00-\x1f\x7f]", "?", text.lstrip("."))


def _show(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _type_name(value: object) -> str:
    if value is None:
        return "empty"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list", dict: "a mapping"}
    return names[type(value)]
