"""Real git repositories in temporary folders, for tests of what git and tenantry do together."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def git(folder: Path, *arguments: str, code: int = 0) -> str:
    """Run git as a user does, and return its output. `code` is the expected exit code; -1 accepts any."""
    settings = {"GIT_EDITOR": "true", "GIT_MERGE_AUTOEDIT": "no"}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **settings}, capture_output=True, text=True
    )
    assert code in (-1, done.returncode), f"git {arguments}\n{done.stdout}{done.stderr}"
    return done.stdout.strip("\n")


def start(folder: Path, branch: str = "main") -> None:
    """Make a repository of a folder, with all its files in a first commit."""
    git(folder, "init", "--quiet", f"--initial-branch={branch}")
    commit(folder, "first")


def commit(folder: Path, message: str) -> str:
    """Commit everything, without tenantry; returns the commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def unmerged(folder: Path) -> list[str]:
    """Paths that git left to a person."""
    return git(folder, "diff", "--name-only", "--diff-filter=U").splitlines()
