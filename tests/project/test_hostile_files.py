"""Links, special files, files that are too large, unreadable or not writable: findings with a place, nothing lost."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Ran, add_tenant, tree
from tenantry.core.findings import Finding
from tenantry.inputs.fleet import load
from tenantry.runtime.plain_file import NotPlainError, read_plain

Run = Callable[..., Ran]


def linked(findings: list[Finding]) -> set[str]:
    return {f.place.file for f in findings if (f.code, f.message) == ("S001", "is a symbolic link")}


def test_links_among_the_inputs_are_reported_wherever_they_lead(fleet: Path, tmp_path: Path) -> None:
    """Out of the fleet, to another input, to nothing, to themselves: who reviews them does not see what is read."""
    outside = add_tenant(fleet, "contoso", "shared", "euw1-shared-a", users=10).rename(tmp_path / "contoso.yaml")
    links = {"contoso.yaml": outside, "within.yaml": fleet / "tenants/acme.yaml", "gone.yaml": fleet / "nothing",
             "loop.yaml": fleet / "tenants/loop.yaml", "README.md": outside}  # fmt: skip
    for name, target in links.items():
        (fleet / "tenants" / name).symlink_to(target)
    found, findings = load(fleet)
    assert linked(findings) == {f"tenants/{name}" for name in links}
    assert set(found.entries["Tenant"]) == {"acme", "northwind"}


@pytest.mark.parametrize(
    "folder", ["platform", "platform/cells", "tiers", "tenants", "policies", "policies/exceptions"]
)
def test_a_folder_of_inputs_that_is_a_link_is_reported_and_nothing_below_it_is_read(
    folder: str, fleet: Path, tmp_path: Path
) -> None:
    moved = (fleet / folder).rename(tmp_path / "moved")
    (fleet / folder).symlink_to(moved)
    found, findings = load(fleet)
    assert linked(findings) == {folder}
    assert not any(document.file.startswith(f"{folder}/") for document in found.documents.values())


@pytest.mark.parametrize(
    "place", ["aaa", "default-deny/policy.yaml", "default-deny/more.yaml", "default-deny/suite", "note.txt"]
)
@pytest.mark.parametrize("inside", [True, False], ids=["inside", "outside"])
def test_links_below_policies_are_reported_and_not_read(place: str, inside: bool, fleet: Path, tmp_path: Path) -> None:
    target = fleet / "policies/image-by-digest" if inside else tmp_path / "target"
    target.mkdir(exist_ok=True)
    policy = (fleet / "policies/default-deny/policy.yaml").read_text()
    (target / "policy.yaml").write_text(policy.replace("default-deny", place.partition("/")[0]))
    link = fleet / "policies" / place
    link.unlink(missing_ok=True)
    link.symlink_to(target / "policy.yaml" if place.endswith((".yaml", ".txt")) else target)
    found, findings = load(fleet)
    assert linked(findings) == {f"policies/{place}"}
    assert "aaa" not in found.entries["Policy"]
    assert ("default-deny" in found.entries["Policy"]) == (place != "default-deny/policy.yaml")


def test_a_new_entry_is_not_written_through_a_link(run: Run, fleet: Path, tmp_path: Path) -> None:
    (fleet / "tenants").rename(tmp_path / "moved")
    (fleet / "tenants").symlink_to(tmp_path / "moved")
    ran = run("new", "tenant", "contoso", "--tier", "shared", "-C", fleet)
    assert (ran.code, "tenants is a symbolic link" in ran.err) == (2, True), ran
    assert not (tmp_path / "moved/contoso.yaml").exists()


def test_a_folder_in_a_files_place_is_reported(run: Run, fleet: Path) -> None:
    (fleet / "tenants/contoso.yaml").mkdir()
    assert "tenants/contoso.yaml: S001 is not a regular file" in run("check", "-C", fleet).out


def test_a_file_in_a_folders_place_is_reported(run: Run, fleet: Path) -> None:
    for path in (fleet / "tenants").iterdir():
        path.unlink()
    (fleet / "tenants").rmdir()
    (fleet / "tenants").write_text("here\n")
    assert "tenants: S001 is not a folder" in run("check", "-C", fleet).out


def test_special_files_in_a_files_place_do_not_hang(run: Run, fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(fleet / "tenants/pipe.yaml")
    policy = fleet / "policies/default-deny/policy.yaml"
    policy.unlink()
    os.mkfifo(policy)
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(fleet / "tenants")  # a socket's path has 107 bytes at most
        server.bind("socket.yaml")
        out = run("check", "-C", fleet).out
    for file in ("tenants/pipe.yaml", "tenants/socket.yaml", "policies/default-deny/policy.yaml"):
        assert f"{file}: S001 is not a regular file" in out


def test_what_takes_a_files_place_while_it_is_looked_at_is_not_read(
    fleet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is looked at once, when it is opened: whatever it named before does not count."""
    file = fleet / "tenants/acme.yaml"
    real = os.open

    def swapped(path: Any, *arguments: Any, **more: Any) -> int:
        if path == "acme.yaml":
            file.unlink()
            file.symlink_to("/etc/hostname")
        return real(path, *arguments, **more)

    monkeypatch.setattr(os, "open", swapped)
    with pytest.raises(NotPlainError, match=r"tenants/acme\.yaml is a symbolic link"):
        read_plain(fleet, "tenants/acme.yaml", 100)


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
    assert (
        ".tenantry: G007 is a link or a file, but only a run's own folder may be here, so nothing is written" in ran.out
    )
    assert tree(fleet) == before


def test_links_and_pipes_in_a_rendered_files_place_are_not_read(run: Run, fleet: Path, tmp_path: Path) -> None:
    """`diff` and `explain` look at the working tree too."""
    run("render", "-C", fleet)
    for arguments in (["init", "--quiet"], ["add", "-A"], ["commit", "--quiet", "-m", "first"]):
        subprocess.run(["git", *arguments], cwd=fleet, check=True)
    app = next((fleet / "rendered").glob("*/production/acme/app"))
    pipe, link = sorted(app.glob("*.yaml"))[:2]
    link.rename(tmp_path / "outside.yaml")
    link.symlink_to(tmp_path / "outside.yaml")
    pipe.unlink()
    os.mkfifo(pipe)
    changed = json.loads(run("diff", "-C", fleet, "--format", "json").out)["changes"]
    assert {change["action"] for change in changed} == {"removed"}
    assert run("explain", "acme", "--objectives", "-C", fleet).code == 0
    for path in (pipe, link):
        ran = run("explain", f"{path.relative_to(fleet)}:6", "-C", fleet)
        assert (ran.code, "is no file of rendered/" in ran.err) == (2, True), ran


@pytest.mark.parametrize(
    "content",
    ["[" * 100_000, "a: [", "- 1", "a: b", "a: &a [*a]", "a: 2026-99-99", "x: !!python/none", "---\n---\n", "\xff"],
)
def test_a_rendered_file_that_holds_no_object_is_not_explained(content: str, run: Run, fleet: Path) -> None:
    (fleet / "rendered").mkdir()
    (fleet / "rendered/a.yaml").write_text(content, encoding="latin-1")
    ran = run("explain", "rendered/a.yaml:1", "-C", fleet)
    assert (ran.code, "holds no object as tenantry renders it" in ran.err) == (2, True), ran
