"""A program is run as it was built, or built again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tenantry.engine.intact import is_intact, record


@pytest.fixture
def program(tmp_path: Path) -> Path:
    folder = tmp_path / "engine"
    folder.mkdir(mode=0o700)
    path = folder / "program"
    path.write_bytes(b"built")
    path.chmod(0o755)
    record(path)
    return path


def test_what_was_built_is_run(program: Path) -> None:
    assert is_intact(program)
    os.utime(program)  # its times are others; its content is read then, and is the same
    assert is_intact(program)


@pytest.mark.parametrize("content", [b"", b"other", b"buil"])
def test_a_program_that_is_not_the_one_that_was_built_is_not_run(program: Path, content: bytes) -> None:
    program.write_bytes(content)
    assert not is_intact(program)


@pytest.mark.parametrize("record", [b"", b"{}", b"[" * 10_000, b'{"sha256": 1, "stat": []}'])
def test_a_program_without_a_good_record_is_not_run(program: Path, record: bytes) -> None:
    program.with_name("program.digest").write_bytes(record)
    assert not is_intact(program)


def test_a_program_that_others_may_write_is_not_run(program: Path) -> None:
    program.chmod(0o777)
    assert not is_intact(program)


def test_a_link_or_a_pipe_in_a_programs_place_is_not_run(program: Path, tmp_path: Path) -> None:
    program.rename(tmp_path / "elsewhere")
    program.symlink_to(tmp_path / "elsewhere")
    assert not is_intact(program)
    program.unlink()
    os.mkfifo(program)
    assert not is_intact(program)


def test_a_folder_that_others_could_write_is_closed_to_them(program: Path) -> None:
    program.parent.chmod(0o777)
    assert is_intact(program)
    assert program.parent.stat().st_mode & 0o022 == 0
