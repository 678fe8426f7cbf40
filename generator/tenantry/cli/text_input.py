"""Text that a user hands to a command: standard input, or a file named on the command line."""

from __future__ import annotations

import sys
from pathlib import Path

from tenantry.cli.options import Options
from tenantry.core.findings import UsageError
from tenantry.verify.folder import MAX_FILE_BYTES


def standard_input(example: str) -> str:
    """All of standard input. Raises UsageError for a terminal, over 16 MiB, and what is not UTF-8."""
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("standard input is a terminal", f"pipe something into it: {example}")
    return _text(sys.stdin.buffer.read(MAX_FILE_BYTES + 1), "standard input", "send less at a time")


def named_file(options: Options, path: Path) -> str:
    """The content of a file; a link or a pipe of the user's own will do. Raises UsageError as `standard_input` does."""
    try:
        with options.path(path).open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}", "name a file that can be read") from error
    return _text(content, str(path), "split it")


def _text(content: bytes, called: str, hint: str) -> str:
    if len(content) > MAX_FILE_BYTES:
        raise UsageError(f"{called} exceeds {MAX_FILE_BYTES >> 20} MiB", hint)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = f"byte {error.object[error.start]:#04x} at {error.start}"
        raise UsageError(f"{called} is not UTF-8: {place}") from None
