"""How-to pages and the tutorial are followed to the letter: a diff applies to this version, and commands show what is said."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import REPOSITORY

PAGES = sorted(
    path
    for folder in ("how-to", "tutorial")
    for path in (REPOSITORY / "docs" / folder).glob("*.md")
    if "```console\n" in path.read_text()
)
NEEDED = (
    "generator",
    "tests",
    "docs",
    "tenants",
    "tiers",
    "platform",
    "policies",
    "base",
    "overlays",
    "rendered",
    "pyproject.toml",
    "README.md",
)
PROGRAMS = {
    "python": [sys.executable],
    "tenantry": [sys.executable, "-m", "tenantry"],
    "pytest": [sys.executable, "-m", "pytest", "-q", "-n0"],
}


def blocks(page: Path) -> list[tuple[str, str]]:
    """Diffs and commands, in their order."""
    return re.findall(r"^```(diff|console)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def apply(diff: str, copy: Path) -> None:
    applied = subprocess.run(["git", "apply", "-"], cwd=copy, input=diff, text=True, capture_output=True)
    assert applied.returncode == 0, applied.stderr


def follow(step: str, copy: Path) -> None:
    """Run one command; what is said of its exit code stands behind it as a comment."""
    command, *expected = step.splitlines()
    name, *arguments = shlex.split(command, comments=True)
    ends = re.search(r"  # exits with (\d)$", command)
    environment = {**os.environ, "PYTHONPATH": f"{copy}/generator"}
    done = subprocess.run(
        [*PROGRAMS[name], *arguments], cwd=copy, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == (int(ends[1]) if ends else 0), f"{command}\n{done.stdout}{done.stderr}"
    for line in expected:
        assert line in done.stdout, f"{command}\n{done.stdout}{done.stderr}"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """This version of the project, without what is built or installed."""
    unwanted = shutil.ignore_patterns("__pycache__", ".*_cache")
    for name in NEEDED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=unwanted, symlinks=True)
        else:
            shutil.copy(source, tmp_path / name)
    return tmp_path


def commit(folder: Path) -> None:
    """Make the folder a repository, for pages that compare with a revision."""
    for command in (("init", "--quiet", "-b", "main"), ("add", "--all"), ("commit", "--quiet", "-m", "before")):
        subprocess.run(["git", *command], cwd=folder, check=True)


def test_there_are_pages() -> None:
    assert {page.stem for page in PAGES} >= {
        "add-a-command", "add-a-control", "add-an-object-kind", "add-an-operator", "add-an-output-format",
        "bootstrap-a-platform", "bring-in-a-customer", "fill-the-secret-store", "judge-a-tree", "lift-a-control", "read-a-report", "remove-a-tenant",
        "start-a-fleet", "write-a-policy", "first-tenant",
    }  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_page_works(page: Path, copy: Path) -> None:
    if "$ tenantry diff" in page.read_text():
        commit(copy)
    for language, content in blocks(page):
        if language == "diff":
            apply(content, copy)
            continue
        for step in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
            follow(step, copy)
