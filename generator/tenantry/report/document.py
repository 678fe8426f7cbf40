"""Answers other than lists of findings: text for people, and the same as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.report.plain import to_json_text


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """A command's answer; `text` is already fit for a terminal, `fields` are what JSON adds to the common head."""

    command: str
    text: str
    fields: Mapping[str, Any]
    ok: bool = True


def _json(document: CommandAnswer) -> str:
    return to_json_text({"version": 1, "command": document.command, "ok": document.ok, **document.fields})


DOCUMENT_WRITERS: dict[str, Callable[[CommandAnswer], str]] = {"text": lambda document: document.text, "json": _json}
