"""What `check` says of files that differ from what the inputs give."""

from __future__ import annotations

from pathlib import Path

from tenantry.publish.drift import describe
from tenantry.runtime.listing import Action, Change

UNIT = "euw1-a/production/acme/app"


def change(root: Path, file: str, action: Action, there: str = "", wanted: str = "") -> Change:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(there)
    return Change(file, action, wanted.encode())


def said(root: Path, *changes: Change) -> list[str]:
    return [f"{finding.place}: {finding.code} {finding.message}" for finding in describe(root, changes)]


def test_a_forgotten_render_is_one_finding_a_unit(tmp_path: Path) -> None:
    changes = [
        change(tmp_path, f"overlays/{UNIT}/service.yaml", "added"),
        change(tmp_path, f"rendered/{UNIT}/service.yaml", "added"),
        change(tmp_path, f"rendered/{UNIT}/configmap.yaml", "changed", "a: 1\n", "a: 2\n"),
        change(tmp_path, f"rendered/{UNIT}/job.yaml", "removed"),
        change(tmp_path, "overlays/euw1-a/cells/one/a.yaml", "added"),
        change(tmp_path, "overlays/euw1-a/cells/one/b.yaml", "added"),
    ]
    assert said(tmp_path, *changes) == [
        "overlays/euw1-a/cells/one: G002 2 files are out of date: 2 missing",
        f"overlays/{UNIT}: G003 4 files are out of date, here and in rendered/: 2 missing, 1 different from what the inputs give, 1 stale",
    ]


def test_a_changed_base_and_what_follows_from_it_are_one_finding_each(tmp_path: Path) -> None:
    base = "tiers/shared/production/app"
    changes = [change(tmp_path, f"base/{base}/{name}", "changed", "a: 1\n", "a: 2\n") for name in ("a.yaml", "b.yaml")]
    changes += [change(tmp_path, f"rendered/{UNIT}/{name}", "changed", "a: 1\n", "a: 2\n") for name in ("a", "b")]
    assert said(tmp_path, *changes) == [
        f"overlays/{UNIT}: G003 2 files are out of date, here and in rendered/: 2 different from what the inputs give",
        f"base/{base}: G003 2 files are out of date: 2 different from what the inputs give",
    ]


def test_one_file_and_one_that_was_edited_show_the_first_line_that_differs(tmp_path: Path) -> None:
    behind = change(tmp_path, f"overlays/{UNIT}/a.yaml", "changed", "x: 1\na: 1\n", "x: 1\na: 2\n")
    edited = change(tmp_path, "rendered/euw1-a/cells/one/a.yaml", "changed", "a: 1\n", "a: 2\n")
    assert said(tmp_path, behind, edited) == [
        f"overlays/{UNIT}/a.yaml:2:1: G003 differs from what the inputs give: found 'a: 1', the inputs give 'a: 2'",
        "rendered/euw1-a/cells/one/a.yaml:1:1: G003 was edited manually: found 'a: 1', the inputs give 'a: 2'",
    ]


def test_the_same_text_is_never_shown_twice(tmp_path: Path) -> None:
    secret = "kind: Secret\nstringData:\n  password: {}\n"
    hidden = change(tmp_path, f"overlays/{UNIT}/a.yaml", "changed", secret.format("hunter2"), secret.format("hunter3"))
    spaces = change(tmp_path, "overlays/euw1-a/cells/one/a.yaml", "changed", "a: 1 \n", "a: 1\n")
    lines = said(tmp_path, hidden, spaces)
    assert len(lines) == 2
    for line in lines:
        assert line.endswith("differs from what the inputs give: a hidden value or white space differs")


def test_long_lines_are_cut_around_their_difference(tmp_path: Path) -> None:
    long = "x" * 100
    (line,) = said(
        tmp_path, change(tmp_path, f"overlays/{UNIT}/a.yaml", "changed", f"a: {long}1{long}", f"a: {long}2{long}")
    )
    there, wanted = line.partition("found ")[2].split(", the inputs give ")
    assert there == wanted.replace("2", "1") != wanted
    assert len(there) < 80


def test_what_render_would_refuse_to_remove_is_not_answered_with_render(tmp_path: Path) -> None:
    stale = change(tmp_path, f"overlays/{UNIT}/job.yaml", "removed")
    hints = [[finding.hint for finding in describe(tmp_path, [stale], refused=refused)] for refused in (False, True)]
    assert hints == [["run 'tenantry render'"], ["see G005: 'tenantry render' does not remove it as things are"]]
