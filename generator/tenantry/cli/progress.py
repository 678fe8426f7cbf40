"""Progress on a terminal; nothing in a pipe."""

from __future__ import annotations

import sys

from tenantry.report.plain import lines
from tenantry.runtime.workspace import Progress


def say(text: str) -> None:
    """A line about a long task, on standard error."""
    print(lines(text), file=sys.stderr, flush=True)  # noqa: T201 - the command line's own voice


def progress() -> Progress:
    """A bar that appears with the first step and disappears with the last."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    tasks: dict[str, object] = {}

    def step(what: str, done: int, total: int) -> None:
        if what not in tasks:
            bar.start()
            tasks[what] = bar.add_task(what, total=total)
        bar.update(tasks[what], completed=done)  # type: ignore[arg-type]
        if done >= total:
            bar.stop()

    return step
