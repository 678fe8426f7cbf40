"""No commit can run something, write elsewhere, or make a check green: repositories prepared as an attacker would."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran, tree
from tenantry.runtime.state import fleet_state

Run = Callable[..., Ran]


@pytest.fixture
def made(run: Run, fleet: Path) -> Path:
    """A rendered fleet in a git repository."""
    assert run("render", "-C", fleet).code == 0
    git(fleet, "init", "--quiet")
    git(fleet, "add", "--all")
    git(fleet, "commit", "--quiet", "--message", "fleet")
    return fleet


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def everything(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but git's own, links not followed."""
    return {
        str(path.relative_to(folder)): b"link" if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if ".git" not in path.relative_to(folder).parts[:1] and (path.is_symlink() or path.is_file())
    }


# --- journals and staging folders that came with a commit


def plant_journal(fleet: Path, target: str) -> None:
    """The journal of an interrupted run, in each form that any version has read."""
    staging = fleet / ".tenantry/staging"
    (staging / "files" / "rendered").mkdir(parents=True)
    (staging / "files/payload").write_text("#!/bin/sh\ntouch /tmp/pwned\n")
    (staging / "journal.json").write_text(json.dumps({"write": [target, "payload"], "remove": ["tenants/acme.yaml"]}))
    (fleet / ".tenantry/journal").write_text("0" * 64 + "\n" + json.dumps({"write": {target: ""}, "remove": []}))


@pytest.mark.parametrize("target", [".git/hooks/post-checkout", "/tmp/outside"])
def test_a_committed_journal_is_a_finding_and_is_never_acted_on(run: Run, made: Path, target: str) -> None:
    plant_journal(made, target)
    git(made, "add", "--all", "--force")
    git(made, "commit", "--quiet", "--message", "innocent")
    before = everything(made.parent)
    for command in ("check", "render"):
        ran = run(command, "-C", made)
        assert ran.code == 1
        assert ".tenantry/staging: G007 was not left here by a run of this installation" in ran.out
        assert "git rm -r --cached .tenantry" in ran.out
    assert everything(made.parent) == before
    assert not list((made / ".git/hooks").glob("post-checkout"))


def test_a_linked_work_folder_is_a_finding_and_nothing_is_written_behind_it(
    run: Run, made: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (made / ".tenantry").symlink_to(outside)
    for command in ("check", "render"):
        ran = run(command, "-C", made)
        assert ran.code == 1
        assert ".tenantry: G007 is a link or a file" in ran.out
    assert list(outside.iterdir()) == []


def test_a_journal_does_not_act_on_another_checkout_in_the_same_place(run: Run, made: Path) -> None:
    """A persistent runner puts the next branch where the last one was killed."""
    state = fleet_state(made)
    victim = "rendered/euw1-a/production/acme/infra/namespace_acme-production.yaml"
    inode = made.stat()
    state.write("journal", {
        "root": [inode.st_dev, inode.st_ino], "name": "0123456789abcdef", "staging": [1, 1], "write": {}, "remove": [victim],
    })  # fmt: skip
    assert run("render", "-C", made).code == 0
    assert (made / victim).exists()
    assert "G006" not in run("check", "-C", made).out


def test_an_unsigned_journal_is_ignored_and_said_once(run: Run, made: Path) -> None:
    journal = fleet_state(made).folder / "journal"
    journal.write_text("0" * 64 + "\n" + json.dumps({"write": {}, "remove": ["rendered/euw1-a/x.yaml"]}))
    first, second = run("render", "-C", made), run("render", "-C", made)
    assert (first.code, second.code) == (0, 0)
    assert f"{journal} is ignored and recreated" in first.err
    assert second.err == ""


# --- links in the place of generated folders


@pytest.mark.parametrize("place", ["rendered", "overlays/euw1-a/production/acme/app"])
def test_a_linked_generated_folder_stops_the_run(run: Run, made: Path, tmp_path: Path, place: str) -> None:
    outside = tmp_path / "outside"
    (made / place).rename(outside)
    (made / place).symlink_to(outside)
    before = everything(outside)
    ran = run("render", "-C", made)
    assert ran.code == 1
    assert f"{place}: G001 is a symbolic link" in ran.out
    assert everything(outside) == before


def test_a_hard_linked_file_is_replaced_and_its_other_name_keeps_its_content(
    run: Run, made: Path, tmp_path: Path
) -> None:
    path = made / "rendered/euw1-a/production/acme/app/service_acme-production_odoo-web.yaml"
    path.write_text("# Made by tenantry, edited\n")
    os.link(path, tmp_path / "other")
    assert run("render", "-C", made).code == 0
    assert (tmp_path / "other").read_text() == "# Made by tenantry, edited\n"
    assert path.stat().st_nlink == 1


@pytest.mark.parametrize("folder", ["tenants", "policies"])
def test_a_new_file_is_not_written_through_a_linked_folder(run: Run, made: Path, tmp_path: Path, folder: str) -> None:
    outside = tmp_path / "outside"
    (made / folder).rename(outside)
    (made / folder).symlink_to(outside)
    before = everything(outside)
    run("new", "tenant", "contoso", "--tier", "shared", "-C", made)
    run(
        "new", "exception", "odd", "--tenant", "acme", "--control", "OBS-02", "--reason", "because of it", "--owner", "a@b.example",
        "--compensating-control", "somebody looks at it", "--approver", "c@d.example", "--expires", "2027-01-01", "-C", made,
    )  # fmt: skip
    assert everything(outside) == before


# --- caches


def test_no_state_stays_in_the_working_tree(made: Path) -> None:
    assert not (made / ".tenantry").exists()
    assert git(made, "status", "--porcelain", "--ignored") == ""


@pytest.mark.parametrize("name", ["documents", "units"])
def test_a_cache_that_was_changed_never_makes_a_check_green(run: Run, made: Path, name: str) -> None:
    path = fleet_state(made).folder / name
    broken = next((made / "rendered/euw1-a/production/acme/app").glob("deployment*odoo-web.yaml"))
    broken.write_text(broken.read_text().replace("image: ", "image: evil.example/"))
    assert run("check", "-C", made, "--no-cache").code == 1
    content = path.read_bytes()
    path.write_bytes(content[:64] + content[64:].replace(b"registry", b"evil"))
    cold = run("check", "-C", made, "--no-cache").out
    assert run("check", "-C", made).out == cold
    assert "G003" in cold


STATE = ("documents", "units", "journal", "staging")


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 100, b"[" * 100_000, b"0" * 64 + b"\n" + b'{"code": 1, "entries": []}']
)
def test_broken_state_heals_itself(run: Run, made: Path, content: bytes) -> None:
    for name in STATE:
        (fleet_state(made).folder / name).write_bytes(content)
    heals_itself(run, made)


def test_state_that_may_not_be_read_as_it_is_heals_itself(run: Run, made: Path, tmp_path: Path) -> None:
    """A link and a file that others may write, though both hold what we wrote."""
    folder = fleet_state(made).folder
    (folder / "units").rename(tmp_path / "elsewhere")
    (folder / "units").symlink_to(tmp_path / "elsewhere")
    (folder / "documents").chmod(0o666)
    heals_itself(run, made)


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_state_that_is_no_file_heals_itself(run: Run, made: Path, kind: str) -> None:
    for name in STATE:
        path = fleet_state(made).folder / name
        path.unlink(missing_ok=True)
        if kind == "pipe":
            os.mkfifo(path)
        else:
            (path / "inner").mkdir(parents=True)
    heals_itself(run, made)


def heals_itself(run: Run, fleet: Path) -> None:
    """State is ignored, which is said once, and all is as it was."""
    before = tree(fleet)
    first = run("render", "-C", fleet)
    assert first.code == 0, first.err
    assert "is ignored and recreated" in first.err
    assert tree(fleet) == before
    assert run("render", "-C", fleet).err == ""


def test_a_cache_of_another_installation_says_nothing(run: Run, made: Path, tmp_path: Path) -> None:
    elsewhere = {"HOME": str(tmp_path / "home"), "XDG_STATE_HOME": str(tmp_path / "state")}
    assert run("check", "-C", made, env=elsewhere).code == 0
    theirs = next((tmp_path / "state/tenantry/fleets").iterdir())
    ours = fleet_state(made).folder
    (ours / "units").write_bytes((theirs / "units").read_bytes())
    assert f"{ours / 'units'} is ignored and recreated" in run("check", "-C", made).err


def test_user_folders_inside_the_working_tree_are_refused(run: Run, made: Path) -> None:
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
        ran = run("check", "-C", made, env={name: str(made / ".cache")})
        assert ran.code == 4
        assert f"is inside the working tree {made}, where a commit can write it" in ran.err
    assert not (made / ".cache").exists()


# --- what git would run


def evil(tmp_path: Path) -> tuple[str, Path]:
    """A command that leaves a trace, and the trace."""
    trace = tmp_path / "executed"
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {trace}\ncat\n")
    script.chmod(0o755)
    return str(script), trace


SETTINGS = (
    ("core.fsmonitor", "core.sshCommand", "core.pager", "core.alternateRefsCommand", "core.askPass"),
    ("filter.x.clean", "filter.x.smudge"),
    ("filter.x.process",),
    ("diff.x.textconv", "merge.x.driver"),
    ("diff.x.command", "diff.external"),
)


def run_all(run: Run, fleet: Path) -> None:
    """Each command that asks git, and one that does not."""
    for command in ("diff", "doctor", "check"):
        assert run(command, "-C", fleet).code in (0, 1, 4)


@pytest.mark.parametrize("settings", SETTINGS)
def test_nothing_that_git_is_configured_with_runs(
    run: Run, made: Path, tmp_path: Path, settings: tuple[str, ...]
) -> None:
    script, trace = evil(tmp_path)
    (made / ".gitattributes").write_text("* filter=x diff=x merge=x\n")
    git(made, "add", "--all")
    git(made, "commit", "--quiet", "--message", "attributes")
    for setting in (*settings, "filter.x.required"):
        git(made, "config", setting, "true" if setting.endswith("required") else script)
    path = next((made / "rendered").rglob("service_*.yaml"))
    path.write_text(path.read_text() + "# more\n")
    trace.unlink(missing_ok=True)
    run_all(run, made)
    assert not trace.exists()


def test_hooks_do_not_run(run: Run, made: Path, tmp_path: Path) -> None:
    script, trace = evil(tmp_path)
    for hook in ("post-index-change", "post-checkout", "pre-commit", "reference-transaction"):
        (made / ".git/hooks" / hook).symlink_to(script)
    run_all(run, made)
    assert not trace.exists()


def test_a_folder_that_looks_like_a_bare_repository_is_none(run: Run, made: Path, tmp_path: Path) -> None:
    """Its configuration came with a commit."""
    script, trace = evil(tmp_path)
    git(made, "init", "--quiet", "--bare", "inner")
    inner = made / "inner"
    for folder in ("platform", "tiers", "tenants", "policies", "rendered", "base", "overlays"):
        (made / folder).rename(inner / folder)
    git(inner, "config", "core.fsmonitor", script)
    git(inner, "config", "core.bare", "false")
    run_all(run, inner)
    assert not trace.exists()


def test_a_submodule_is_not_looked_into(run: Run, made: Path, tmp_path: Path) -> None:
    script, trace = evil(tmp_path)
    inner = tmp_path / "inner"
    inner.mkdir()
    git(inner, "init", "--quiet")
    git(inner, "commit", "--quiet", "--allow-empty", "--message", "first")
    git(made, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "rendered/inner")
    git(made, "commit", "--quiet", "--message", "module")
    git(made / "rendered/inner", "config", "core.fsmonitor", script)
    (made / "rendered/inner/new").write_text("x")
    trace.unlink(missing_ok=True)
    run_all(run, made)
    assert not trace.exists()


def test_a_worktree_is_compared_as_a_clone_is(run: Run, made: Path, tmp_path: Path) -> None:
    git(made, "worktree", "add", "--quiet", str(tmp_path / "tree"))
    path = next((tmp_path / "tree/rendered").rglob("service_*odoo-web.yaml"))
    path.write_text(path.read_text().replace("8069", "8070"))
    ran = run("diff", "-C", tmp_path / "tree")
    assert ran.code == 0
    assert "Objects against HEAD: 1 changed; 1 tenant." in ran.out


def test_a_shallow_clone_says_what_it_lacks(run: Run, made: Path, tmp_path: Path) -> None:
    git(made, "commit", "--quiet", "--allow-empty", "--message", "second")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{made}", "shallow")
    ran = run("diff", "HEAD~1", "-C", tmp_path / "shallow")
    assert ran.code == 2
    assert "git does not know the revision 'HEAD~1'\n  the clone is shallow: run 'git fetch --unshallow'" in ran.err


# --- what Python would run


def test_modules_in_the_working_folder_are_not_imported(run: Run, made: Path, tmp_path: Path) -> None:
    trace = tmp_path / "executed"
    for name in ("click", "yaml", "jinja2", "git", "platformdirs", "sitecustomize"):
        (made / f"{name}.py").write_text(f"open({str(trace)!r}, 'w')\n")
    assert run("check", cwd=made).code == 0
    assert not trace.exists()
