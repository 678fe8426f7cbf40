"""The border to terminals, logs and files: nothing that is written acts on what reads it.

Names of files and objects come from whoever made them. Written as they are, they could clear a terminal, turn text
around, or fake a line that a CI system takes for a command (`::error::`, `##[error]`, `##vso[...]`).
"""

from __future__ import annotations

import json
import re
from typing import Any

from tenantry.core.hidden_text import escaped, is_hidden
from tenantry.core.secret_words import hide_user_information

_COMMAND = re.compile(r"##(?=\w*\[)")
"""GitHub, Azure Pipelines and TeamCity take these for commands wherever they stand in a line."""
_LINE_COMMAND = re.compile(r"(?m)^(\s*):(?=:)")
"""GitHub takes these for commands at the beginning of a line."""


def one_line(text: str) -> str:
    """Text that fills one line of output, whatever is in it; passwords in addresses are hidden."""
    return _tame(escaped(text))


def lines(text: str) -> str:
    """Several lines, their ends kept. For output of which each line was made by us or is `one_line` already."""
    return "\n".join(map(one_line, text.split("\n")))


def to_json_text(document: Any) -> str:
    """JSON that reads back as it was, with hidden characters as escapes."""
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
