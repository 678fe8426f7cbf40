"""Any mutation of a real input file is answered with findings that have a place, never with a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mutation import TIMES, mutated
from tenantry.commands import scaffold
from tenantry.plan.inputs import read_inputs
from tenantry.runtime.cache import Store

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(["acme", "shared", "2026-01-01"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fuzz")
    scaffold.new_fleet(root)
    return root


@settings(deadline=None, max_examples=60 * TIMES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.integers(0, 10**6), VALUES)
def test_any_mutation_of_an_input_is_answered(laid: Path, which: int, where: int, other: Any) -> None:
    files = sorted([*laid.glob("platform/**/*.yaml"), *laid.glob("tiers/*.yaml")])
    file = files[which % len(files)]
    original = file.read_text()
    value = mutated(yaml.safe_load(original), where, other)
    try:
        file.write_text(json.dumps(value))
        inputs = read_inputs(laid, "2026-11-24", Store(None))
        assert all(finding.place.file and finding.message for finding in inputs.findings)
    finally:
        file.write_text(original)


@settings(deadline=None, max_examples=60 * TIMES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes_as_a_tenant_are_answered(laid: Path, data: bytes) -> None:
    file = laid / "tenants/fuzz.yaml"
    try:
        file.write_bytes(data)
        inputs = read_inputs(laid, "2026-11-24", Store(None))
        assert any(finding.place.file == "tenants/fuzz.yaml" for finding in inputs.findings)
    finally:
        file.unlink()
