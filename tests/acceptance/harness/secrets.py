"""Stands in for External Secrets where a part runs without Kubernetes: fills a rendered ExternalSecret's template."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

_EXPRESSION = re.compile(r"\{\{ \.(\w+)(?: \| (\w+))? \}\}")
_FUNCTIONS: dict[str | None, Callable[[str], str]] = {
    None: str,
    "urlquery": quote_plus,
    "sha256sum": lambda text: hashlib.sha256(text.encode()).hexdigest(),
}


def password(path: str) -> str:
    """What our secret store holds at a path: something else for each."""
    return hashlib.sha256(f"acceptance:{path}".encode()).hexdigest()[:32]


def data_of(external_secret: dict[str, Any]) -> dict[str, str]:
    """Key -> value of the Secret that the operator would write. Raises KeyError for a value that nobody fetches."""
    spec = external_secret["spec"]
    values = {item["secretKey"]: _fetched(item["remoteRef"]) for item in spec["data"]}
    template = spec["target"].get("template", {}).get("data")
    if template is None:
        return values
    return {
        key: _EXPRESSION.sub(lambda found: _FUNCTIONS[found[2]](values[found[1]]), text)
        for key, text in template.items()
    }


def path_of(external_secret: dict[str, Any], key: str) -> str:
    """The password of one fetched value."""
    (item,) = [item for item in external_secret["spec"]["data"] if item["secretKey"] == key]
    return _fetched(item["remoteRef"])


def _fetched(reference: dict[str, str]) -> str:
    return password(f"{reference['key']}#{reference.get('property', '')}")
