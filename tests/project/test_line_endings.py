"""A checkout holds what was committed, whatever the machine's git makes of the ends of lines."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from conftest import REPOSITORY, Ran


def test_a_checkout_that_would_rewrite_ends_of_lines_is_green(
    run: Callable[..., Ran], fleet: Path, tmp_path: Path
) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=fleet, check=True, capture_output=True)

    assert run("render", "-C", fleet).code == 0
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "fleet")
    git("clone", "--quiet", "--config", "core.autocrlf=true", str(fleet), str(tmp_path / "clone"))
    assert b"\r" not in (tmp_path / "clone/tenants/acme.yaml").read_bytes()
    assert run("check", "-C", tmp_path / "clone").code == 0


def test_the_example_asks_git_for_the_same() -> None:
    assert "* text=auto eol=lf\n" in (REPOSITORY / ".gitattributes").read_text()
