"""One side of a generated file is kept; everything else is merged as git does."""

from __future__ import annotations

import pytest

from tenantry.publish.merge_driver import Versions, merge

HEADER = b"# Made by tenantry from overlays/x; do not edit.\n"
BASE, OURS, THEIRS = (HEADER + f"a: {word}\n".encode() for word in ("base", "ours", "theirs"))
FILE = "rendered/euw1-a/cells/a/cluster_a.yaml"


@pytest.mark.parametrize("path", [FILE, "base/tiers/shared/x.yaml", "overlays/x/k.yaml", f"fleets/eu/{FILE}"])
@pytest.mark.parametrize("base", [BASE, b""])
def test_one_side_of_a_generated_file_is_kept_whole(path: str, base: bytes) -> None:
    merged = merge(path, Versions(base, OURS, THEIRS))
    assert (merged.content, merged.conflicts, merged.generated) == (OURS, False, True)


@pytest.mark.parametrize(
    ("path", "ours", "theirs"),
    [
        ("tenants/acme.yaml", OURS, THEIRS),  # an attribute of a commit may name any file
        ("rendered", OURS, THEIRS),
        (FILE, OURS.removeprefix(HEADER), THEIRS),
        (FILE, OURS, THEIRS.removeprefix(HEADER)),
    ],
)
def test_nothing_else_loses_a_side(path: str, ours: bytes, theirs: bytes) -> None:
    merged = merge(path, Versions(BASE, ours, theirs))
    assert merged.conflicts
    assert not merged.generated
    assert b"a: ours" in merged.content
    assert b"a: theirs" in merged.content


def test_changes_of_an_input_that_do_not_meet_are_merged() -> None:
    base = b"a: 1\nb: 1\nc: 1\nd: 1\ne: 1\n"
    merged = merge("tenants/acme.yaml", Versions(base, base.replace(b"a: 1", b"a: 2"), base.replace(b"e: 1", b"e: 2")))
    assert (merged.content, merged.conflicts) == (b"a: 2\nb: 1\nc: 1\nd: 1\ne: 2\n", False)


def test_a_binary_file_keeps_our_side_with_a_conflict() -> None:
    merged = merge("images/logo.png", Versions(b"\0base", b"\0ours", b"\0theirs"))
    assert (merged.content, merged.conflicts) == (b"\0ours", True)
