"""What is written where: `--format sarif --output a.sarif --format github` are two formats, the second on standard output.

Each `--output` belongs to the `--format` before it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import click

from tenantry.core.findings import UsageError

Given = tuple[Literal["format", "output"], Any]
"""One of the two options, with its value."""

_ORDER = "tenantry.cli.destinations"


@dataclass(frozen=True, slots=True)
class Destination:
    """A format and the file that it is written to; None is standard output."""

    format: str = "text"
    output: Path | None = None


class OrderedOption(click.Option):
    """An option whose occurrences are remembered among those of others; click keeps the order within an option only."""

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """As click does; the parser then also notes in which order the options came."""
        super().add_to_parser(parser, ctx)
        parse = parser.parse_args

        def noting(args: list[str]) -> Any:
            parsed = parse(args=args)
            ctx.meta.setdefault(_ORDER, {})[ctx.command_path] = [parameter.name for parameter in parsed[2]]
            return parsed

        parser.parse_args = noting


def given_in_order(ctx: click.Context, formats: Sequence[str], outputs: Sequence[Path]) -> list[Given]:
    """Both options of one command in the order of the command line."""
    values: dict[str, Iterator[Any]] = {"format": iter(formats), "output": iter(outputs)}
    order = ctx.meta.get(_ORDER, {}).get(ctx.command_path, [])
    return [(name, next(values[name])) for name in order if name in values]


def overriding(before: Sequence[Given], after: Sequence[Given]) -> list[Given]:
    """What a command gives replaces what stands before its name, each option by itself."""
    replaced = {name for name, _ in after}
    return [*(given for given in before if given[0] not in replaced), *after]


def destinations(given: Sequence[Given]) -> tuple[Destination, ...]:
    """Pairs each output with its format. Raises UsageError for what can't be written as asked."""
    names = sorted(name for name, _ in given)
    if names in ([], ["format"], ["output"], ["format", "output"]):  # nothing to confuse, whatever the order
        return (Destination(**dict(given)),)
    found: list[Destination] = []
    for name, value in given:
        if name == "format":
            found.append(Destination(value))
        elif not found or found[-1].output is not None:
            raise UsageError(f"--output {value} belongs to no --format", "name its format before it")
        else:
            found[-1] = replace(found[-1], output=value)
    _must_be_apart(found)
    return tuple(found)


def _must_be_apart(found: Sequence[Destination]) -> None:
    on_screen = [each.format for each in found if each.output is None]
    if len(on_screen) > 1:
        raise UsageError(
            f"{' and '.join(on_screen)} would both go to standard output", "follow all but one with --output FILE"
        )
    files = [os.path.normpath(each.output) for each in found if each.output is not None]
    twice = sorted({file for file in files if files.count(file) > 1})
    if twice:
        raise UsageError(f"two formats would be written to {twice[0]}", "give each a file of its own")
