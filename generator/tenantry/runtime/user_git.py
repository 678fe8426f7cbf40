"""Git as its user set it up, for what a user asks to commit and push: hooks, signing, filters and credentials apply.

All of these are settings of the clone, of the user or of the machine, which no commit can write. But they may point
into the working tree (`core.hooksPath=.githooks`), where every commit can replace what they point to. Such programs
are not run unless the user asks for it.
"""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import git

from tenantry.core.findings import ToolError, UsageError
from tenantry.runtime.repository import Repository

_PROGRAM = re.compile(
    r"core\.(?:fsmonitor|sshcommand|askpass|gitproxy)|gpg\.(?:.+\.)?program|gpg\.ssh\.defaultkeycommand"
    r"|credential\.(?:.+\.)?helper|filter\..+\.(?:clean|smudge|process)|remote\..+\.(?:receivepack|uploadpack|vcs)"
)
"""Settings that name a program which adding, committing, fetching or pushing may start."""
_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")
_HINT = "review it and allow it with --tree-programs, or move it out of the working tree"


@dataclass(frozen=True, slots=True)
class Answer:
    """How a git command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def reason(self) -> str:
        """The last thing that git, or a program that it ran, said."""
        said = [line.strip() for line in f"{self.out}\n{self.err}".splitlines() if line.strip()]
        return said[-1].removeprefix("fatal: ").removeprefix("error: ") if said else f"exit code {self.code}"


class UserGit:
    """Git in the working tree of a repository.

    Raises UsageError when git would run something of the working tree that the user did not allow (`tree_programs`),
    or when the environment points git to another place, as it does inside a hook.
    """

    def __init__(self, repository: Repository, *, tree_programs: bool = False) -> None:
        elsewhere = next((name for name in _ELSEWHERE if name in os.environ), "")
        if elsewhere:
            raise UsageError(f"{elsewhere} is set, so git would work elsewhere", "unset it; don't publish from a hook")
        self.top = repository.top
        self._git = git.Git(str(repository.top))
        found = next(self._of_tree(repository), "")
        if found and not tree_programs:
            raise UsageError(f"git would use {found}, which is in the working tree: any commit can change it", _HINT)

    def run(self, *arguments: str, given: bytes = b"") -> Answer:
        """Run git; `given` is its standard input. A failure is an answer too. Raises ToolError when git is missing."""
        with tempfile.TemporaryFile() as stream:
            stream.write(given)
            stream.seek(0)
            try:
                code, out, err = self._git.execute(
                    ["git", *arguments], istream=stream, with_extended_output=True, with_exceptions=False
                )
            except git.GitCommandNotFound:
                raise ToolError("git is not installed", "install git") from None
        return Answer(code, str(out), str(err))

    def must(self, *arguments: str) -> str:
        """Git's output. Raises ToolError when it fails."""
        answer = self.run(*arguments)
        if answer.code:
            name = next(argument for argument in arguments if not argument.startswith("-"))
            raise ToolError(f"git {name} failed: {answer.reason}", "see 'git status'")
        return answer.out

    def _of_tree(self, repository: Repository) -> Iterator[str]:
        """What git would use that lies in the working tree: settings, programs, hooks."""
        own = tuple(
            os.path.realpath(self.top / repository.ask("rev-parse", option))
            for option in ("--git-dir", "--git-common-dir")
        )
        hooks = f"{own[1]}/hooks"

        def in_tree(path: str | Path) -> bool:
            real = Path(os.path.realpath(self._absolute(path)))
            return real.is_relative_to(self.top) and not any(real.is_relative_to(folder) for folder in own)

        for origin, name, value in self._settings():
            kind, _, file = origin.partition(":")
            if kind == "file" and in_tree(file):
                yield f"the settings in {file}"
            if name == "core.hookspath":
                hooks = value
            elif _PROGRAM.fullmatch(name) and any(map(in_tree, filter(self._is_file, words(value)))):
                yield f"{name}={value}"
        yield from self._hooks_of_tree(hooks, in_tree)

    def _hooks_of_tree(self, hooks: str, in_tree: Callable[[str | Path], bool]) -> Iterator[str]:
        if in_tree(hooks):
            yield f"the hooks in {hooks}"
            return
        folder = self._absolute(hooks)
        if folder.is_dir():
            yield from (f"the hook {path}" for path in sorted(folder.iterdir()) if in_tree(path))

    def _is_file(self, word: str) -> bool:
        return "/" in word and self._absolute(word).is_file()

    def _absolute(self, path: str | Path) -> Path:
        return self.top / os.path.expanduser(path)  # noqa: PTH111 - a name that does not exist is no error

    def _settings(self) -> Iterator[tuple[str, str, str]]:
        """Origin, name and value of each setting, the deciding one of a name last."""
        parts = self.must("config", "--list", "--show-origin", "--includes", "-z").split("\0")
        for origin, setting in zip(parts[::2], parts[1::2], strict=False):
            name, _, value = setting.partition("\n")
            yield origin, name, value


def words(command: str) -> list[str]:
    """The words of a setting that is a command; a leading `!` marks a shell command."""
    plain = command.removeprefix("!")
    try:
        return shlex.split(plain)
    except ValueError:
        return plain.split()
