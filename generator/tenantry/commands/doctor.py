"""What this machine has, and what is missing."""

from __future__ import annotations

import dataclasses
import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from tenantry.commands.merge_driver import ATTRIBUTE_HINT
from tenantry.core.findings import ToolError, UsageError
from tenantry.core.paths import GENERATED_TREES
from tenantry.engine import build as engine_build
from tenantry.engine import go_toolchain
from tenantry.engine.kustomize import Engine
from tenantry.engine.kyverno import PolicyEngine
from tenantry.engine.protocol import CoProcess
from tenantry.report.document import CommandAnswer
from tenantry.report.plain import one_line
from tenantry.runtime import merge_setting
from tenantry.runtime.repository import Repository
from tenantry.runtime.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was checked."""

    name: str
    ok: bool
    found: str
    hint: str = ""


def examine(space: Workspace) -> list[Item]:
    """Check everything; builds nothing and writes nothing to a fleet."""
    programs = (
        _program(engine_build.ENGINE, "engine", Engine, ("kustomize", "go")),
        _program(engine_build.POLICY_ENGINE, "policies", PolicyEngine, ("kyverno", "go")),
    )
    return [_python(), *programs, _cache(), *_repository(space.root)]


def _python() -> Item:
    return Item("python", True, platform.python_version())


def _program(program: engine_build.Program, name: str, client: type[CoProcess], libraries: Iterable[str]) -> Item:
    path = engine_build.ready(program)
    if path is None:
        try:
            go = go_toolchain.find_go()
        except ToolError as error:
            return Item(name, False, f"not built; {error.message}", error.hint)
        return Item(name, True, f"not built yet; the first run builds it with {go}")
    try:
        with client(path) as running:
            return Item(name, True, ", ".join(f"{library} {running.versions.get(library)}" for library in libraries))
    except ToolError as error:
        return Item(name, False, error.message, error.hint)


def _cache() -> Item:
    folder = Path(platformdirs.user_cache_dir("tenantry"))
    there = next(path for path in (folder, *folder.parents) if path.exists())
    writable = os.access(there, os.W_OK)
    return Item("cache", writable, str(folder), "" if writable else f"make {there} writable")


def _repository(root: Path) -> Iterator[Item]:
    yield Item(
        "fleet",
        (root / "platform/platform.yaml").is_file(),
        str(root),
        "" if (root / "platform").is_dir() else "name a fleet with -C, or create one with 'tenantry init'",
    )
    try:
        repository = Repository(root)
        branch = repository.branch() or "no branch"
        waiting = repository.waiting([str(root / tree) for tree in GENERATED_TREES if (root / tree).exists()])
    except UsageError:
        yield Item("git", False, "not a repository", "run 'git init': Argo CD reads rendered/ from git")
        return
    except ToolError as error:
        yield Item("git", False, error.message, error.hint)
        return
    yield Item("git", True, f"on {branch}, {waiting} generated files not committed")
    yield _merges(repository, root)


def _merges(repository: Repository, root: Path) -> Item:
    """Whether git merges generated trees without conflicts; a clone that merges nothing does without."""
    program = merge_setting.installed(repository)
    if not program:
        return Item("merges", True, "merge driver not installed; 'tenantry merge-driver --install'")
    if not merge_setting.is_runnable(program):
        return Item("merges", False, "the merge driver's program is gone", "run 'tenantry merge-driver --install'")
    if not merge_setting.is_asked_for(repository, root):
        return Item("merges", False, "the merge driver is installed, but no attribute names it", ATTRIBUTE_HINT)
    return Item("merges", True, "merge driver installed")


def to_text(items: list[Item]) -> str:
    """One line per item, with its hint if it has one."""
    return "".join(
        one_line(f"{'ok ' if item.ok else 'BAD'}  {item.name:<8} {item.found}{f' ({item.hint})' if item.hint else ''}")
        + "\n"
        for item in items
    )


def document(items: list[Item]) -> CommandAnswer:
    """What was found; not ok when anything is missing."""
    fields = {"items": [dataclasses.asdict(item) for item in items]}
    return CommandAnswer("doctor", to_text(items), fields, all(item.ok for item in items))
