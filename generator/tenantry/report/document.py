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
    markdown: str = ""
    """The same for a page, of commands whose answer is one."""


def _json(document: CommandAnswer) -> str:
    return to_json_text({"version": 1, "command": document.command, "ok": document.ok, **document.fields})


DOCUMENT_WRITERS: dict[str, Callable[[CommandAnswer], str]] = {"text": lambda document: document.text, "json": _json}
PAGE_WRITERS: dict[str, Callable[[CommandAnswer], str]] = {
    **DOCUMENT_WRITERS,
    "markdown": lambda document: document.markdown,
}
"""Of commands whose answer is also a page."""
_PAGES = frozenset({"erase", "runbook", "simulate"})


def writers_of(command: str) -> dict[str, Callable[[CommandAnswer], str]]:
    """Format -> how a command's answer is written in it."""
    return PAGE_WRITERS if command in _PAGES else DOCUMENT_WRITERS
