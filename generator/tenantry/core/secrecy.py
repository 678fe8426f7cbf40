"""Keeps secrets of Kubernetes objects out of output: the only module that knows which fields contain them.

Code that shows an object's fields shows `concealed(value)`; every sentence about an object passes `veil.redacted`.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import json
import re
from typing import Any

from tenantry.core.manifest import Path, mapping, text
from tenantry.core.secret_words import HIDDEN, hide, is_literal, says_secret, secrets_in

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""Where `kubectl apply` stores a copy of the object."""

_OPEN_PARTS = ("apiVersion", "kind", "type", "immutable")
_PEOPLES_NAMES = re.compile(r"[_.-]|\A[A-Z]+\Z")
"""Keys chosen by people; fields of a kind are in camel case."""
_NAMES_OF_SECRETS = {"traefik.io": ("secret",)}
"""Fields named like a secret that only reference a Secret."""


class Concealed(str):
    """Replaces a text that contains a secret: displays `(hidden)`, and equals another that hides the same text."""

    digest: bytes

    def __new__(cls, shown: str, original: object) -> Concealed:
        made = super().__new__(cls, shown)
        made.digest = hashlib.sha256(json.dumps(original, sort_keys=True, default=str).encode()).digest()
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Concealed) and self.digest == other.digest

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.digest)


def concealed(value: Any) -> Any:
    """An object, or a List of them, with each secret replaced by a `Concealed`; everything else is unchanged."""
    return _Walk().value(value, (), "")


def plain(value: Any) -> Any:
    """A concealed value for output, without any trace of the original."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return str(value) if isinstance(value, Concealed) else value


def secrets_of(value: Any) -> tuple[list[Path], list[str]]:
    """Paths and texts of an object's secrets."""
    walk = _Walk()
    walk.value(value, (), "")
    return walk.paths, walk.parts


# --- which fields


class _Walk:
    """Traverses an object once and records each secret's path and text."""

    def __init__(self) -> None:
        self.paths: list[Path] = []
        self.parts: list[str] = []

    def value(self, value: Any, path: Path, group: str, *, free: bool = False) -> Any:
        if isinstance(value, dict):
            return self.mapping(value, path, group, free=free)
        if isinstance(value, list):
            return self.list(value, path, group)
        return self.text(value, path) if isinstance(value, str) else value

    def mapping(self, value: dict[str, Any], path: Path, group: str, *, free: bool) -> dict[str, Any]:
        kind, api = text(value.get("kind")).lower(), value.get("apiVersion")
        if kind == "secret" and not value.keys().isdisjoint(("metadata", "data", "stringData")):
            return self.secret(value, path)
        group = api.partition("/")[0] if isinstance(api, str) else group
        free = free or kind == "configmap"
        secret = {key for key, inner in value.items() if self.is_secret(key, inner, value, group, path, free=free)}
        return {
            key: self.veiled(inner, (*path, key)) if key in secret
            else self.last_applied(inner, (*path, key)) if key == LAST_APPLIED
            else self.value(inner, (*path, key), group, free=free and key in ("data", "binaryData"))
            for key, inner in value.items()
        }  # fmt: skip

    def is_secret(self, key: str, inner: Any, around: dict[str, Any], group: str, path: Path, *, free: bool) -> bool:
        if isinstance(inner, bool) or inner is None or (isinstance(inner, str) and not is_literal(inner)):
            return False
        if key == "value":
            name = next((text(around[name]) for name in ("name", "key") if name in around), "")
            return says_secret(name) or (group == "external-secrets.io" and "fake" in path)
        if key in _NAMES_OF_SECRETS.get(group, ()):
            return False
        if group == "external-secrets.io" and path[-2:] == ("template", "data") and "{{" not in str(inner):
            return True
        in_data = free or (bool(path) and path[-1] in ("data", "stringData"))
        if not in_data and (isinstance(inner, dict) or (isinstance(inner, list) and any(map(_holds_more, inner)))):
            return False  # a reference, such as {name, key}
        return says_secret(key, free=in_data or bool(_PEOPLES_NAMES.search(key)))

    def list(self, value: list[Any], path: Path, group: str) -> list[Any]:
        """A list; in a command line, the argument after `--password` is a secret."""
        result = []
        for index, item in enumerate(value):
            before = value[index - 1] if index else None
            flag = isinstance(before, str) and before.startswith("-") and "=" not in before
            if flag and not text(item).startswith("-") and says_secret(text(before)):
                result.append(self.veiled(item, (*path, index)))
            else:
                result.append(self.value(item, (*path, index), group))
        return result

    def text(self, value: str, path: Path) -> str:
        spans = list(secrets_in(value))
        if not spans:
            return value
        self.paths.append(path)
        self.parts += (value[start:end] for start, end in spans)
        return Concealed(hide(value, iter(spans)), value)

    def veiled(self, value: Any, path: Path) -> Any:
        """The whole value is secret; its keys are not."""
        if isinstance(value, dict):
            return {key: self.veiled(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.veiled(inner, (*path, index)) for index, inner in enumerate(value)]
        if value is None:
            return None
        self.paths.append(path)
        self.parts.append(value if isinstance(value, str) else json.dumps(value))
        return Concealed(HIDDEN, value)

    def secret(self, value: dict[str, Any], path: Path) -> dict[str, Any]:
        """A Secret: everything is hidden except its identity and annotations that don't repeat its values."""
        result = {
            key: self.veiled(inner, (*path, key))
            for key, inner in value.items()
            if key not in (*_OPEN_PARTS, "metadata")
        }
        parts = [variant for part in self.parts for variant in variants(part) if len(variant) >= 4]
        metadata, where = mapping(value.get("metadata")), (*path, "metadata", "annotations")
        annotations = {
            key: self.veiled(content, (*where, key))
            if key == LAST_APPLIED or any(part in text(content) for part in parts)
            else self.value(content, (*where, key), "")
            for key, content in mapping(metadata.get("annotations")).items()
        }
        shown = {**metadata, **({"annotations": annotations} if annotations else {})}
        opened = {key: inner for key, inner in value.items() if key in _OPEN_PARTS}
        return {**opened, **({"metadata": shown} if metadata else {}), **result}

    def last_applied(self, value: Any, path: Path) -> Any:
        """A copy of the object in an annotation: hidden completely if it contains a secret or can't be parsed."""
        before = len(self.parts)
        try:
            inner = json.loads(value)
        except (ValueError, TypeError, RecursionError):
            return self.veiled(value, path)
        paths = list(self.paths)
        self.value(inner, path, "")
        self.paths = [*paths, path] if len(self.parts) > before else paths
        return Concealed(HIDDEN, value) if len(self.parts) > before else value


def _holds_more(value: object) -> bool:
    return isinstance(value, (dict, list))


def variants(secret: str) -> set[str]:
    """The forms in which a secret may be quoted: verbatim, decoded, escaped."""
    texts = [secret.strip()]
    with contextlib.suppress(binascii.Error, ValueError):
        texts.append(base64.b64decode(texts[0], validate=True).decode().strip())
    escapes = (json.dumps(t)[1:-1] for t in texts)
    return {
        *texts,
        *escapes,
        *(json.dumps(t, ensure_ascii=False)[1:-1] for t in texts),
        *(repr(t)[1:-1] for t in texts),
    } - {""}
