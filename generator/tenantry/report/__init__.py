"""One result, many writers. A new format is one module and one line in WRITERS."""

from __future__ import annotations

from collections.abc import Callable

from tenantry.findings import Result
from tenantry.report import json, markdown, text

WRITERS: dict[str, Callable[[Result], str]] = {
    "text": text.write,
    "json": json.write,
    "markdown": markdown.write,
}
