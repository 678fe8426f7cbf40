"""`make release`: everything that a release consists of, in dist/. The same commit and the same Go give the same bytes.

    release.py build [SYSTEM/PROCESSOR]...   the sdist, the wheel of all systems, and wheels with the Go programs inside
    release.py sums                          SHA256SUMS of all that is in dist/
    release.py cut VERSION [DATE]            name the version, and give the unreleased changes its date (today)
    release.py check                         whether this commit may be released: version, date, tag, clean working tree

GO=locked takes the Go of the lock file instead of a recent enough one on PATH. Go's version is part of the result.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import platform_wheel
from platform_wheel import TARGETS

from tenantry import __version__
from tenantry.core.findings import ToolError
from tenantry.engine import build, go_toolchain

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
_HOST = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def make(names: list[str]) -> None:
    """Build the sdist and the wheels of some systems; of all when none is named, of this one for `host`."""
    wanted = [_host() if name == "host" else _named(name) for name in names] or list(TARGETS)
    for old in DIST.glob("tenantry-*"):
        old.unlink()
    environment = {**os.environ, "SOURCE_DATE_EPOCH": _commit_time()}
    command = [sys.executable, "-m", "hatchling", "build", "--directory", "dist"]
    _run([*command, "--target", "wheel", "--target", "sdist"], environment)
    pure = DIST / f"tenantry-{__version__}-py3-none-any.whl"
    go = go_toolchain.install_locked_go() if os.environ.get("GO") == "locked" else go_toolchain.find_or_install_go(say)
    for target in wanted:
        programs = {
            f"tenantry/engine/{build.SHIPPED}/{program.key}/{program.name}": build.ensure_for(
                program, target, go, say
            ).read_bytes()
            for program in build.PROGRAMS
        }
        path = platform_wheel.write(pure, target, programs)
        print(f"{path.relative_to(ROOT)} ({path.stat().st_size >> 20} MiB)", flush=True)


def sums() -> None:
    """Write SHA256SUMS, as `sha256sum --check` reads it."""
    files = sorted(path for path in DIST.iterdir() if path.is_file() and path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (DIST / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
    print((DIST / "SHA256SUMS").relative_to(ROOT))


def reasons_against(changelog: str, tag: str, changed: str) -> Iterator[str]:
    """Why a commit may not be released."""
    if not re.search(rf"^## {re.escape(__version__)} - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE):
        yield f"CHANGELOG.md has no section '## {__version__} - YYYY-MM-DD'"
    if re.search(r"^## Unreleased\n+(?!## )\S", changelog, re.MULTILINE):
        yield "CHANGELOG.md has unreleased changes"
    if tag != f"v{__version__}":
        yield f"the commit's tag is '{tag}', but the version is {__version__}"
    if changed:
        yield "the working tree has changes"


def cut(version: str, date: str) -> None:
    """Name the version in the code, and move what CHANGELOG.md has as unreleased below it. Raises ToolError."""
    if not re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", version) or not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
        raise ToolError(f"'{version}' of '{date}' is no version and date, such as 0.2.0 of 2026-11-29")
    for file, pattern, text in (
        ("CHANGELOG.md", r"^## Unreleased$", f"## Unreleased\n\n## {version} - {date}"),
        ("generator/tenantry/__init__.py", r'^__version__ = ".*"$', f'__version__ = "{version}"'),
    ):
        path = ROOT / file
        path.write_text(re.sub(pattern, text, path.read_text(encoding="utf-8"), count=1, flags=re.MULTILINE), "utf-8")


def check() -> int:
    """1 and the reasons when this commit may not be released."""
    tag = _git("describe", "--tags", "--exact-match", missing="")
    found = list(
        reasons_against((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), tag, _git("status", "--porcelain"))
    )
    for reason in found:
        say(f"release: {reason}")
    return 1 if found else 0


def _named(name: str) -> build.BuildTarget:
    found = {str(target): target for target in TARGETS}
    if name not in found:
        raise ToolError(f"'{name}' is none of {', '.join(found)}")
    return found[name]


def _host() -> build.BuildTarget:
    return _named(f"{platform.system().lower()}/{_HOST.get(platform.machine().lower(), platform.machine())}")


def _commit_time() -> str:
    """The commit's time in seconds; files of an archive carry it, so that it does not depend on when they were made."""
    return os.environ.get("SOURCE_DATE_EPOCH") or _git("log", "-1", "--format=%ct", missing="1580601600")


def _git(*arguments: str, missing: str | None = None) -> str:
    git = shutil.which("git") or "/usr/bin/git"
    done = subprocess.run([git, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode and missing is None:
        raise ToolError(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip() if done.returncode == 0 else str(missing)


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"{' '.join(command[1:4])}: {done.stderr.strip()}")


def main(arguments: list[str]) -> int:
    try:
        match arguments:
            case ["build", *names]:
                make(names)
            case ["sums"]:
                sums()
            case ["cut", version, *date]:
                cut(version, date[0] if date else datetime.date.today().isoformat())
            case ["check"]:
                return check()
            case _:
                say(__doc__ or "")
                return 2
    except ToolError as error:
        say(f"release: {error.message}")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
