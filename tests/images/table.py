"""What was checked, what came of it, and what was seen."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Table:
    """A check's function returns its evidence, or raises AssertionError."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)

    def check(self, what: str, run: Callable[[], str]) -> None:
        begin = time.monotonic()
        try:
            result, evidence = "ok", run()
        except subprocess.TimeoutExpired:  # it would name the whole command
            result, evidence = "FAILED", "still running"
        except Exception as error:  # any failure is a row, and the other checks go on
            result, evidence = "FAILED", f"{type(error).__name__}: {error}"
        self.rows.append((what, result, evidence))
        print(f"{result:6} {time.monotonic() - begin:6.1f} s  {what}: {evidence}", flush=True)

    @property
    def passed(self) -> bool:
        return all(result == "ok" for _, result, _ in self.rows)

    def __str__(self) -> str:
        """As Markdown."""
        lines = ["| check | result | evidence |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in self.rows)]
        failed = sum(result != "ok" for _, result, _ in self.rows)
        return "\n".join([*lines, "", f"{len(self.rows) - failed} passed, {failed} failed"])
