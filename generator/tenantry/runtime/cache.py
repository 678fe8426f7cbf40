"""Remembers results for unchanged inputs. A cache can be lost or disabled; it never changes an answer."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

from tenantry.runtime.state import FleetState


@cache
def code_digest() -> str:
    """Changes with any file of this package: code, schemas and templates. That invalidates all caches."""
    package = str(resources.files("tenantry"))
    lines = []
    for folder, folders, names in os.walk(package):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            stat = os.stat(f"{folder}/{name}")  # noqa: PTH116 - at each start, for each file
            lines.append(f"{folder}/{name} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}")
    return digest_of(*lines)


def digest_of(*parts: str) -> str:
    """SHA-256 of the parts, in hexadecimal; `('ab', 'c')` and `('a', 'bc')` differ."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode(errors="surrogatepass") + b"\0")
    return digest.hexdigest()


class Store:
    """A mapping in a fleet's state, invalidated when the code changes, replaced atomically."""

    def __init__(
        self, state: FleetState | None = None, name: str = "", say: Callable[[str], None] = lambda _: None
    ) -> None:
        self._state = state
        self._name = name
        self.entries: dict[str, Any] = {}
        self.used: dict[str, Any] = {}
        content = state.read(name, say) if state else None
        if isinstance(content, dict) and content.get("code") == code_digest():
            self.entries = content["entries"]

    def get(self, key: str) -> Any:
        """The saved value, which is then kept for the next run; None if there is none."""
        value = self.entries.get(key)
        if value is not None:
            self.used[key] = value
        return value

    def put(self, key: str, value: Any) -> None:
        """Keep a value for the next run; `save` writes it."""
        self.used[key] = value

    def save(self) -> None:
        """Save what this run used. A cache that can't be written is not an error."""
        if self._state is not None and self.used != self.entries:
            with contextlib.suppress(OSError):
                self._state.write(self._name, {"code": code_digest(), "entries": self.used})
