"""The git repository around a fleet, read so that nothing in it can run code.

Git runs programs named in a repository's configuration: filters, diff drivers, monitors, hooks. A commit selects
them by attributes, and a folder that merely looks like a repository brings its own. So all of them are disabled, and
a repository must have `.git` at its top. Nothing is fetched, and submodules are not inspected.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault(
    "GIT_PYTHON_REFRESH", "quiet"
)  # a machine without git can render; what needs git says that it is missing
import git

from tenantry.core.findings import ToolError, UsageError

_OFF = {
    "core.fsmonitor": "false", "core.hookspath": os.devnull, "core.sshcommand": "false", "core.askpass": "false",
    "core.alternaterefscommand": "false", "credential.helper": "", "diff.external": "", "log.showsignature": "false",
    "protocol.allow": "never", "safe.barerepository": "explicit", "submodule.recurse": "false",
}  # fmt: skip
"""Settings that run programs or point to another repository, and the values that disable them."""
_DRIVER = re.compile(r"(?:filter\..+\.(?:clean|smudge|process)|diff\..+\.(?:command|textconv)|merge\..+\.driver)")
_REQUIRED = re.compile(r"filter\..+\.required")
_TRUSTLESS = ("--no-ext-diff", "--no-textconv", "--no-renames", "--ignore-submodules=all", "-z")


@dataclass(frozen=True, slots=True)
class Changed:
    """A file that differs from a commit: its path below the repository's top, its blob in the commit (None if it was not an
    ordinary file there), and its mode there."""

    path: str
    blob: str | None
    was: str = ""


class Repository:
    """A git working tree. Raises UsageError when the folder is not in one, ToolError when git does not work."""

    def __init__(self, folder: Path) -> None:
        real = Path(os.path.realpath(folder))
        top = next((parent for parent in (real, *real.parents) if os.path.lexists(parent / ".git")), None)
        if top is None:
            raise UsageError(f"{folder} is not in a git repository", "run 'git init' and commit")
        self.top = top
        self._git = git.Git(str(top))
        self._git.update_environment(**_environment(dict(_OFF)))
        names = self._ask("config", "--list", "--name-only", "-z").split("\0")
        drivers = {name: "" for name in names if _DRIVER.fullmatch(name)}
        required = {name: "false" for name in names if _REQUIRED.fullmatch(name)}
        self._git.update_environment(**_environment({**_OFF, **drivers, **required}))

    def commit(self, revision: str) -> str:
        """Id of the commit that a revision names. Raises UsageError when it does not exist."""
        if revision.startswith("-") or "\0" in revision:
            raise UsageError(f"'{revision}' is not a revision", "name a commit, a branch or a tag")
        found = self._ask("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", missing="")
        if not found:
            hint = self._deeper("name a commit, a branch or a tag")
            raise UsageError(f"git does not know the revision '{revision}'", hint)
        return found

    def _deeper(self, otherwise: str) -> str:
        """What to do when a commit is not here: a shallow clone may lack it."""
        shallow = self._ask("rev-parse", "--is-shallow-repository") == "true"
        return "the clone is shallow: run 'git fetch --unshallow'" if shallow else otherwise

    def default_branch(self) -> str:
        """The branch that changes are merged into, as far as this clone knows; empty if unknown."""
        head = self._ask("symbolic-ref", "--short", "--quiet", "refs/remotes/origin/HEAD", missing="")
        for name in (head, "origin/main", "origin/master", "main", "master"):
            if name and self._ask("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", missing=""):
                return name
        return ""

    def merge_bases(self, one: str, other: str) -> list[str]:
        """The best common ancestors of two commits: several after merges in both directions. Raises UsageError when they have
        none."""
        found = self._ask("merge-base", "--all", one, other, missing="").split()
        if not found:
            hint = self._deeper("name a revision of this history")
            raise UsageError(f"{one[:12]} and {other[:12]} have no common ancestor", hint)
        return found

    def changed(self, commit: str, *folders: str) -> Iterator[Changed]:
        """Files below folders of the working tree that differ from a commit, including untracked files."""
        yield from self._differing(commit, "--", *folders)
        for path in self._ask("ls-files", "--others", "-z", "--", *folders).split("\0"):
            if path:
                yield Changed(path, None)

    def changed_between(self, commit: str, other: str, *folders: str) -> Iterator[Changed]:
        """Files below folders that differ between two commits, as they are in the first."""
        yield from self._differing(commit, other, "--", *folders)

    def _differing(self, *arguments: str) -> Iterator[Changed]:
        raw = self._ask("diff", "--raw", "--no-abbrev", *_TRUSTLESS, *arguments).split("\0")
        for about, path in zip(raw[::2], raw[1::2], strict=False):
            mode, _, blob = about.removeprefix(":").split(" ")[:3]
            yield Changed(path, blob if mode.startswith("100") else None, mode)

    def content(self, blob: str) -> bytes:
        """Contents of a blob."""
        try:
            content: bytes = self._git.get_object_data(blob)[3]
        except (git.GitError, ValueError, OSError) as error:
            hint = "the clone lacks some of its objects: run 'git fetch --refetch', or clone again"
            raise ToolError(f"git can't read the object {blob}", hint) from error
        return content

    def branch(self) -> str:
        """Name of the checked-out branch; empty for a detached HEAD."""
        return self._ask("symbolic-ref", "--short", "--quiet", "HEAD", missing="")

    def waiting(self, folders: list[str]) -> int:
        """Number of files below some folders of the working tree with uncommitted changes."""
        arguments = ("status", "--porcelain", "-z", "--no-renames", "--ignore-submodules=all", "--", *folders)
        return len([line for line in self._ask(*arguments).split("\0") if line])

    def ask(self, *arguments: str, missing: str | None = None, given: bytes = b"", index: Path | None = None) -> str:
        """Git's output, for the modules beside this one; `missing`, if given, when git finds nothing.

        `given` is git's standard input, `index` another index file than the clone's.
        """
        return self._ask(*arguments, missing=missing, given=given, index=index)

    def _ask(self, *arguments: str, missing: str | None = None, given: bytes = b"", index: Path | None = None) -> str:
        """Git's output; `missing`, if given, when git finds nothing."""
        try:
            with tempfile.TemporaryFile() as stream:
                stream.write(given)
                stream.seek(0)
                more = {"GIT_INDEX_FILE": str(index)} if index else {}
                answer: Any = self._git.execute(["git", *arguments], istream=stream, env=more)
        except git.GitCommandNotFound:
            raise ToolError("git is not installed", "install git") from None
        except git.GitCommandError as error:
            if missing is not None:
                return missing
            raise ToolError(f"git {arguments[0]} failed: {_reason(error)}", "repair the repository") from error
        return str(answer)


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings as environment variables, which override every configuration file."""
    pairs = {
        key: value
        for number, (name, setting) in enumerate(settings.items())
        for key, value in ((f"GIT_CONFIG_KEY_{number}", name), (f"GIT_CONFIG_VALUE_{number}", setting))
    }
    more = {
        "GIT_CONFIG_COUNT": str(len(settings)),
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    return {**pairs, **more, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


def _reason(error: git.GitCommandError) -> str:
    lines = [line for line in str(error.stderr).strip("\n '").splitlines() if line.strip()]
    return lines[0].strip().removeprefix("stderr: '").removeprefix("fatal: ") if lines else f"code {error.status}"
