"""The report of an internal error: where in the code it happened, without any of the processed data."""

from __future__ import annotations

import platform
import tempfile
import traceback
from collections.abc import Iterator, Sequence

from tenantry import __version__


def write(error: BaseException, arguments: Sequence[str]) -> str:
    """Write the report to a file that only its owner can read; return its name."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="tenantry-bug-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(f"tenantry {__version__}, Python {platform.python_version()}, {platform.platform()}\n")
        file.write(f"command: {' '.join(['tenantry', *_words(arguments[1:])])}\n\n")
        file.write("".join(_trace(error)))
        return file.name


def _words(arguments: Sequence[str]) -> Iterator[str]:
    """Command and options, without their values, which may be anything."""
    from tenantry.cli.main import COMMANDS

    for argument in arguments:
        name, equals, _ = argument.partition("=")
        if argument in (*COMMANDS, "tenant", "cell", "exception"):
            yield argument
        elif name in _OPTIONS:
            yield f"{name}=..." if equals else name
        else:
            yield "..."


_OPTIONS = frozenset(
    str.split(
        "-C --format --output --as-of --quiet --no-color --no-cache --kubernetes --objectives --tier --display-name --users"
        " --channel --cell --contact --cluster --tenant --control --reason --compensating-control --owner --approver --expires"
    )
)


def _trace(error: BaseException) -> Iterator[str]:
    """A traceback without exception messages, which may quote data: a line of a file, a value."""
    seen: set[int] = set()
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        chain.append(current)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    for member in reversed(chain):
        yield "Traceback (most recent call last):\n"
        yield from traceback.format_tb(member.__traceback__)
        if type(member).__name__ == "_RemoteTraceback":  # from a worker process; its frames arrive as text
            yield from (f"{line}\n" for line in str(member).split("\n") if line.startswith('  File "'))
        yield f"{type(member).__module__}.{type(member).__qualname__} (message omitted: it may quote a value)\n\n"
