"""The benchmark measures a fleet that is valid: with findings, a run ends early, and its time says nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.synthetic import lay_fleet
from conftest import Ran


@pytest.mark.parametrize("tenants", [10, 45])
def test_a_synthetic_fleet_has_no_findings(tenants: int, tmp_path: Path, run: Callable[..., Ran]) -> None:
    lay_fleet(tmp_path / "fleet", tenants)
    ran = run("render", "-C", tmp_path / "fleet")
    assert ran.code == 0, ran.out
