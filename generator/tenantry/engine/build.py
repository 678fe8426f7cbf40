"""The Go programs: carried by a release's wheel, or built into the user's cache, once per version of their sources."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import platformdirs
from filelock import FileLock

from tenantry.core.findings import ToolError
from tenantry.engine import go_toolchain
from tenantry.engine.go_toolchain import Say, find_go, source_folder
from tenantry.engine.intact import is_intact, record
from tenantry.runtime.confined import own_folder

BUILD_SECONDS = 1800


@dataclass(frozen=True, slots=True)
class Program:
    """One of the Go programs. `folder` is below the engine's sources; `sources` are the folders that it is built from."""

    name: str
    called: str
    folder: str
    sources: tuple[str, ...]
    takes: str

    @property
    def path(self) -> Path:
        """Path of the program built from the current sources, whether it exists or not."""
        return self.cache / self.name

    @property
    def cache(self) -> Path:
        """Folder of the user's cache for what is built from the current sources."""
        return Path(platformdirs.user_cache_dir("tenantry")) / "engine" / self.key

    @property
    def key(self) -> str:
        """Changes with any of the program's sources."""
        digest = hashlib.sha256()
        root = source_folder()
        for file in sorted(chain.from_iterable((root / folder).iterdir() for folder in self.sources)):
            code = file.suffix == ".go" and not file.name.endswith("_test.go")
            if code or file.suffix == ".json" or file.name in ("go.mod", "go.sum"):
                digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
        return digest.hexdigest()[:20]


ENGINE = Program("tenantry-engine", "engine", ".", (".", "crds/data", "wire"), "a minute")
POLICY_ENGINE = Program(
    "tenantry-policy-engine", "policy engine (Kyverno's packages)", "kyverno", ("kyverno", "wire"), "five minutes"
)
PROGRAMS = (ENGINE, POLICY_ENGINE)


SHIPPED = "built"
"""Folder of a release's wheel, beside this module, with programs by the key of their sources; trusted as this module is."""


def ready(program: Program) -> Path | None:
    """Path of a program that can be run at once: the one that the package carries, or an intact one in the cache."""
    path = program.path
    shipped = Path(__file__).with_name(SHIPPED) / path.parent.name / program.name
    if shipped.is_file() and os.access(shipped, os.X_OK):
        return shipped
    return path if is_intact(path) else None


def ensure(program: Program, say: Say) -> Path:
    """Path of a program; builds it if the current sources have not been built yet, or the program is damaged.

    Raises ToolError if it can't be built, or stored in a folder that only its owner can write.
    """
    return ready(program) or _ensure(program, program.path, say, find_go)


@dataclass(frozen=True, slots=True)
class BuildTarget:
    """A system to build programs for, in Go's words: `linux`, `arm64`."""

    system: str
    processor: str

    def __str__(self) -> str:
        return f"{self.system}/{self.processor}"


def ensure_for(program: Program, target: BuildTarget, go: str, say: Say) -> Path:
    """Path of a program for any system, without symbols; cached by sources, system and version of Go.

    The same sources and the same Go give the same bytes. Raises ToolError as `ensure` does.
    """
    version = ".".join(map(str, go_toolchain.go_version(go)))
    path = program.cache / f"{target.system}-{target.processor}-go{version}" / program.name
    return path if is_intact(path) else _ensure(program, path, say, lambda: go, target)


def _ensure(
    program: Program, path: Path, say: Say, choose: Callable[[], str], target: BuildTarget | None = None
) -> Path:
    try:
        top = program.cache.parent.parent
        for folder in (top, *reversed(path.relative_to(top).parents[:-1])):
            own_folder(top / folder)
        with FileLock(path.parent / "lock"):
            if not is_intact(path):
                if path.exists():
                    say(f"the {program.called} at {path} is damaged; rebuilding it")
                _build(program, path, say, choose(), target)
    except OSError as error:
        message = f"the {program.called} can't be stored in {path.parent}: {error.strerror}"
        raise ToolError(message, "make the folder writable only by you, or name another with XDG_CACHE_HOME") from error
    return path


def _build(program: Program, path: Path, say: Say, go: str, target: BuildTarget | None) -> None:
    system = f" for {target}" if target else ""
    say(f"building the {program.called}{system} with {go} (once; about {program.takes} on two cores)")
    temporary = path.with_suffix(f".{os.getpid()}")
    built = 0
    last = ""
    options = ["-v", *(["-ldflags=-s -w -buildid="] if target else []), "-o", str(temporary)]
    with go_toolchain.start(
        go, "build", *options, ".", folder=source_folder() / program.folder, stderr=subprocess.PIPE,
        target=(target.system, target.processor) if target else None,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        for line in process.stderr:
            last = line.strip() or last
            built += 1
            if built % 100 == 0:
                say(f"building the {program.called}: {built} packages, now {last}")
    if process.returncode:
        temporary.unlink(missing_ok=True)
        message = f"the {program.called} could not be built: {last}"
        raise ToolError(message, "check the network and the disk, then 'make engine'")
    temporary.chmod(0o755)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    temporary.replace(path)
    record(path)
    say(f"the {program.called} is ready: {path}")


def main() -> int:
    """`make engine`: install Go if necessary, build missing programs."""
    say: Say = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: E731, T201 - runs as a script
    try:
        go_toolchain.find_or_install_go(say)
        for program in PROGRAMS:
            ensure(program, say)
    except ToolError as error:
        say(f"tenantry: {error.message}\n  {error.hint}")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
