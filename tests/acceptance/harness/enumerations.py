"""The closed lists of values in the API server's own OpenAPI document, for `verify`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from acceptance.harness.api import Api
from acceptance.harness.fleet import REPOSITORY

FILE = REPOSITORY / "generator/tenantry/verify/native_enumerations.json"
Enumerations = dict[str, dict[str, list[str]]]


def of(api: Api) -> Enumerations:
    """Definition -> property -> values, of every kind that the server has by itself."""
    found: Enumerations = {}
    for path in api.request("GET", "/openapi/v3").body["paths"]:
        if path.startswith(("api/", "apis/")):
            schemas = api.request("GET", f"/openapi/v3/{path}").body.get("components", {}).get("schemas", {})
            for name, schema in schemas.items():
                lists = {key: sorted(values) for key, values in _lists(schema)}
                if name.startswith("io.k8s.") and lists:
                    found[name] = lists
    return found


def _lists(schema: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for key, value in schema.get("properties", {}).items():
        for place in (value, value.get("items", {})):
            if "enum" in place:
                yield key, place["enum"]


def known() -> Enumerations:
    found: Enumerations = json.loads(FILE.read_text())
    return found


def write(found: Enumerations) -> None:
    FILE.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
