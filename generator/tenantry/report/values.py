"""How reports show changes and values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from tenantry.core.findings import ObjectChange, Result
from tenantry.core.secret_words import hide_user_information

MARKS = {"added": "+", "changed": "~", "removed": "-"}
_MAX = 200


def show(value: Any) -> str:
    """A value on one line, shortened if long."""
    if value is None:
        return "(absent)"
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= _MAX else f"{text[: _MAX - 3]}..."


_NO_MENTION = "@&#8203;"
"""Prevents mentions: a zero-width character reference separates the `@` from what follows."""


def escape(text: str) -> str:
    """Text as literal Markdown: no markup, no mention, no second line."""
    text = hide_user_information(text)
    for letter in "\\`*_[]<>|":
        text = text.replace(letter, f"\\{letter}")
    return text.replace("\n", " ").replace("@", _NO_MENTION)


def by_unit(result: Result) -> Iterator[tuple[str, list[ObjectChange]]]:
    """(title, changes) of each unit; of units in which the same changes, the first, with the names of the others."""
    others = {group[0]: group[1:] for group in result.alike}
    inside = {unit for group in result.alike for unit in group[1:]}
    for unit, members in groupby(result.changes, key=lambda change: change.unit):
        if unit in inside:
            continue
        changes, same = list(members), others.get(unit, ())
        also = f", and the same in {len(same)} more: {', '.join(same)}" if same else ""
        yield f"{_unit_title(changes[0])}{also}", changes


def _unit_title(change: ObjectChange) -> str:
    """`tenant acme, app (euw1-a/production/acme/app)`"""
    owner = f"tenant {change.tenant}, {change.tree}" if change.tenant else change.tree
    return f"{owner} ({change.unit})"
