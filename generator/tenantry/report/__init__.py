"""A result comes in; text in one of the formats comes out.

Imports core.
"""

from __future__ import annotations

from collections.abc import Callable

from tenantry.core.findings import Result
from tenantry.report import html, json, markdown, text

WRITERS: dict[str, Callable[[Result], str]] = {
    "text": text.write,
    "json": json.write,
    "markdown": markdown.write,
    "html": html.write,
}
