"""Merges that git stops in generated trees are finished without editing them; a conflict of an input stays a person's."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran, add_tenant, tree
from repositories import commit, git, start, unmerged
from two_people import ERASED, OFFBOARDING

Run = Callable[..., Ran]


def render_and_commit(run: Run, fleet: Path, message: str) -> None:
    ran = run("render", "-C", fleet)
    assert ran.code == 0, ran
    commit(fleet, message)


_BUILT: list[Path] = []
"""The branches, once made; each test works on a copy."""


@pytest.fixture
def branches(run: Run, fleet: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """On `leaves`, a tenant that is offboarding is removed; on `main`, which is checked out, its tier changes."""
    if not _BUILT:
        _make_branches(run, fleet)
        _BUILT.append(shutil.copytree(fleet, tmp_path_factory.mktemp("built") / "fleet", symlinks=True))
    else:
        shutil.rmtree(fleet)
        shutil.copytree(_BUILT[0], fleet, symlinks=True)
    return fleet


def _make_branches(run: Run, fleet: Path) -> None:
    add_tenant(fleet, "contoso", "shared", "euw1-shared-a", users=24)
    acme = fleet / "tenants/acme.yaml"
    acme.write_text(acme.read_text().replace("  tier:", f"{OFFBOARDING}{ERASED}  tier:", 1))
    assert run("render", "-C", fleet).code == 0
    start(fleet)
    git(fleet, "switch", "--quiet", "--create", "leaves")
    acme.unlink()
    render_and_commit(run, fleet, "gone")
    git(fleet, "switch", "--quiet", "main")
    tier = fleet / "tiers/shared.yaml"
    tier.write_text(tier.read_text().replace("requestBaseMiB: 300", "requestBaseMiB: 310", 1))
    render_and_commit(run, fleet, "tier")


def is_resolved(run: Run, fleet: Path, next_step: str) -> None:
    """Nothing is left in generated trees, and both sides' inputs are what was rendered."""
    ran = run("resolve", "-C", fleet)
    assert (ran.code, f"The generated trees are staged. Next: {next_step}." in ran.out) == (0, True), ran
    assert unmerged(fleet) == []
    git(fleet, *next_step.split()[1:])
    assert git(fleet, "status", "--porcelain") == ""
    assert run("check", "-C", fleet).code == 0
    assert run("resolve", "-C", fleet).out == "Nothing to resolve: no merge is in progress.\n"


@pytest.mark.parametrize("driver", [True, False])
def test_a_merge_with_a_file_that_one_side_removed_and_the_other_changed(
    run: Run, branches: Path, driver: bool
) -> None:
    if driver:
        run("merge-driver", "--install", "-C", branches)
    git(branches, "merge", "leaves", code=1)
    assert all(path.startswith(("base/", "overlays/", "rendered/")) for path in unmerged(branches))
    is_resolved(run, branches, "git commit")
    assert not any("/acme/" in path for path in tree(branches))


@pytest.mark.parametrize("driver", [True, False])
def test_a_tenant_that_looks_like_one_that_was_removed(run: Run, branches: Path, driver: bool) -> None:
    """Git takes its files for renamed ones, and may merge them without a conflict, into a mixture."""
    if driver:
        run("merge-driver", "--install", "-C", branches)
    git(branches, "switch", "--quiet", "leaves")
    add_tenant(branches, "initech", "shared", "euw1-shared-a", users=24)
    render_and_commit(run, branches, "comes")
    git(branches, "switch", "--quiet", "main")
    git(branches, "merge", "leaves", code=-1)
    assert run("resolve", "-C", branches).code == 0
    render_and_commit(run, branches, "merged")
    assert run("check", "-C", branches).code == 0
    assert not any("/acme/" in path for path in tree(branches))
    assert (branches / "rendered/euw1-a/production/initech/infra/namespace_initech-production.yaml").is_file()


def test_a_rebase(run: Run, branches: Path) -> None:
    git(branches, "rebase", "leaves", code=1)
    is_resolved(run, branches, "git rebase --continue")


def test_a_cherry_pick(run: Run, branches: Path) -> None:
    git(branches, "switch", "--quiet", "leaves")
    git(branches, "cherry-pick", "main", code=1)
    is_resolved(run, branches, "git cherry-pick --continue")


def test_a_revert(run: Run, branches: Path) -> None:
    git(branches, "merge", "leaves", code=1)
    is_resolved(run, branches, "git commit")
    git(branches, "revert", "--no-edit", "HEAD^1", code=1)
    is_resolved(run, branches, "git revert --continue")
    assert "310" not in (branches / "tiers/shared.yaml").read_text()


def test_a_stash(run: Run, branches: Path) -> None:
    tier = branches / "tiers/shared.yaml"
    tier.write_text(tier.read_text().replace("requestBaseMillicores: 200", "requestBaseMillicores: 210", 1))
    assert run("render", "-C", branches).code == 0
    git(branches, "stash")
    git(branches, "switch", "--quiet", "leaves")
    git(branches, "stash", "pop", code=1)
    ran = run("resolve", "-C", branches)
    assert (ran.code, "Next: git commit." in ran.out) == (0, True), ran
    assert run("check", "-C", branches).code == 0
    assert unmerged(branches) == []


def test_a_conflict_of_an_input_is_a_finding_and_nothing_is_changed(run: Run, branches: Path) -> None:
    for branch, users in (("leaves", 30), ("main", 40)):
        git(branches, "switch", "--quiet", branch)
        add_tenant(branches, "contoso", "shared", "euw1-shared-a", users=users)
        render_and_commit(run, branches, "users")
    git(branches, "merge", "leaves", code=1)
    before = (git(branches, "ls-files", "--stage"), tree(branches))
    ran = run("resolve", "-C", branches)
    assert ran.code == 1
    assert ran.out.splitlines()[:2] == [
        "tenants/contoso.yaml: G020 has a merge conflict that is not resolved (edit it, then 'git add "
        "tenants/contoso.yaml' (or 'git rm'), then 'tenantry resolve')",
        "Nothing was changed.",
    ]
    assert (git(branches, "ls-files", "--stage"), tree(branches)) == before
    add_tenant(branches, "contoso", "shared", "euw1-shared-a", users=35)
    git(branches, "add", "tenants/contoso.yaml")
    is_resolved(run, branches, "git commit")
    assert "users: 35" in git(branches, "show", "HEAD:tenants/contoso.yaml")


def test_a_wrong_resolution_of_an_input_is_reported_and_not_staged(run: Run, branches: Path) -> None:
    git(branches, "merge", "leaves", code=1)
    (branches / "tiers/shared.yaml").unlink()
    ran = run("resolve", "-C", branches)
    assert (ran.code, "R001" in ran.out) == (1, True), ran


def test_an_unmanaged_file_of_a_branch_is_kept(run: Run, branches: Path) -> None:
    git(branches, "merge", "leaves", code=1)
    note = branches / "rendered/note.txt"
    note.write_text("a note\n")
    ran = run("resolve", "-C", branches)
    assert (ran.code, "rendered/note.txt: G001" in ran.out) == (1, True), ran
    assert note.read_text() == "a note\n"


def test_no_program_of_git_runs(run: Run, branches: Path, tmp_path: Path) -> None:
    script, trace = tmp_path / "program", tmp_path / "trace"
    script.write_text(f"#!/bin/sh\ntouch {trace}\ncat\n")
    script.chmod(0o755)
    git(branches, "merge", "leaves", code=1)
    (branches / ".git/info/attributes").write_text("* filter=x\n")
    for setting in ("filter.x.clean", "filter.x.smudge", "core.fsmonitor"):
        git(branches, "config", setting, str(script))
    (branches / ".git/hooks/post-index-change").symlink_to(script)
    assert run("resolve", "-C", branches).code == 0
    assert not trace.exists()


def test_a_fleet_in_a_folder_of_a_repository(run: Run, fleet: Path) -> None:
    """The paths of its files are those below the repository's top."""
    run("render", "-C", fleet)
    file = next((fleet / "rendered").glob("*/production/acme/app/service*"))
    content = file.read_text()
    start(fleet.parent)
    for branch in ("one", "two"):
        git(fleet, "switch", "--quiet", "--create", branch, "main")
        if branch == "one":
            file.unlink()
        else:
            file.write_text(f"{content}# more\n")
        commit(fleet.parent, branch)
    git(fleet, "merge", "one", code=1)
    is_resolved(run, fleet, "git commit")
    assert file.read_text() == content
