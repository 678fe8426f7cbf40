"""JSON Schema errors as messages that a tired engineer understands, each with a fix."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, cast

from jsonschema.exceptions import ValidationError

from tenantry.core import addresses
from tenantry.core.findings import Finding
from tenantry.core.secret_words import HIDDEN, hide, secrets_in
from tenantry.core.suggestions import did_you_mean
from tenantry.inputs.source import Document, Path_

API_VERSION = "tenantry.io/v1alpha1"


def explain(document: Document, error: ValidationError) -> Iterator[Finding]:
    """The findings of one schema error, each at its own place."""
    path = cast(Path_, tuple(error.absolute_path))
    of_key = "propertyNames" in error.absolute_schema_path
    handler = _explain_key_name if of_key else _HANDLERS.get(str(error.validator), _explain_value)
    yield from handler(document, error, path)


def _schema(error: ValidationError) -> dict[str, Any]:
    return cast(dict[str, Any], error.schema)


def _explain_unknown(document: Document, error: ValidationError, path: Path_) -> Iterator[Finding]:
    known = list(_schema(error).get("properties", {}))
    for key in cast(dict[str, Any], error.instance):
        if key not in known:
            hint = did_you_mean(key, known) or f"fields here: {', '.join(known)}"
            place = document.place((*path, key), key=True)
            yield Finding("S020", place, f"unknown field '{_field((*path, key))}'", hint)


def _explain_missing(document: Document, error: ValidationError, path: Path_) -> Iterator[Finding]:
    for name in cast("list[str]", error.validator_value):
        if error.message.startswith(repr(name)):
            about = _schema(error)["properties"].get(name, {}).get("description", "")
            place = document.place(path, key=bool(path) and isinstance(path[-1], str))
            yield Finding("S021", place, f"missing field '{_field((*path, name))}'", about.rstrip("."))


def _explain_type(document: Document, error: ValidationError, path: Path_) -> Iterator[Finding]:
    names = {
        "string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
        "array": "a list", "object": "a mapping",
    }  # fmt: skip
    hint = _about(error)
    if error.validator_value == "string" and isinstance(error.instance, (int, float)):
        hint = f'write "{json.dumps(error.instance)}" in quotes'
    elif error.validator_value in ("integer", "number") and re.fullmatch(r"[0-9]+", str(error.instance)):
        hint = f"write {error.instance} without quotes"
    elif error.instance is None:
        hint = f"give it a value or remove the line. {hint}".strip()
    message = f"'{_field(path)}' must be {names[str(error.validator_value)]}, not {type_name(error.instance)}"
    yield Finding("S022", document.place(path), message, hint)


def _explain_key_name(document: Document, error: ValidationError, path: Path_) -> Iterator[Finding]:
    word = str(error.instance)
    allowed = [str(name) for name in _schema(error).get("enum", ())]
    hint = did_you_mean(word, allowed) or (f"one of: {', '.join(allowed)}" if allowed else "check its spelling")
    place = document.place((*path, word), key=True)
    yield Finding("S020", place, f"unknown entry '{word}' in '{_field(path)}'", hint)


def _explain_value(document: Document, error: ValidationError, path: Path_) -> Iterator[Finding]:
    if path == ("apiVersion",):
        place = document.place(path)
        yield Finding("S025", place, f"apiVersion is {_show(error.instance)}", f"write '{API_VERSION}'")
        return
    words = _WORDS.get(str(error.validator))
    address = _schema(error).get("format") == "cidr" and error.validator in ("pattern", "format")
    if address:
        text, hint = _address_words(error.instance)
    elif words:
        text, hint = words(error), _about(error)
    else:
        text, hint = f"is {_show(error.instance)}, which is invalid", _about(error)
    if error.validator == "enum":
        allowed = [str(value) for value in cast("list[Any]", error.validator_value)]
        hint = did_you_mean(str(error.instance), allowed) or f"one of: {', '.join(allowed)}"
    yield Finding("S023", document.place(path), f"'{_field(path)}' {text}", hint)


_HANDLERS: dict[str, Callable[[Document, ValidationError, Path_], Iterator[Finding]]] = {
    "additionalProperties": _explain_unknown,
    "required": _explain_missing,
    "type": _explain_type,
}
_WORDS: dict[str, Callable[[ValidationError], str]] = {
    "enum": lambda e: f"is {_show(e.instance)}, which is not a known value",
    "minimum": lambda e: f"is {_show(e.instance)}, but must be at least {e.validator_value}",
    "maximum": lambda e: f"is {_show(e.instance)}, but must be at most {e.validator_value}",
    "maxLength": lambda e: f"has {len(cast(str, e.instance))} characters, but at most {e.validator_value} are allowed",
    "minItems": lambda e: f"is empty, but at least {e.validator_value} is required",
    "minProperties": lambda e: f"is empty, but at least {e.validator_value} is required",
    "maxItems": lambda e: (
        f"has {len(cast('list[Any]', e.instance))} entries, but at most {e.validator_value} are allowed"
    ),
    "uniqueItems": lambda _: "contains an entry twice",
    "const": lambda e: f"must be {_show(e.validator_value)}, not {_show(e.instance)}",
}


def _address_words(value: object) -> tuple[str, str]:
    """What is wrong with an address range, and how to fix it."""
    try:
        addresses.declared(value)
    except addresses.AddressError as error:
        return f"is {_show(value)}, {error}", error.hint
    return f"is {_show(value)}, which is invalid", "write it like 203.0.113.0/27"


def _about(error: ValidationError) -> str:
    """The schema's description of the value."""
    return str(_schema(error).get("description", "")).rstrip(".")


def _field(path: Path_) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return re.sub(r"[\x00-\x1f\x7f]", "?", text.lstrip("."))


_BEFORE_HOST = re.compile(r'[^\s/@:"]+:[^\s@]+@(?!sha\d+:)')
"""A user and a password, as in URLs without a scheme."""


def _show(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    text = hide(text, secrets_in(text))
    text = _BEFORE_HOST.sub(f"{HIDDEN}@", text) if isinstance(value, str) and "://" not in value else text
    return text if len(text) <= 60 else text[:57] + "..."


def type_name(value: object) -> str:
    """The type of a YAML value, with an article, as messages say it."""
    if value is None:
        return "empty"
    names = {bool: "a boolean", int: "a number", float: "a fraction", str: "text", list: "a list", dict: "a mapping"}
    return names[type(value)]
