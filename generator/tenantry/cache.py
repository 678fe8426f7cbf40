"""What is known of unchanged inputs. A cache can be lost or switched off; it never changes an answer."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any


@cache
def code_digest() -> str:
    """Changes whenever a file of this package does: code, schemas and templates. All caches are void then."""
    package = str(resources.files("tenantry"))
    lines = []
    for folder, folders, names in os.walk(package):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            stat = os.stat(f"{folder}/{name}")  # noqa: PTH116 - at each start, for each file
            lines.append(f"{folder}/{name} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}")
    return digest_of(*lines)


def digest_of(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()


class Store:
    """A JSON file of one mapping, void when the code has changed, replaced in one step."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.entries: dict[str, Any] = {}
        self.used: dict[str, Any] = {}
        if path is not None:
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                content = json.loads(path.read_text(encoding="utf-8"))
                if content["code"] == code_digest() and isinstance(content["entries"], dict):
                    self.entries = content["entries"]

    def get(self, key: str) -> Any:
        value = self.entries.get(key)
        if value is not None:
            self.used[key] = value
        return value

    def put(self, key: str, value: Any) -> None:
        self.used[key] = value

    def save(self) -> None:
        """Keep what this run used. A cache that can't be written is no reason to fail."""
        if self.path is None or self.used == self.entries:
            return
        temporary = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps({"code": code_digest(), "entries": self.used}), encoding="utf-8")
            temporary.replace(self.path)
