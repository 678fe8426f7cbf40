"""The trees are written all or nothing; what is not ours stops the run; data goes only when somebody said so."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran, add_tenant, tree
from tenantry.core.findings import TenantryError
from tenantry.publish.staging import StagingFolder, identity
from tenantry.publish.swap import Journal, Moves, read_journal
from tenantry.publish.writer import Publisher, interrupted
from tenantry.runtime.listing import Change
from tenantry.runtime.state import fleet_state

Run = Callable[..., Ran]


@pytest.fixture
def made(run: Run, fleet: Path) -> Path:
    assert run("render", "-C", fleet).code == 0
    return fleet


def test_an_unmanaged_file_stops_the_run_and_is_left_alone(run: Run, made: Path) -> None:
    stranger = made / "rendered/euw1-a/production/acme/app/notes.txt"
    stranger.write_text("mine\n")
    add_tenant(made, "acme", "shared", "euw1-shared-a", users=48)
    before = tree(made)
    for command in ("check", "render"):
        ran = run(command, "-C", made)
        assert ran.code == 1
        assert "rendered/euw1-a/production/acme/app/notes.txt: G001 is not made by tenantry" in ran.out
    assert tree(made) == before


def test_a_link_in_a_tree_stops_the_run(run: Run, made: Path) -> None:
    (made / "rendered/euw1-a/link").symlink_to("/etc")
    ran = run("render", "-C", made)
    assert ran.code == 1
    assert "rendered/euw1-a/link: G001 is a link, a special file, or a folder in a file's place" in ran.out


def test_a_folder_in_a_generated_files_place_stops_the_run_before_anything_moves(run: Run, made: Path) -> None:
    path = made / "rendered/euw1-a/production/acme/app/service_acme-production_odoo-web.yaml"
    path.unlink()
    path.mkdir()
    add_tenant(made, "acme", "shared", "euw1-shared-a", users=48)
    before = tree(made)
    ran = run("render", "-C", made)
    assert ran.code == 1
    assert "service_acme-production_odoo-web.yaml: G001" in ran.out
    assert tree(made) == before
    path.rmdir()
    assert run("render", "-C", made).code == 0


def test_a_file_in_a_generated_folders_place_stops_the_run(run: Run, fleet: Path) -> None:
    (fleet / "rendered").mkdir()
    (fleet / "rendered/euw1-a").write_text("here\n")
    ran = run("render", "-C", fleet)
    assert ran.code == 1
    assert "rendered/euw1-a: G001 is not made by tenantry" in ran.out
    assert "rendered/euw1-a: G001 is not made by tenantry" in run("check", "-C", fleet).out
    assert list(tree(fleet)) == ["rendered/euw1-a"]


def test_a_manual_edit_is_found_with_its_line_and_undone(run: Run, made: Path) -> None:
    path = made / "rendered/euw1-a/production/acme/app/service_acme-production_odoo-web.yaml"
    good = path.read_text()
    path.write_text(good.replace("port: 8069", "port: 8070"))
    ran = run("check", "-C", made)
    assert ran.code == 1
    assert (
        "service_acme-production_odoo-web.yaml:20:1: G003 was edited by hand: here is 'port: 8070', the inputs give 'port: 8069'"
        in ran.out
    )
    assert run("render", "-C", made).code == 0
    assert path.read_text() == good


def test_an_edit_with_the_old_size_and_date_is_found_too(run: Run, made: Path) -> None:
    path = made / "rendered/euw1-a/production/acme/app/service_acme-production_odoo-web.yaml"
    stat = path.stat()
    path.write_text(path.read_text().replace("8069", "8070"))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert run("check", "-C", made).code == 1


@pytest.mark.parametrize(
    "victim", ["base/components/edge/kustomization.yaml", "overlays/euw1-a/production/acme/app/kustomization.yaml"]
)
def test_a_missing_file_is_found(run: Run, made: Path, victim: str) -> None:
    (made / victim).unlink()
    ran = run("check", "-C", made)
    assert ran.code == 1
    assert f"{victim}: G002 is missing" in ran.out


def test_a_vanished_tenant_file_removes_nothing(run: Run, made: Path) -> None:
    before = tree(made)
    (made / "tenants/acme.yaml").unlink()
    ran = run("render", "-C", made)
    assert ran.code == 1
    assert "tenants/acme.yaml: G005 acme (production) would vanish from cluster 'euw1-a' with its data" in ran.out
    assert tree(made) == before


def test_a_move_to_another_cluster_removes_nothing(run: Run, made: Path) -> None:
    path = made / "tenants/northwind.yaml"
    path.write_text(path.read_text().replace("cell: euw1-seg-a", "cell: euc1-seg-a"))
    ran = run("render", "-C", made)
    assert ran.code == 1
    assert "G005 northwind (production) would vanish from cluster 'euw1-a'" in ran.out


def test_an_offboarding_tenant_loses_its_application_first_and_its_data_with_its_file(run: Run, made: Path) -> None:
    path = made / "tenants/acme.yaml"
    path.write_text(path.read_text().replace("  tier: shared", "  tier: shared\n  state: offboarding"))
    assert run("render", "-C", made).code == 0
    assert not (made / "rendered/euw1-a/production/acme/app").exists()
    assert (made / "rendered/euw1-a/production/acme/infra").exists()
    assert not list((made / "rendered/euw1-a/platform/acme-production").glob("application*acme-production-app*"))
    path.unlink()
    assert run("render", "-C", made).code == 0
    assert not any("/acme/" in name or "acme-production" in name for name in tree(made))


def test_a_suspended_tenant_keeps_data_and_has_no_pods_or_routes(run: Run, made: Path) -> None:
    path = made / "tenants/acme.yaml"
    path.write_text(path.read_text().replace("  tier: shared", "  tier: shared\n  state: suspended"))
    assert run("render", "-C", made).code == 0
    app = made / "rendered/euw1-a/production/acme/app"
    assert "replicas: 0" in next(app.glob("deployment*")).read_text()
    assert not [*app.glob("ingressroute*"), *app.glob("horizontal*"), *app.glob("job*")]
    assert (
        made / "rendered/euw1-a/cells/euw1-shared-a/database.postgresql.cnpg.io_euw1-shared-a-cell_acme-production.yaml"
    ).exists()


def test_two_runs_do_not_write_at_one_time(run: Run, made: Path) -> None:
    with Publisher(made, fleet_state(made)):
        ran = run("render", "-C", made)
    assert ran.code == 1
    assert "another tenantry is writing to this fleet" in ran.err


def changes() -> list[Change]:
    return [
        Change("rendered/a/one.yaml", "changed", b"# Made by tenantry new\n"),
        Change("rendered/a/two.yaml", "removed"),
        Change("rendered/b/three.yaml", "added", b"# Made by tenantry\n"),
    ]


def lay_old(root: Path) -> None:
    (root / "rendered/a").mkdir(parents=True)
    (root / "rendered/a/one.yaml").write_text("# Made by tenantry old\n")
    (root / "rendered/a/two.yaml").write_text("# Made by tenantry old\n")


def interrupted_run(root: Path, write: dict[str, bytes], remove: list[str]) -> Path:
    """What a run leaves that was killed right after it wrote its journal. Returns its staging folder."""
    state = fleet_state(root)
    staging = StagingFolder(root, state)
    for file, content in write.items():
        (staging.files / file).parent.mkdir(parents=True, exist_ok=True)
        (staging.files / file).write_bytes(content)
    digests = {file: hashlib.sha256(content).hexdigest() for file, content in write.items()}
    journal = Journal(identity(root), staging.name, identity(staging.path), Moves(digests, remove))
    state.write("journal", journal.to_value())
    return staging.path


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_a_run_that_was_killed_while_moving_is_finished_by_the_next(tmp_path: Path, moved: int) -> None:
    lay_old(tmp_path)
    files = {change.file: change.content for change in changes() if change.content}
    staging = interrupted_run(tmp_path, files, ["rendered/a/two.yaml"]) / "files"
    for file in list(files)[:moved]:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (staging / file).replace(tmp_path / file)
    with Publisher(tmp_path, fleet_state(tmp_path)):
        pass
    assert tree(tmp_path) == files
    assert not (tmp_path / ".tenantry").exists()


def test_a_run_that_was_killed_while_staging_has_changed_nothing(tmp_path: Path) -> None:
    lay_old(tmp_path)
    before = tree(tmp_path)
    staging = StagingFolder(tmp_path, fleet_state(tmp_path))
    (staging.files / "rendered/a").mkdir(parents=True)
    (staging.files / "rendered/a/one.yaml").write_text("half")
    with Publisher(tmp_path, fleet_state(tmp_path)):
        pass
    assert tree(tmp_path) == before


def test_staged_changes_that_are_not_committed_change_nothing(tmp_path: Path) -> None:
    lay_old(tmp_path)
    before = tree(tmp_path)
    with Publisher(tmp_path, fleet_state(tmp_path)) as publisher:
        for change in changes():
            publisher.stage(change)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    "file", ["tenants/acme.yaml", "rendered/../tenants/a.yaml", "/etc/passwd", "rendered//a", "overlays/./a"]
)
def test_no_path_leaves_the_generated_trees(tmp_path: Path, file: str) -> None:
    with (
        Publisher(tmp_path, fleet_state(tmp_path)) as publisher,
        pytest.raises(AssertionError, match="outside of the generated trees"),
    ):
        publisher.stage(Change(file, "added", b"x"))


def test_a_disk_that_takes_no_more_leaves_the_old_tree(made: Path) -> None:
    """A limit on file sizes makes a write fail in the middle, as a full disk does."""
    before = tree(made)
    add_tenant(made, "acme", "shared", "euw1-shared-a", users=48)
    # The compiled engine and Python's own caches are not written; 2 KiB is less than any kustomization of acme.
    done = subprocess.run(
        [sys.executable, "-B", "-m", "tenantry", "render", "--no-cache", "-C", str(made)], capture_output=True, text=True, timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048)),
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.returncode == 4, done.stderr
    assert "the trees can't be written" in done.stderr
    assert "they are as they were" in done.stderr
    assert tree(made) == before
    assert not (made / ".tenantry").exists()


def test_what_can_fail_is_tried_before_the_first_file_moves(tmp_path: Path) -> None:
    lay_old(tmp_path)
    (tmp_path / "rendered/b/three.yaml").mkdir(parents=True)
    before = tree(tmp_path)
    with pytest.raises(TenantryError, match=r"Is a directory at rendered/b/three\.yaml; they are as they were"):
        publish(tmp_path)
    assert tree(tmp_path) == before
    assert not (tmp_path / ".tenantry").exists()


def test_a_link_in_a_folders_place_is_not_followed(tmp_path: Path) -> None:
    lay_old(tmp_path)
    (tmp_path / "outside").mkdir()
    (tmp_path / "rendered/b").symlink_to(tmp_path / "outside")
    with pytest.raises(TenantryError, match="at rendered/b; they are as they were"):
        publish(tmp_path)
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize("fails", [1, 2])
def test_a_swap_that_fails_half_way_says_so_and_is_finished_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: int
) -> None:
    lay_old(tmp_path)
    replace, calls = os.replace, iter(range(1, 10))

    def failing(*arguments: object, **options: object) -> None:
        if "src_dir_fd" in options and next(calls) == fails:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patched, pytest.raises(TenantryError) as raised:
        patched.setattr(os, "replace", failing)
        publish(tmp_path)
    assert "No space left on device at rendered/" in raised.value.message
    assert raised.value.message.endswith("the trees are half old, half new")
    assert raised.value.hint == "free some space, then 'tenantry render' finishes it"
    state = fleet_state(tmp_path)
    assert [finding.code for finding in interrupted(tmp_path, state)] == ["G006"]
    with Publisher(tmp_path, state):
        pass
    assert tree(tmp_path) == {change.file: change.content for change in changes() if change.content}
    assert list(interrupted(tmp_path, state)) == []


def test_contents_that_changed_since_the_journal_was_written_are_not_moved(tmp_path: Path) -> None:
    lay_old(tmp_path)
    before = tree(tmp_path)
    staging = interrupted_run(tmp_path, {"rendered/a/one.yaml": b"# Made by tenantry new\n"}, [])
    (staging / "files/rendered/a/one.yaml").write_bytes(b"something else\n")
    with Publisher(tmp_path, fleet_state(tmp_path)):
        pass
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    "file", ["../outside", "/tmp/outside", "rendered/../tenants/a", "tenants/acme.yaml", "rendered"]
)
def test_a_journal_with_a_path_outside_the_trees_is_rejected(tmp_path: Path, file: str) -> None:
    lay_old(tmp_path)
    interrupted_run(tmp_path, {}, [file])
    assert read_journal(fleet_state(tmp_path).read("journal")) is None


def publish(root: Path) -> None:
    with Publisher(root, fleet_state(root)) as publisher:
        for change in changes():
            publisher.stage(change)
        publisher.commit()
