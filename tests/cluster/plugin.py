"""pytest's side of the checks: gives them the cluster, and shows the table of checks, results and evidence."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rich.console import Console
from rich.table import Table

from cluster.base import Cluster

Show = Callable[[str], None]


class Checks:
    """Collects the evidence of each check."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._evidence: dict[str, list[str]] = {}
        self._results: dict[str, str] = {}

    @property
    def cluster(self) -> Cluster:
        """The running cluster."""
        return self._cluster

    def evidence(self, node: str) -> list[str]:
        """Lines of evidence of one check, to add to."""
        return self._evidence.setdefault(node, [])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._results[report.nodeid] = "FAILED"
        elif report.when == "call":
            self._results.setdefault(report.nodeid, "held")

    def pytest_terminal_summary(self) -> None:
        table = Table(title="the cluster: what was tried, and what was seen", show_lines=True)
        for heading in ("check", "result", "evidence"):
            table.add_column(heading)
        for name, seconds in self._cluster.laps.seconds.items():
            table.add_row(f"start: {name}", "held", f"after {seconds:.0f} s")
        for node, result in self._results.items():
            title = node.rpartition("::test_")[2].replace("_", " ")
            table.add_row(title, result, "\n".join(self._evidence.get(node, ())))
        Console(width=150).print(table)
