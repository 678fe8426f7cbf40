"""Options of every command, before or after its name."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
import platformdirs

from tenantry.cli.destinations import Destination, Given, OrderedOption, destinations, given_in_order, overriding
from tenantry.core.findings import MachineError, Result, UsageError
from tenantry.report import COMMANDS, OF_CHANGES, WRITERS
from tenantry.report.document import CommandAnswer, writers_of
from tenantry.report.plain import lines
from tenantry.runtime.state import outside
from tenantry.runtime.workspace import Workspace, find_fleet, folder_in_repository

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Options:
    """The common options, wherever on the command line they were given."""

    directory: Path | None = None
    given: list[Given] = dataclasses.field(default_factory=list)
    """Formats and outputs, in order."""
    as_of: str = ""
    quiet: bool = False
    no_color: bool = False
    no_cache: bool = False

    @property
    def root(self) -> Path:
        """The fleet's folder: the one given with -C, else the fleet around the working directory, else that directory."""
        try:
            if self.directory is not None:
                return self.directory.resolve()
            here = Path.cwd()
            return find_fleet(here) or here
        except (OSError, RuntimeError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise UsageError(
                f"the folder can't be opened: {reason}", "change to an existing folder, or name one with -C"
            ) from None

    def path(self, given: Path) -> Path:
        """A path from the command line, relative to -C, as with git and make."""
        return (self.directory or Path()) / given

    def workspace(self) -> Workspace:
        """The fleet to work on."""
        from tenantry.cli.progress import progress, say

        root = self.root
        outside(Path(platformdirs.user_cache_dir("tenantry")), root)  # programs are started from there
        as_of = self.as_of or datetime.date.today().isoformat()
        loud = not self.quiet and sys.stderr.isatty()
        return Workspace(
            root=root, as_of=as_of, now="" if self.as_of else datetime.datetime.now(datetime.UTC).isoformat(), cached=not self.no_cache,
            progress=progress() if loud else lambda *_: None, say=(lambda _: None) if self.quiet else say,
        )  # fmt: skip

    @property
    def destinations(self) -> tuple[Destination, ...]:
        """The formats to write, and where to. Raises UsageError."""
        return destinations(self.given)

    def report(self, result: Result, fail_on: str = "error") -> None:
        """Write the result to its destinations, and exit with its code: 1 for findings of this severity or above."""
        self.report_findings(result)
        failed = bool(result.findings) if fail_on == "warning" else not result.ok
        raise SystemExit(1 if failed else 0)

    def report_findings(self, result: Result) -> None:
        """Write the result in each format. Files come first, so that standard output says nothing if one fails."""
        placed = dataclasses.replace(result, folder=folder_in_repository(self.root))
        for to in sorted(self.destinations, key=lambda each: each.output is None):
            text = WRITERS[to.format](placed)
            self._put(text if to.format in COMMANDS else lines(text), to.output)

    def document(self, document: CommandAnswer) -> None:
        """Write an answer other than a list of findings. Call `require_format` before any work is done."""
        self.require_format(document.command)
        for to in self.destinations:
            self._put(lines(writers_of(document.command)[to.format](document)), to.output)

    def require_format(self, command: str) -> None:
        """Raises UsageError when a command that answers with a document can't write a format."""
        self._require(command, writers_of(command))

    def require_format_of_changes(self, command: str) -> None:
        """Raises UsageError when a format would leave out the changes that a command shows."""
        self._require(command, OF_CHANGES)

    def _require(self, command: str, known: Collection[str]) -> None:
        for to in self.destinations:
            if to.format not in known:
                names = sorted(known)
                hint = f"it writes {', '.join(names[:-1])} and {names[-1]}"
                raise UsageError(f"'{command}' can't write {to.format}", hint)

    def write(self, text: str) -> None:
        """Write text that is the same in each format. Raises MachineError."""
        for to in self.destinations:
            self._put(lines(text), to.output)

    def _put(self, text: str, output: Path | None) -> None:
        content = text.encode("utf-8", "backslashreplace")  # file names need not be valid text
        if output is None:
            click.echo(content, nl=False)
            return
        try:
            self.path(output).write_bytes(content)
        except OSError as error:
            raise MachineError(f"{output} can't be written: {error.strerror}", "name a writable file") from error


class FilePath(click.Path):
    """Rejects a NUL byte in a path early; only a program can pass one."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As click does, after checking for a NUL byte."""
        if "\0" in str(value):
            self.fail("a path can't contain a NUL byte", param, ctx)
        return super().convert(value, param, ctx)


def _date(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        return datetime.date.fromisoformat(value).isoformat()
    except ValueError:
        raise click.BadParameter(f"'{value}' is not a date; write it like 2026-11-23") from None


_OPTIONS = (
    click.option(
        "-C",
        "directory",
        type=FilePath(),
        metavar="DIR",
        help="Work on the fleet in DIR; relative paths start there (default: the fleet around the working directory).",
    ),
    click.option(
        "--format",
        cls=OrderedOption,
        multiple=True,
        type=click.Choice(sorted(WRITERS)),
        metavar="FORMAT",
        help=f"Output format: {', '.join(WRITERS)} (default: text). Can be repeated; all but one need an --output.",
    ),
    click.option(
        "--output",
        cls=OrderedOption,
        multiple=True,
        type=FilePath(),
        metavar="FILE",
        help="Write the format before it to FILE instead of standard output.",
    ),
    click.option(
        "--as-of", callback=_date, metavar="DATE", help="Check expiry dates as of DATE (YYYY-MM-DD; default: today)."
    ),
    click.option("--quiet", is_flag=True, default=None, help="Show no progress."),
    click.option("--no-color", is_flag=True, default=None, help="Disable colored output."),
    click.option("--no-cache", is_flag=True, default=None, help="Ignore caches; the result is the same."),
)


fail_on_option = click.option(
    "--fail-on", type=click.Choice(["error", "warning"]), default="error", help="Findings that end in exit code 1."
)
"""For commands that judge; `Options.report` takes its value."""


def common(function: F) -> F:
    """Add the common options to a command (or the group); the command's override the group's."""

    @functools.wraps(function)
    def wrapper(*arguments: Any, **values: Any) -> Any:
        context = click.get_current_context()
        options = context.ensure_object(Options)
        given = given_in_order(context, values.pop("format"), values.pop("output"))
        options.given = overriding(options.given, given)
        destinations(options.given)  # what can't be written as asked is refused before any work
        for name in ("directory", "as_of", "quiet", "no_color", "no_cache"):
            value = values.pop(name)
            if value is not None:
                setattr(options, name, value)
        return function(options, *arguments, **values)

    for option in reversed(_OPTIONS):
        wrapper = option(wrapper)
    return wrapper  # type: ignore[return-value]
