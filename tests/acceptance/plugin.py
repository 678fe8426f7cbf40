"""pytest's side of the suite: judges what each test counted, and shows the table at the end."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from acceptance.harness.tally import Tally
from acceptance.registry import Part


class Plugin:
    """Knows which parts run; adds up what their tests counted."""

    def __init__(self, parts: list[Part]) -> None:
        self.parts = parts
        self.tallies: dict[str, list[Tally]] = {part.module: [] for part in parts}
        self.seconds: dict[str, float] = dict.fromkeys(self.tallies, 0.0)
        self.failed: dict[str, int] = dict.fromkeys(self.tallies, 0)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        result = yield
        tally = getattr(item, "funcargs", {}).get("tally")
        verdict = tally.verdict() if tally else None
        if tally:
            self.tallies[item.path.name].append(tally)
        if verdict:
            pytest.fail(verdict, pytrace=False)
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        module = Path(report.location[0]).name
        self.seconds[module] += report.duration
        if report.failed:
            self.failed[module] += 1

    def pytest_terminal_summary(self) -> None:
        Console(width=120).print(self._table())

    def _table(self) -> Table:
        table = Table(title="the example fleet on the real things")
        for heading in ("part", "checks", "attacks", "positive controls", "unprotected", "seconds", "result"):
            table.add_column(heading, justify="left" if heading in ("part", "result") else "right")
        for part in self.parts:
            tallies = self.tallies[part.module]
            counts = (
                sum(getattr(t, name) for t in tallies) for name in ("checks", "attacks", "controls", "unprotected")
            )
            failed = self.failed[part.module]
            result = f"FAILED ({failed})" if failed else "held" if tallies else "nothing ran"
            table.add_row(part.name, *map(str, counts), f"{self.seconds[part.module]:.0f}", result)
        for name, reason in re.findall(r"^([\w-]+)=(.*)$", os.environ.get("ACCEPTANCE_NOT_RUN", ""), re.MULTILINE):
            table.add_row(name, "", "", "", "", "", f"not run: {reason}")
        table.caption = "unprotected: attacks that succeed once their protection is taken out of the rendered objects"
        return table
