"""Files that are no files, too large, out of reach, or may not be written: located answers, nothing lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran, add_tenant, tree

Run = Callable[..., Ran]


def test_a_link_out_of_the_fleet_is_not_followed(run: Run, fleet: Path, tmp_path: Path) -> None:
    secret = add_tenant(fleet, "contoso", "shared", "euw1-shared-a", users=10).rename(tmp_path / "contoso.yaml")
    (fleet / "tenants/contoso.yaml").symlink_to(secret)
    ran = run("check", "-C", fleet)
    assert ran.code == 1
    assert "tenants/contoso.yaml: S001 leads out of the fleet's folder by a symbolic link" in ran.out


def test_a_link_to_nothing_and_a_loop_are_told(run: Run, fleet: Path) -> None:
    (fleet / "tenants/gone.yaml").symlink_to(fleet / "nothing")
    (fleet / "tenants/loop.yaml").symlink_to(fleet / "tenants/loop.yaml")
    ran = run("check", "-C", fleet)
    assert ran.code == 1
    assert "tenants/gone.yaml: S001 can't be read" in ran.out
    assert "tenants/loop.yaml: S001 can't be read" in ran.out


def test_a_folder_in_a_files_place_is_told(run: Run, fleet: Path) -> None:
    (fleet / "tenants/contoso.yaml").mkdir()
    assert "tenants/contoso.yaml: S001 is not a regular file" in run("check", "-C", fleet).out


def test_a_file_in_a_folders_place_is_told(run: Run, fleet: Path) -> None:
    for path in (fleet / "tenants").iterdir():
        path.unlink()
    (fleet / "tenants").rmdir()
    (fleet / "tenants").write_text("here\n")
    assert "tenants: S001 is not a folder" in run("check", "-C", fleet).out


def test_a_pipe_in_a_files_place_does_not_hang(run: Run, fleet: Path) -> None:
    os.mkfifo(fleet / "tenants/pipe.yaml")
    assert "tenants/pipe.yaml: S001 is not a regular file" in run("check", "-C", fleet).out


@pytest.mark.parametrize("line", ["# padding\n", "a: &a [b, b]\n"])
def test_ten_megabytes_are_refused_unread(run: Run, fleet: Path, line: str) -> None:
    (fleet / "tenants/contoso.yaml").write_text(line * (10 * 1024 * 1024 // len(line)))
    assert "tenants/contoso.yaml: S002 is over 1024 KiB" in run("check", "-C", fleet).out


def test_without_a_platform_file_there_is_one_clear_finding(run: Run, fleet: Path) -> None:
    (fleet / "platform/platform.yaml").unlink()
    ran = run("check", "-C", fleet)
    assert ran.code == 1
    assert ran.out.startswith("platform/platform.yaml: S001 is missing")
    assert run("new", "tenant", "contoso", "--tier", "shared", "-C", fleet).code == 1


def test_a_tree_that_may_not_be_written_stays_as_it_is(run: Run, fleet: Path) -> None:
    """A file where a folder must be made refuses the write for every user, root included."""
    run("render", "-C", fleet)
    before = tree(fleet)
    add_tenant(fleet, "acme", "shared", "euw1-shared-a", users=48)
    (fleet / ".tenantry").write_text("in the way\n")
    ran = run("render", "-C", fleet)
    assert ran.code == 1
    assert ".tenantry: G007 is a link or a file, where only a run's own folder may be, so nothing is written" in ran.out
    assert tree(fleet) == before
