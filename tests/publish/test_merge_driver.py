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


OF_INITECH = "rendered/euw1-a/production/initech/app/service_x.yaml"
ACME, INITECH = (
    f"# Made by tenantry from overlays/euw1-a/production/{name}/app; do not edit.\na: 1\n".encode()
    for name in ("acme", "initech")
)


@pytest.mark.parametrize(("ours", "theirs"), [(ACME, INITECH), (INITECH, ACME)])
@pytest.mark.parametrize("prefix", ["", "fleets/rendered/"])
def test_no_tenants_object_comes_into_the_folder_of_another(prefix: str, ours: bytes, theirs: bytes) -> None:
    assert merge(prefix + OF_INITECH, Versions(ACME, ours, theirs)).content == INITECH


def entry(name: str, users: int, form: str = "metadata:\n  name: {}\nspec:\n  users: {}\n") -> bytes:
    return form.format(name, users).encode()


FLOW = "metadata: {{name: {}}}\nspec:\n  users: {}\n"


@pytest.mark.parametrize(
    "form",
    ["metadata:\n  name: {}\nspec:\n  users: {}\n", FLOW, "metadata: # who\n  name: '{}'\nspec: {{users: {}}}\n"],
)
@pytest.mark.parametrize("swapped", [True, False])
def test_an_input_is_never_merged_with_one_of_another_name(form: str, swapped: bool) -> None:
    ours, theirs = entry("acme", 25, form), entry("initech", 24, form)
    if swapped:
        ours, theirs = theirs, ours
    merged = merge("tenants/initech.yaml", Versions(entry("acme", 24, form), ours, theirs))
    assert (merged.content, merged.conflicts) == (entry("initech", 24, form), True)
    assert merged.renamed == ("acme", "initech")


def test_changes_of_an_input_that_do_not_meet_are_merged() -> None:
    base = b"a: 1\nb: 1\nc: 1\nd: 1\ne: 1\n"
    merged = merge("tenants/acme.yaml", Versions(base, base.replace(b"a: 1", b"a: 2"), base.replace(b"e: 1", b"e: 2")))
    assert (merged.content, merged.conflicts) == (b"a: 2\nb: 1\nc: 1\nd: 1\ne: 2\n", False)


def test_a_binary_file_keeps_our_side_with_a_conflict() -> None:
    merged = merge("images/logo.png", Versions(b"\0base", b"\0ours", b"\0theirs"))
    assert (merged.content, merged.conflicts) == (b"\0ours", True)
