"""Makes text safe for terminals, logs and files: output never acts on its reader.

Names of files and objects are untrusted. Written verbatim, they could clear a terminal, reverse text, or fake a line
that a CI system treats as a command (`::error::`, `##[error]`, `##vso[...]`).
"""

from __future__ import annotations

import json
import re
from typing import Any

from tenantry.core.hidden_text import escaped, is_hidden
from tenantry.core.secret_words import hide_user_information

_COMMAND = re.compile(r"##(?=\w*\[)")
"""GitHub, Azure Pipelines and TeamCity treat these as commands anywhere in a line."""
_LINE_COMMAND = re.compile(r"(?m)^(\s*):(?=:)")
"""GitHub treats these as commands at the beginning of a line."""


def one_line(text: str) -> str:
    """Any text as one line of output; passwords in URLs are hidden."""
    return _tame(escaped(text))


def lines(text: str) -> str:
    """Several lines, line endings kept. For output whose lines are generated or already `one_line`."""
    return "\n".join(map(one_line, text.split("\n")))


def to_json_text(document: Any) -> str:
    """JSON with the same content, hidden characters written as escapes."""
    text = json.dumps(_without_credentials(document), ensure_ascii=False, indent=2)
    for character in {c for c in set(text) if c != "\n" and is_hidden(c)}:
        text = text.replace(
            character, f"\\u{ord(character):04x}" if character < "\x80" else json.dumps(character)[1:-1]
        )
    return _COMMAND.sub(r"#\\u0023", text) + "\n"


def _tame(text: str) -> str:
    text = hide_user_information(text)
    return _LINE_COMMAND.sub(r"\1\\x3a", _COMMAND.sub(r"#\\x23", text))


def _without_credentials(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_credentials(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_credentials(inner) for inner in value]
    return hide_user_information(value) if isinstance(value, str) else value
