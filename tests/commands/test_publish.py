"""`tenantry publish` in real repositories: exactly the wanted files are committed, or everything stays as it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import fake_renderer
from conftest import REPOSITORY, Ran, tree
from repositories import commit, git, start
from tenantry.cli.main import main
from tenantry.runtime import user_git

Run = Callable[..., Ran]
CONTOSO = "tenants/contoso.yaml"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process, with a renderer that takes no time."""
    for module, name in fake_renderer.REPLACED:
        monkeypatch.setattr(module, name, getattr(fake_renderer, name))

    def call(*arguments: str | Path, env: dict[str, str] | None = None) -> Ran:
        for name, value in (env or {}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.argv", ["tenantry", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capfd.readouterr()
        return Ran(int(end.value.code or 0), out, err)

    return call


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A small fleet, rendered and committed on main."""
    root = tmp_path / "fleet"
    fake_renderer.fleet(root, "acme", "umbrella")
    (root / "README.md").write_text("A fleet.\n")
    start(root)
    return root


@pytest.fixture
def shared(made: Path, tmp_path: Path) -> Path:
    """The same, with a remote that others push to."""
    git(tmp_path, "clone", "--quiet", "--bare", str(made), "remote.git")
    git(made, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(made, "push", "--quiet", "--set-upstream", "origin", "main")
    return made


def new_tenant(fleet: Path, name: str = "contoso", users: int = 24) -> None:
    fake_renderer.tenant(fleet, name, users)


def somebody_pushes(run: Run, fleet: Path, name: str = "initech") -> Path:
    """Another clone in which a tenant is published and pushed."""
    other = fleet.parent / "other"
    git(fleet.parent, "clone", "--quiet", str(fleet.parent / "remote.git"), "other")
    new_tenant(other, name)
    ran = run("publish", f"tenants/{name}.yaml", "--push", "-C", other)
    assert ran.code == 0, ran
    return other


def state(fleet: Path) -> tuple[str, ...]:
    """Commit, branch, branches, index and files outside of generated trees."""
    status = git(fleet, "status", "--porcelain", "--", ":!base", ":!overlays", ":!rendered")
    return git(fleet, "rev-parse", "HEAD"), git(fleet, "branch", "--list"), git(fleet, "ls-files", "--stage"), status


def hook(fleet: Path, name: str, script: str) -> Path:
    path = fleet / f".git/hooks/{name}"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def refused(ran: Ran, code: int, *words: str) -> None:
    assert ran.code == code, ran
    for word in words:
        assert word in ran.out + ran.err, ran


def test_the_trees_and_the_named_inputs_are_committed_and_nothing_else(run: Run, made: Path) -> None:
    new_tenant(made)
    (made / "notes.txt").write_text("mine\n")
    ran = run("publish", CONTOSO, "-C", made)
    head = git(made, "rev-parse", "--short=12", "HEAD")
    assert (ran.code, ran.out) == (0, f"Committed {head} on main: Publish changes of acme, contoso and umbrella\n"), ran
    files = git(made, "diff", "--name-only", "HEAD^", "HEAD").splitlines()
    assert CONTOSO in files
    assert {file.split("/")[0] for file in files} == {"tenants", "rendered"}
    assert git(made, "status", "--porcelain") == "?? notes.txt"
    assert not list(fake_renderer.changes(made))


def test_the_message_names_tenants_and_what_it_was_made_with(run: Run, made: Path) -> None:
    new_tenant(made)
    assert run("publish", CONTOSO, "--message", "Contoso\nmoves in", "-C", made).code == 0
    subject, _, body, _, *_ = git(made, "log", "-1", "--format=%B").splitlines()
    assert subject == "Contoso moves in"
    assert body == "Objects: 3 changed."
    trailers = dict(
        line.split(": ", 1) for line in git(made, "log", "-1", "--format=%(trailers:unfold)").splitlines() if line
    )
    assert "contoso" in trailers["Tenantry-Tenants"]
    assert trailers["Tenantry-Version"] == "0.1.0"
    assert trailers["Tenantry-Engine"].startswith("kustomize v0")
    listing = "git ls-tree -r HEAD platform tiers tenants policies | git hash-object --stdin"
    done = subprocess.run(["sh", "-c", listing], cwd=made, capture_output=True, text=True, check=True)
    assert trailers["Tenantry-Inputs"] == done.stdout.strip()


def test_without_a_change_there_is_no_commit(run: Run, made: Path) -> None:
    before = state(made)
    ran = run("publish", "tenants", "--branch", "nothing", "-C", made)
    assert (ran.code, ran.out) == (0, "Nothing to commit: trees and inputs are as committed.\n")
    assert state(made) == before


def test_a_removed_and_a_renamed_input_are_committed(run: Run, made: Path) -> None:
    path = made / "tenants/acme.yaml"
    path.write_text(path.read_text().replace("  tier:", "  state: offboarding\n  tier:", 1))
    assert run("publish", "tenants/acme.yaml", "-C", made).code == 0
    path.unlink()
    assert run("publish", "tenants/acme.yaml", "-C", made).code == 0
    assert "tenants/acme.yaml" not in git(made, "ls-files")
    assert git(made, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("prepare", "line"),
    [
        ("changed", "tiers/shared.yaml: G021 has changes that the commit would not contain (name it: "),
        ("staged", "tiers/shared.yaml: G021 has changes that the commit would not contain (name it: "),
        ("untracked", "tenants/initech.yaml: G021 is not in git, but what is rendered may depend on it (name it: "),
        ("ignored", "tenants/initech.yaml: G021 is not in git, but what is rendered may depend on it (name it: "),
        ("hidden", "tiers/shared.yaml: G021 is hidden from git (skip-worktree or assume-unchanged), so its changes "),
        ("sparse", "tiers/shared.yaml: G021 is hidden from git (skip-worktree or assume-unchanged), so its changes "),
        ("elsewhere", "README.md: G021 has changes that the commit would not contain (name it: "),
    ],
)
def test_another_change_is_a_finding_and_nothing_is_committed(prepare: str, line: str, run: Run, made: Path) -> None:
    new_tenant(made)
    tier = made / "tiers/shared.yaml"
    if prepare in ("changed", "staged", "hidden"):
        tier.write_text(f"{tier.read_text()}# more\n")
    if prepare == "staged":
        git(made, "add", "tiers")
    if prepare in ("untracked", "ignored"):
        new_tenant(made, "initech")
    if prepare == "ignored":
        (made / ".git/info/exclude").write_text("tenants/initech.yaml\n")
    if prepare == "hidden":
        git(made, "update-index", "--assume-unchanged", "tiers/shared.yaml")
    if prepare == "sparse":
        git(made, "update-index", "--skip-worktree", "tiers/shared.yaml")
    if prepare == "elsewhere":
        (made / "README.md").write_text("mine\n")
    before, trees = state(made), tree(made)
    ran = run("publish", CONTOSO, "-C", made)
    assert ran.code == 1
    assert ran.out.startswith(line), ran
    assert "\nNothing was committed.\n" in ran.out
    assert (state(made), tree(made)) == (before, trees)


def test_an_edited_generated_file_is_rendered_again_and_not_committed(run: Run, made: Path) -> None:
    file = next((made / "rendered").glob("*/production/acme/app/service*"))
    file.write_text(f"{file.read_text()}# edited\n")
    assert run("publish", "-C", made).out.startswith("Nothing to commit")
    assert "edited" not in file.read_text()


def test_invalid_inputs_are_findings(run: Run, made: Path) -> None:
    (made / CONTOSO).write_text("<<<<<<< ours\n")
    before = state(made)
    ran = run("publish", CONTOSO, "--format", "json", "-C", made)
    answer = json.loads(ran.out)
    assert (ran.code, answer["command"], answer["ok"]) == (1, "publish", False)
    assert [finding["code"] for finding in answer["findings"]] == ["S014"]
    assert state(made) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no-such-file.yaml"], ["there is no file", "and git knows none"]),
        (["/etc/hostname"], ["is outside the repository"]),
        (["--branch", "main~1"], ["'main~1' can't be the name of a branch"]),
        (["--branch=-x"], ["'-x' can't be the name of a branch"]),
        (["--branch", "taken"], ["there is a branch 'taken' already", "git switch taken"]),
        (["--push"], ["there is no remote to push to"]),
        (["--remote", "upstream"], ["there is no remote 'upstream'"]),
    ],
)
def test_wrong_usage_is_answered(arguments: list[str], words: list[str], run: Run, made: Path) -> None:
    git(made, "branch", "taken")
    refused(run("publish", *arguments, "-C", made), 2, *words)


def test_outside_of_git_and_without_a_commit_there_is_nothing_to_publish_on(run: Run, fleet: Path) -> None:
    refused(run("publish", "-C", fleet), 2, "is not in a git repository")
    git(fleet, "init", "--quiet")
    refused(run("publish", "-C", fleet), 2, "the repository has no commit yet")


def test_a_detached_head_needs_a_branch(run: Run, made: Path) -> None:
    git(made, "checkout", "--quiet", "--detach")
    new_tenant(made)
    refused(run("publish", CONTOSO, "-C", made), 2, "HEAD is detached", "--branch")
    assert run("publish", CONTOSO, "--branch", "contoso", "-C", made).code == 0
    assert git(made, "branch", "--show-current") == "contoso"


def test_in_the_middle_of_a_merge_nothing_is_published(run: Run, made: Path) -> None:
    git(made, "switch", "--quiet", "--create", "one")
    new_tenant(made)
    commit(made, "one")
    git(made, "switch", "--quiet", "main")
    commit(made, "two")
    git(made, "merge", "--no-commit", "one")
    refused(run("publish", "-C", made), 2, "in the middle of a merge", "'tenantry resolve', then 'git commit'")


def test_a_dry_run_shows_the_files_and_changes_nothing(run: Run, made: Path) -> None:
    new_tenant(made)
    before, trees = state(made), tree(made)
    ran = run("publish", CONTOSO, "--dry-run", "-C", made)
    assert ran.code == 0, ran
    head, *files = ran.out.splitlines()
    assert head == f"Would commit {len(files)} files on main: Publish changes of acme, contoso and umbrella"
    assert (state(made), tree(made)) == (before, trees)
    assert not (made / ".tenantry").exists()
    assert run("publish", CONTOSO, "-C", made).code == 0
    assert [f"  {file}" for file in git(made, "diff", "--name-only", "HEAD^").splitlines()] == files
    assert run("publish", "--dry-run", "-C", made).out.startswith("Nothing to commit")


# --- hooks, signing, and what a commit can hold


@pytest.mark.parametrize("arguments", [[], ["--branch", "contoso"]])
@pytest.mark.parametrize("name", ["pre-commit", "commit-msg"])
def test_a_hook_that_refuses_leaves_everything_as_it_was(name: str, arguments: list[str], run: Run, made: Path) -> None:
    new_tenant(made)
    hook(made, name, "echo 'not on a Friday' >&2; exit 1")
    before = state(made)
    refused(run("publish", CONTOSO, *arguments, "-C", made), 1, "nothing was committed", "not on a Friday")
    assert state(made) == before
    (made / f".git/hooks/{name}").unlink()
    assert run("publish", CONTOSO, *arguments, "-C", made).code == 0


def test_a_hook_of_a_detached_head_leaves_it_detached(run: Run, made: Path) -> None:
    git(made, "checkout", "--quiet", "--detach")
    new_tenant(made)
    hook(made, "pre-commit", "exit 1")
    before = state(made)
    refused(run("publish", CONTOSO, "--branch", "contoso", "-C", made), 1, "nothing was committed")
    assert state(made) == before


def test_a_hook_that_changes_the_commit_takes_it_back(run: Run, made: Path) -> None:
    new_tenant(made)
    hook(made, "pre-commit", "echo mine > README.md; git add README.md")
    head, staged = git(made, "rev-parse", "HEAD"), git(made, "ls-files", "--stage")
    refused(run("publish", CONTOSO, "-C", made), 1, "a hook changed what is committed, so the commit was taken back")
    assert (git(made, "rev-parse", "HEAD"), git(made, "ls-files", "--stage")) == (head, staged)


def test_a_signature_that_fails_leaves_everything_as_it_was(run: Run, made: Path) -> None:
    new_tenant(made)
    git(made, "config", "commit.gpgSign", "true")
    git(made, "config", "gpg.program", "/bin/false")
    before = state(made)
    refused(run("publish", CONTOSO, "-C", made), 4, "git can't commit: ")
    assert state(made) == before


def test_a_commit_is_signed_as_git_is_set_up(run: Run, made: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    for name, value in {"commit.gpgSign": "true", "gpg.format": "ssh", "user.signingKey": f"{key}.pub"}.items():
        git(made, "config", name, value)
    new_tenant(made)
    assert run("publish", CONTOSO, "-C", made).code == 0
    assert "BEGIN SSH SIGNATURE" in git(made, "cat-file", "commit", "HEAD")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("core.hooksPath", ".githooks"),
        ("include.path", "../settings"),
        ("filter.x.clean", "sh ./tools/program"),
        ("credential.helper", "!./tools/program"),
        ("gpg.program", "./tools/program"),
        ("hook", ""),
    ],
)
def test_nothing_of_the_working_tree_runs_unless_it_is_allowed(
    setting: str, value: str, run: Run, made: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    for name in (".githooks/pre-commit", "tools/program"):
        path = made / name
        path.parent.mkdir()
        path.write_text(f"#!/bin/sh\ntouch {trace}\n")
        path.chmod(0o755)
    (made / "settings").write_text("[user]\n\tname = Another\n")
    commit(made, "programs")
    if setting == "hook":
        (made / ".git/hooks/pre-commit").symlink_to(made / "tools/program")
    else:
        git(made, "config", setting, value)
    new_tenant(made)
    before = state(made)
    refused(run("publish", CONTOSO, "-C", made), 2, "which is in the working tree", "--tree-programs")
    assert state(made) == before
    assert not trace.exists()
    assert run("publish", CONTOSO, "--tree-programs", "-C", made).code == 0
    assert trace.exists() == (setting in ("core.hooksPath", "hook"))


def test_an_attribute_that_changes_generated_files_is_refused(run: Run, made: Path) -> None:
    git(made, "config", "filter.x.clean", "tr a-z A-Z")
    (made / ".git/info/attributes").write_text("rendered/** filter=x\n")
    new_tenant(made)
    before = state(made)
    ran = run("publish", CONTOSO, "-C", made)
    refused(ran, 1, "git would not store rendered/", "as it is rendered", "remove attributes such as filter")
    assert state(made) == before


def test_inside_a_hook_nothing_is_published(run: Run, made: Path) -> None:
    refused(run("publish", "-C", made, env={"GIT_DIR": str(made / ".git")}), 2, "GIT_DIR is set")


# --- remotes


def test_a_new_branch_is_committed_to_and_pushed(run: Run, shared: Path) -> None:
    new_tenant(shared)
    ran = run("publish", CONTOSO, "--branch", "contoso", "--push", "-C", shared)
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "Pushed to origin/contoso."), ran
    assert git(shared, "rev-parse", "contoso") == git(shared.parent / "remote.git", "rev-parse", "contoso")
    assert git(shared, "rev-parse", "--abbrev-ref", "contoso@{upstream}") == "origin/contoso"
    assert git(shared, "rev-parse", "main") == git(shared, "rev-parse", "contoso^")


def test_a_remote_that_has_more_is_taken_over_before_anything_is_rendered(run: Run, shared: Path) -> None:
    other = somebody_pushes(run, shared)
    new_tenant(shared)
    for file, text in fake_renderer.wanted(shared).items():  # so generated files differ on both sides
        (shared / file).parent.mkdir(parents=True, exist_ok=True)
        (shared / file).write_text(text)
    ran = run("publish", CONTOSO, "--push", "-C", shared)
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "Pushed to origin/main."), ran
    holds_both(run, shared, other)


def holds_both(run: Run, fleet: Path, other: Path) -> None:
    """The remote has both changes in a line, and its trees are what its inputs give."""
    git(other, "pull", "--quiet", "--ff-only")
    assert git(other, "rev-parse", "HEAD") == git(fleet, "rev-parse", "HEAD")
    assert {"contoso.yaml", "initech.yaml"} <= {path.name for path in (other / "tenants").iterdir()}
    assert not list(fake_renderer.changes(other))
    assert git(fleet, "status", "--porcelain") == ""
    assert "carry inputs" not in git(fleet, "log", "--format=%s")


def test_a_remote_that_moves_meanwhile_is_taken_over_and_the_push_is_tried_again(run: Run, shared: Path) -> None:
    """The other person's push happens in our first pre-push hook."""
    other = somebody_pushes(run, shared)
    remote = shared.parent / "remote.git"
    last = git(remote, "rev-parse", "main")
    git(remote, "update-ref", "refs/heads/main", f"{last}^")
    hook(shared, "pre-push", f"unset GIT_DIR; git -C {remote} update-ref refs/heads/main {last}")
    new_tenant(shared)
    ran = run("publish", CONTOSO, "--push", "-C", shared)
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "Pushed to origin/main."), ran
    holds_both(run, shared, other)


def test_a_change_of_one_line_on_both_sides_is_left_to_a_person(run: Run, shared: Path) -> None:
    somebody_pushes(run, shared, "contoso")
    new_tenant(shared, users=30)
    before, text = state(shared), (shared / CONTOSO).read_text()
    ran = run("publish", CONTOSO, "--push", "-C", shared)
    refused(ran, 1, f"{CONTOSO}: G023 was changed here and on origin/main, in the same place", "Nothing was committed.")
    assert (state(shared), (shared / CONTOSO).read_text()) == (before, text)


def test_a_conflict_that_comes_up_late_keeps_the_commit(run: Run, shared: Path) -> None:
    somebody_pushes(run, shared, "contoso")
    remote = shared.parent / "remote.git"
    last = git(remote, "rev-parse", "main")
    git(remote, "update-ref", "refs/heads/main", f"{last}^")
    hook(shared, "pre-push", f"unset GIT_DIR; git -C {remote} update-ref refs/heads/main {last}")
    new_tenant(shared, users=30)
    ran = run("publish", CONTOSO, "--push", "-C", shared)
    refused(ran, 1, f"{CONTOSO}: G023", "The commit is on 'main', and was not pushed.")
    assert "users: 30" in git(shared, "show", f"HEAD:{CONTOSO}")
    assert git(shared, "status", "--porcelain") == ""


def test_a_file_in_the_way_stops_the_takeover_and_changes_nothing(run: Run, shared: Path) -> None:
    other = somebody_pushes(run, shared)
    (other / "notes.txt").write_text("theirs\n")
    commit(other, "notes")
    git(other, "push", "--quiet")
    (shared / "notes.txt").write_text("mine\n")
    new_tenant(shared)
    before = state(shared)
    refused(run("publish", CONTOSO, "--push", "-C", shared), 1, "what the remote has can't be checked out")
    assert state(shared) == before
    assert (shared / "notes.txt").read_text() == "mine\n"


@pytest.mark.parametrize("push", [[], ["--push"]])
def test_a_diverged_branch_is_a_finding(push: list[str], run: Run, shared: Path) -> None:
    somebody_pushes(run, shared)
    git(shared, "fetch", "--quiet")
    commit(shared, "mine")
    new_tenant(shared)
    before = state(shared)
    ran = run("publish", CONTOSO, *push, "-C", shared)
    refused(ran, 1, ".: G022 branch 'main' lacks 1 commit of origin/main, which lacks 1 commit of it (run 'git pull ")
    assert state(shared) == before


def test_a_branch_that_only_lacks_commits_is_a_finding_without_a_push(run: Run, shared: Path) -> None:
    somebody_pushes(run, shared)
    git(shared, "fetch", "--quiet")
    refused(run("publish", "-C", shared), 1, ".: G022 branch 'main' lacks 1 commit of origin/main (run 'git pull ")


def test_a_remote_that_refuses_keeps_the_commit_and_says_why(run: Run, shared: Path) -> None:
    path = shared.parent / "remote.git/hooks/pre-receive"
    path.write_text("#!/bin/sh\necho 'main is protected' >&2; exit 1\n")
    path.chmod(0o755)
    new_tenant(shared)
    ran = run("publish", CONTOSO, "--push", "-C", shared)
    refused(
        ran,
        1,
        "origin/main refuses the push",
        "main is protected",
        "pre-receive hook declined",
        "the commit is on 'main'",
        "--branch",
    )
    assert git(shared, "rev-list", "--count", "origin/main..main") == "1"
    path.unlink()
    assert run("publish", "--push", "-C", shared).out.splitlines()[-1] == "Pushed to origin/main."


def test_a_hook_that_refuses_the_push_keeps_the_commit(run: Run, shared: Path) -> None:
    hook(shared, "pre-push", "echo 'not on a Friday' >&2; exit 1")
    new_tenant(shared)
    refused(run("publish", CONTOSO, "--push", "-C", shared), 1, "origin/main refuses the push", "not on a Friday")
    assert git(shared, "rev-list", "--count", "origin/main..main") == "1"


def test_a_remote_that_can_not_be_reached_is_a_tool_that_is_missing(run: Run, shared: Path) -> None:
    git(shared, "remote", "set-url", "origin", str(shared.parent / "gone.git"))
    new_tenant(shared)
    before = state(shared)
    refused(run("publish", CONTOSO, "--push", "-C", shared), 4, "git ls-remote failed")
    assert state(shared) == before


def test_a_name_that_the_remote_has_is_not_pushed_to(run: Run, shared: Path) -> None:
    git(shared.parent / "remote.git", "branch", "contoso", "main")
    new_tenant(shared)
    before = state(shared)
    ran = run("publish", CONTOSO, "--branch", "contoso", "--push", "-C", shared)
    refused(ran, 2, "origin/contoso is there already")
    assert state(shared) == before


# --- a kill at any point


def killed_while_publishing(fleet: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-m", "fake_renderer", "publish", CONTOSO, "--push", "-C", str(fleet)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "tests")}, capture_output=True,
    )  # fmt: skip
    assert killed.returncode == -9, killed


def finishes(run: Run, fleet: Path, other: Path) -> None:
    """The same command once more ends with both people's changes on the remote."""
    for lock in (fleet / ".git").rglob("*.lock"):
        lock.unlink(missing_ok=True)  # a git that outlived the kill may end meanwhile
    ran = run("publish", CONTOSO, "--push", "-C", fleet)
    if ran.code == 2:
        refused(ran, 2, "a run that was interrupted left your inputs in a commit")
        refused(ran, 2, "run 'git stash --include-untracked && git reset --soft HEAD^'")
        git(fleet, "stash", "--include-untracked")
        git(fleet, "reset", "--soft", "HEAD^")
        ran = run("publish", CONTOSO, "--push", "-C", fleet)
    assert ran.code == 0, ran
    holds_both(run, fleet, other)


@pytest.mark.parametrize("name", ["pre-commit", "post-commit", "pre-push"])
def test_a_kill_in_a_hook_loses_nothing_and_the_next_run_finishes(name: str, run: Run, shared: Path) -> None:
    other = somebody_pushes(run, shared)
    hook(shared, name, "kill -9 $(ps -o ppid= -p $PPID)")
    new_tenant(shared)
    text = (shared / CONTOSO).read_text()
    killed_while_publishing(shared)
    assert (shared / CONTOSO).read_text() == text
    (shared / f".git/hooks/{name}").unlink()
    finishes(run, shared, other)


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 6, 7, 8])
def test_a_kill_at_any_move_of_a_branch_loses_nothing(step: int, run: Run, shared: Path, tmp_path: Path) -> None:
    """Git calls the hook before and after it moves a reference; the run is killed at the n-th time."""
    other = somebody_pushes(run, shared)
    count = tmp_path / "count"
    script = f"echo x >> {count}; test $(wc -l < {count}) -ne {step} || kill -9 $(ps -o ppid= -p $PPID)"
    hook(shared, "reference-transaction", script)
    new_tenant(shared)
    text = (shared / CONTOSO).read_text()
    killed_while_publishing(shared)
    assert (shared / CONTOSO).read_text() == text
    (shared / ".git/hooks/reference-transaction").unlink()
    finishes(run, shared, other)


def test_settings_in_quotes_that_do_not_end_are_read_as_words() -> None:
    assert user_git.words("!sh 'x") == ["sh", "'x"]
    assert user_git.words("!sh 'x y'") == ["sh", "x y"]
