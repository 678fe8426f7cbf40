"""Amounts in the API server's own spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.render.quantities import gibibytes, mebibytes, millicores
from tenantry.verify.values import quantity


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (mebibytes(0), '"0"'),
        (mebibytes(512), "512Mi"),
        (mebibytes(2048), "2Gi"),
        (mebibytes(2560), "2560Mi"),
        (mebibytes(1 << 20), "1Ti"),
        (gibibytes(0), '"0"'),
        (gibibytes(100), "100Gi"),
        (gibibytes(1024), "1Ti"),
        (millicores(650), "650m"),
        (millicores(2000), '"2"'),
    ],
)
def test_canonical_form(written: str, wanted: str) -> None:
    assert written == wanted


@given(st.integers(0, 10**7))
def test_no_spelling_changes_an_amount(amount: int) -> None:
    assert quantity(mebibytes(amount).strip('"')) == amount * 2**20
    assert quantity(gibibytes(amount).strip('"')) == amount * 2**30
    assert quantity(millicores(amount).strip('"')) * 1000 == amount
