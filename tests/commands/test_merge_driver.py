"""Branches that change the same generated files merge without conflicts; a clone says whether git was set up for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran, add_tenant, tree
from repositories import commit, git, start, unmerged

Run = Callable[..., Ran]


@pytest.fixture
def made(run: Run, fleet: Path) -> Path:
    """A rendered fleet in a repository whose clone has the driver."""
    assert run("render", "-C", fleet).code == 0
    start(fleet)
    assert run("merge-driver", "--install", "-C", fleet).code == 0
    return fleet


def branch_with_users(run: Run, fleet: Path, branch: str, users: int) -> None:
    """A branch on which the shared tier's reference size, and so every shared base, changes."""
    git(fleet, "switch", "--quiet", "--create", branch, "main")
    add_tenant(fleet, f"{branch}-books", "shared", "euw1-shared-a", users=users)
    assert run("render", "-C", fleet).code == 0
    commit(fleet, branch)


def change_tier(run: Run, fleet: Path, old: str, new: str) -> None:
    path = fleet / "tiers/shared.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    assert run("render", "-C", fleet).code == 0


@pytest.fixture
def branches(run: Run, made: Path) -> Path:
    """Branches `one` and `two`, each of which adds a tenant to one cell and changes another field of its tier."""
    branch_with_users(run, made, "one", 30)
    change_tier(run, made, "requestBaseMiB: 300", "requestBaseMiB: 310")
    commit(made, "one's tier")
    branch_with_users(run, made, "two", 40)
    change_tier(run, made, "requestBaseMillicores: 200", "requestBaseMillicores: 210")
    commit(made, "two's tier")
    return made


def is_rendered(run: Run, fleet: Path) -> None:
    """The trees are stale until they are rendered, and hold what both branches wanted."""
    stale = run("check", "-C", fleet)
    assert stale.code == 1
    assert "run 'tenantry render'" in stale.out
    assert not any(b"<<<<<<<" in content for content in tree(fleet).values())
    assert run("render", "-C", fleet).code == 0
    assert run("check", "-C", fleet).code == 0
    assert {"one-books.yaml", "two-books.yaml"} <= {path.name for path in (fleet / "tenants").iterdir()}


def test_without_the_driver_git_leaves_conflicts_in_generated_trees(branches: Path) -> None:
    git(branches, "config", "--remove-section", "merge.tenantry")
    git(branches, "merge", "one", code=1)
    assert any(path.startswith(("base/", "rendered/")) for path in unmerged(branches))


def test_a_merge_leaves_nothing_to_a_person(run: Run, branches: Path) -> None:
    git(branches, "merge", "one")
    is_rendered(run, branches)


def test_a_rebase_leaves_nothing_to_a_person(run: Run, branches: Path) -> None:
    git(branches, "rebase", "one")
    is_rendered(run, branches)


def test_a_cherry_pick_leaves_nothing_to_a_person(run: Run, branches: Path) -> None:
    git(branches, "cherry-pick", "one~1", "one")
    is_rendered(run, branches)


def test_an_input_that_both_changed_stays_a_conflict_even_with_the_attribute(run: Run, made: Path) -> None:
    (made / ".gitattributes").write_text("* merge=tenantry\n")
    commit(made, "attributes")
    for branch, users in (("one", 30), ("two", 40)):
        git(made, "switch", "--quiet", "--create", branch, "main")
        add_tenant(made, "acme", "shared", "euw1-shared-a", users=users)
        commit(made, branch)
    git(made, "merge", "one", code=1)
    assert unmerged(made) == ["tenants/acme.yaml"]
    assert "S014" in run("check", "-C", made).out


def rename_like(made: Path) -> None:
    """On `one`, acme is replaced by a similar tenant; on `main`, it gets more users."""
    git(made, "switch", "--quiet", "--create", "one")
    text = (made / "tenants/acme.yaml").read_text()
    (made / "tenants/acme.yaml").unlink()
    (made / "tenants/initech.yaml").write_text(text.replace("acme", "initech").replace("Acme", "Initech"))
    commit(made, "one")
    git(made, "switch", "--quiet", "main")
    (made / "tenants/acme.yaml").write_text(text.replace("users: 24", "users: 25"))
    commit(made, "more users")


def test_a_change_of_a_tenant_never_reaches_the_file_of_another(run: Run, made: Path) -> None:
    rename_like(made)
    git(made, "merge", "one", code=1)
    assert unmerged(made) in (["tenants/acme.yaml"], ["tenants/initech.yaml"])  # with and without merge.renames
    assert "users: 24" in (made / "tenants/initech.yaml").read_text()
    assert "G020" in run("resolve", "-C", made).out


def test_gits_own_answer_is_to_write_it_there(made: Path) -> None:
    git(made, "config", "--remove-section", "merge.tenantry")
    git(made, "config", "merge.renames", "true")
    rename_like(made)
    git(made, "merge", "one")
    assert "users: 25" in (made / "tenants/initech.yaml").read_text()


def test_a_user_who_follows_renames_keeps_that(made: Path, run: Run) -> None:
    git(made, "config", "merge.renames", "true")
    run("merge-driver", "--install", "-C", made)
    assert git(made, "config", "merge.renames") == "true"


def test_modules_of_a_commit_are_not_imported(made: Path, run: Run) -> None:
    (made / "click.py").write_text("raise SystemExit('imported')\n")
    file = next((made / "rendered").rglob("*.yaml"))
    commit(made, "module")
    for branch in ("one", "two"):
        git(made, "switch", "--quiet", "--create", branch, "main")
        file.write_text(f"{file.read_text()}# {branch}\n")
        commit(made, branch)
    git(made, "merge", "one")
    assert file.read_text().endswith("# two\n")


@pytest.mark.parametrize("arguments", [[], ["a"], ["a", "b", "c", "d", "e"], ["--install", "a"]])
def test_other_arguments_than_gits_are_wrong_usage(arguments: list[str], run: Run, fleet: Path) -> None:
    ran = run("merge-driver", *arguments, "-C", fleet)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "tenantry: git calls 'merge-driver' with four arguments\n  run 'tenantry merge-driver --install'\n"
    )


def test_a_file_that_is_missing_is_answered(run: Run, tmp_path: Path) -> None:
    ran = run("merge-driver", "a", "b", "c", "rendered/x.yaml", cwd=tmp_path)
    assert ran.code == 4
    assert "a can't be merged: No such file or directory" in ran.err


def test_the_driver_is_installed_once_and_outside_of_git_not_at_all(run: Run, fleet: Path) -> None:
    ran = run("merge-driver", "--install", "-C", fleet)
    assert (ran.code, "is not in a git repository" in ran.err) == (2, True)
    start(fleet)
    for _ in range(2):
        answer = json.loads(run("merge-driver", "--install", "--format", "json", "-C", fleet).out)
    assert answer["attributes"]
    assert answer["driver"].endswith(" -P -m tenantry merge-driver %O %A %B %P")
    assert git(fleet, "config", "--get-all", "merge.tenantry.driver") == answer["driver"]


def test_without_the_attribute_the_answer_says_what_to_add(run: Run, fleet: Path) -> None:
    (fleet / ".gitattributes").write_text("* text=auto eol=lf\n")
    start(fleet)
    ran = run("merge-driver", "--install", "-C", fleet)
    assert (
        "Add 'rendered/** merge=tenantry' to .gitattributes, and the same for the other folders of the fleet."
        in ran.out
    )
    assert "BAD  merges   the merge driver is installed, but no attribute names it" in run("doctor", "-C", fleet).out


def test_doctor_says_whether_the_driver_is_installed(run: Run, fleet: Path) -> None:
    start(fleet)
    missing = "ok   merges   merge driver not installed; 'tenantry merge-driver --install'\n"
    assert missing in run("doctor", "-C", fleet).out
    run("merge-driver", "--install", "-C", fleet)
    assert "ok   merges   merge driver installed\n" in run("doctor", "-C", fleet).out
    git(fleet, "config", "merge.tenantry.driver", "/gone/python -m tenantry merge-driver %O %A %B %P")
    assert "BAD  merges   the merge driver's program is gone" in run("doctor", "-C", fleet).out


@pytest.mark.parametrize("in_git", [True, False])
def test_init_installs_the_driver_in_a_repository(in_git: bool, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    if in_git:
        git(folder, "init", "--quiet")
    ran = run("init", folder)
    assert ("git init && tenantry merge-driver --install" in ran.out) != in_git
    if in_git:
        assert git(folder, "config", "merge.tenantry.driver")
