"""Where a value of an instance was decided."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """What decided a value: a field of an entry, and how the value follows from it."""

    kind: str
    name: str
    path: tuple[str | int, ...]
    how: str
