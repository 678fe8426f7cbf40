"""A result comes in; text in one of the formats comes out.

Imports core.
"""

from __future__ import annotations

from collections.abc import Callable

from tenantry.core.findings import Result
from tenantry.report import github, gitlab, html, json, junit, markdown, sarif, text

WRITERS: dict[str, Callable[[Result], str]] = {
    "text": text.write,
    "json": json.write,
    "markdown": markdown.write,
    "html": html.write,
    "sarif": sarif.write,
    "junit": junit.write,
    "github": github.write,
    "gitlab": gitlab.write,
}

OF_CHANGES = ("text", "json", "markdown", "html")
"""Formats that also write changes; the others know findings only."""
COMMANDS = ("github",)
"""Formats whose lines are meant to act on their reader; the writer alone decides which do."""
