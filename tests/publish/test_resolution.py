"""The version of a generated file that a merge starts from: a trivial three-way choice, without renames."""

from __future__ import annotations

import pytest

from tenantry.publish.resolution import Sides, start_from
from tenantry.runtime.index import StoredFile

A, B, C = (StoredFile("100644", letter * 40) for letter in "abc")


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "chosen"),
    [
        (A, A, A, A),
        (A, B, A, B),
        (A, A, B, B),
        (A, B, B, B),
        (A, B, C, B),
        (None, B, None, B),
        (None, None, B, B),
        (None, B, C, B),
        (A, None, A, None),
        (A, A, None, None),
        (A, None, B, None),
        (A, B, None, None),
        (A, None, None, None),
    ],
)
def test_what_one_side_changed_is_taken_then_a_removal_then_ours(
    base: StoredFile | None, ours: StoredFile | None, theirs: StoredFile | None, chosen: StoredFile | None
) -> None:
    found = Sides(*({} if entry is None else {"rendered/x": entry} for entry in (base, ours, theirs)))
    assert dict(start_from(found)) == {"rendered/x": chosen}
