"""`check` and `render` look at the state before the change, in git, however the change was made."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran

Run = Callable[..., Ran]
VANISHES = "tenants/acme.yaml: B001 acme (production) would be removed with its data: before this change it is active"


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)


def commit(root: Path, message: str = "change") -> None:
    git(root, "add", "-A")
    git(root, "commit", "--quiet", "-m", message)


@pytest.fixture
def committed(run: Run, fleet: Path) -> Path:
    """A rendered fleet on branch main, with a branch for the change checked out."""
    assert run("render", "-C", fleet).code == 0
    git(fleet, "init", "--quiet", "-b", "main")
    commit(fleet, "first")
    git(fleet, "switch", "--quiet", "-c", "change")
    return fleet


def remove(root: Path, name: str = "acme") -> None:
    """Delete a tenant's file and all its trees: what G005 can't see any more."""
    (root / f"tenants/{name}.yaml").unlink()
    for folder in (*root.glob(f"*/*/production/{name}"), *root.glob(f"*/*/platform/{name}-production")):
        shutil.rmtree(folder)


PLACES = ("database", "archive", "dumps", "attachments", "redis", "secrets", "logs", "metrics", "velero")


def refused(ran: Ran) -> bool:
    return ran.code == 1 and VANISHES in ran.out


def test_file_and_trees_deleted_in_the_working_tree(run: Run, committed: Path) -> None:
    remove(committed)
    assert refused(run("check", "-C", committed))
    assert refused(run("render", "-C", committed))


def test_deleted_in_a_commit_of_the_branch(run: Run, committed: Path) -> None:
    remove(committed)
    run("render", "-C", committed)
    commit(committed)
    assert refused(run("check", "-C", committed))


def test_approved_erased_and_deleted_in_three_changes(run: Run, committed: Path) -> None:
    path = committed / "tenants/acme.yaml"
    approved = '  offboarding: {deleteAfter: "2020-01-01", approver: A, reason: moved}'
    path.write_text(path.read_text().replace("  tier: shared", f"  tier: shared\n  state: offboarding\n{approved}"))
    assert run("render", "-C", committed).code == 0
    commit(committed, "first step")
    assert run("check", "-C", committed).code == 0
    git(committed, "branch", "--force", "main", "HEAD")
    records = ", ".join(f'{{place: {place}, date: "2026-11-01", by: A}}' for place in PLACES)
    path.write_text(path.read_text().replace("reason: moved}", f"reason: moved, step: erase, erased: [{records}]}}"))
    assert run("render", "-C", committed).code == 0
    commit(committed, "second step")
    assert run("check", "-C", committed).code == 0
    remove(committed)
    commit(committed, "third step")
    assert "B001" in run("check", "-C", committed).out
    git(committed, "branch", "--force", "main", "HEAD~1")  # merged in between, as it should be
    assert "B001" not in run("check", "-C", committed).out


def test_a_detached_head(run: Run, committed: Path) -> None:
    git(committed, "checkout", "--quiet", "--detach")
    remove(committed)
    commit(committed)
    assert refused(run("check", "-C", committed))


def test_a_conflict_that_was_resolved_by_dropping_the_tenant(run: Run, committed: Path) -> None:
    """The merge commit has both parents, so the tenant is in the common ancestor: the tip of main itself."""
    git(committed, "commit", "--quiet", "--allow-empty", "-m", "other work")
    git(committed, "switch", "--quiet", "main")
    (committed / "README.md").write_text("more\n")
    commit(committed)
    git(committed, "switch", "--quiet", "change")
    remove(committed)
    commit(committed)
    git(committed, "merge", "--quiet", "-s", "ours", "-m", "merge", "main")
    assert refused(run("check", "-C", committed))
    assert refused(run("check", "-C", committed, "--base", "main"))


def test_merges_in_both_directions_hide_nothing(run: Run, committed: Path) -> None:
    """Two best common ancestors, of which one does not know the tenant yet: what either of them holds counts."""
    git(committed, "switch", "--quiet", "main")
    shutil.copy(committed / "tenants/acme.yaml", committed / "kept.yaml")
    remove(committed)
    git(committed, "rm", "--quiet", "-r", "--cached", "tenants/acme.yaml")
    git(committed, "commit", "--quiet", "-am", "without acme")
    git(committed, "branch", "--force", "change", "main")
    git(committed, "switch", "--quiet", "-c", "one")
    git(committed, "commit", "--quiet", "--allow-empty", "-m", "one")
    git(committed, "switch", "--quiet", "-c", "other", "main")
    (committed / "kept.yaml").rename(committed / "tenants/acme.yaml")
    assert run("render", "-C", committed).code == 0
    commit(committed, "acme comes")
    git(committed, "branch", "--force", "main", "other")
    git(committed, "switch", "--quiet", "main")
    git(committed, "merge", "--quiet", "--no-edit", "one")
    git(committed, "switch", "--quiet", "one")
    git(committed, "merge", "--quiet", "-s", "ours", "-m", "drops acme", "other")
    assert refused(run("check", "-C", committed, "--base", "main"))


def test_a_base_that_was_rewritten(run: Run, committed: Path) -> None:
    """Without a common ancestor nothing can be compared, and that is no success."""
    git(committed, "switch", "--quiet", "--orphan", "rewritten")
    git(committed, "commit", "--quiet", "--allow-empty", "-m", "history rewritten")
    git(committed, "switch", "--quiet", "change")
    ran = run("check", "-C", committed, "--base", "rewritten")
    assert (ran.code, ran.out) == (2, "")
    assert "have no common ancestor" in ran.err


def test_a_shallow_clone_says_what_to_do(run: Run, committed: Path, tmp_path: Path) -> None:
    (committed / "README.md").write_text("more\n")
    commit(committed)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth", "1", "--no-single-branch", f"file://{committed}", str(clone))
    ran = run("check", "-C", clone, "--base", "origin/main")
    assert ran.code == 2
    assert "the clone is shallow: run 'git fetch --unshallow'" in ran.err


def test_without_git_the_guards_say_that_they_could_not_look(run: Run, fleet: Path) -> None:
    assert run("render", "-C", fleet).code == 0
    ran = run("check", "-C", fleet)
    assert ran.code == 0
    assert "The change was not compared with what was there before it" in ran.out
    assert "is not in a git repository" in ran.out
    ran = run("check", "-C", fleet, "--base", "main")
    assert ran.code == 2


def test_an_unknown_base_is_a_usage_error(run: Run, committed: Path) -> None:
    ran = run("check", "-C", committed, "--base", "mian")
    assert ran.code == 2
    assert "git does not know the revision 'mian'" in ran.err


def test_a_fleet_in_a_folder_of_a_repository(run: Run, fleet: Path, tmp_path: Path) -> None:
    assert run("render", "-C", fleet).code == 0
    git(tmp_path, "init", "--quiet", "-b", "main")
    commit(tmp_path)
    remove(fleet)
    assert refused(run("check", "-C", fleet))


def test_a_link_in_the_base_is_not_followed(run: Run, committed: Path) -> None:
    git(committed, "switch", "--quiet", "main")
    path = committed / "tenants/acme.yaml"
    text = path.read_text()
    path.unlink()
    path.symlink_to("/etc/hostname")
    commit(committed)
    git(committed, "switch", "--quiet", "-c", "repair")
    path.unlink()
    path.write_text(text)
    ran = run("check", "-C", committed)
    assert ran.code == 0
    assert "tenants/acme.yaml: B009 warning: was invalid in" in ran.out
