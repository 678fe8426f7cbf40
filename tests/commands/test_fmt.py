"""`tenantry fmt`"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from conftest import Ran

Run = Callable[..., Ran]


def untidy(fleet: Path) -> Path:
    path = fleet / "tenants/acme.yaml"
    path.write_text(
        path.read_text()
        .replace("  users: 24\n", "  users:   24 # counted\n")
        .replace("kind: Tenant\n", "kind: 'Tenant'\n")
    )
    return path


def test_it_formats_what_is_not_in_canonical_form_and_nothing_else(run: Run, fleet: Path) -> None:
    path = untidy(fleet)
    path.chmod(0o640)
    before = {file: file.stat().st_mtime_ns for file in fleet.rglob("*.yaml") if file != path}
    ran = run("fmt", "-C", fleet)
    assert (ran.code, ran.out) == (0, "Formatted tenants/acme.yaml.\n")
    assert "\nkind: Tenant\n" in path.read_text()
    assert "\n  users: 24  # counted\n" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o640
    assert before == {file: file.stat().st_mtime_ns for file in fleet.rglob("*.yaml") if file != path}
    assert run("fmt", "-C", fleet).out.endswith("files in canonical form; nothing to do.\n")
    left = {file.name for file in fleet.rglob(".*.yaml*") if file.is_file()}
    assert left == {".pre-commit-config.yaml"}  # no file that was being written


def test_check_writes_nothing_and_names_the_line(run: Run, fleet: Path) -> None:
    path = untidy(fleet)
    before = path.read_bytes()
    ran = run("fmt", "--check", "-C", fleet)
    assert ran.code == 1
    assert (
        "tenants/acme.yaml:2:1: S029 is not in canonical form: this line would be 'kind: Tenant' (run 'tenantry fmt')\n"
        in ran.out
    )
    assert path.read_bytes() == before


def test_paths_choose_files(run: Run, fleet: Path) -> None:
    untidy(fleet)
    assert run("fmt", "--check", "tiers", "platform/cells", "-C", fleet).code == 0
    assert run("fmt", "--check", "tenants/northwind.yaml", "-C", fleet).code == 0
    assert run("fmt", "--check", "acme.yaml", cwd=fleet / "tenants").code == 1
    assert run("fmt", "--check", ".", "-C", fleet).code == 1
    for wrong in ("README.md", "tenants/none.yaml", "..", "rendered"):
        ran = run("fmt", wrong, "-C", fleet)
        assert ran.code == 2, wrong
        assert "is not an input file" in ran.err


def test_a_file_in_doubt_is_reported_and_left_while_the_others_are_formatted(run: Run, fleet: Path) -> None:
    path = untidy(fleet)
    other = fleet / "tenants/northwind.yaml"
    other.write_text("metadata: {name: on}\nkind: 'Tenant'\n")
    ran = run("fmt", "-C", fleet)
    assert ran.code == 1
    assert "tenants/northwind.yaml:1:18: S010 'on' is a boolean to some YAML parsers" in ran.out
    assert other.read_text() == "metadata: {name: on}\nkind: 'Tenant'\n"
    assert "kind: Tenant\n" in path.read_text()


def test_a_link_is_not_followed(run: Run, fleet: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text("kind: 'Tenant'\n")
    (fleet / "tenants/linked.yaml").symlink_to(outside)
    run("fmt", "-C", fleet)
    assert outside.read_text() == "kind: 'Tenant'\n"
    assert (fleet / "tenants/linked.yaml").is_symlink()


def test_what_can_t_be_written_is_said(run: Run, fleet: Path) -> None:
    untidy(fleet)
    (fleet / "tenants").chmod(0o500)
    try:
        ran = run("fmt", "-C", fleet)
    finally:
        (fleet / "tenants").chmod(0o700)
    if os.geteuid():
        assert ran.code == 4
        assert "tenants/acme.yaml can't be written" in ran.err
