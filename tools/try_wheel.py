"""`make try-wheel`: the wheel of this system as a user has it, in a new environment, without Go and without a cache.

Installs the wheel from dist/ with its locked dependencies, makes a fleet with a tenant, renders it and checks it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from tenantry import __version__

ROOT = Path(__file__).resolve().parent.parent
STEPS = (
    "init fleet",
    "new tenant acme --tier shared -C fleet",
    "render -C fleet",
    "check -C fleet",
    "verify -C fleet",
)


def install(folder: Path) -> Path:
    """A new environment's folder of programs, with the wheel of this system and not the one of all systems."""
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    locked = ["--require-hashes", "--only-binary", ":all:", "-r", str(ROOT / "requirements-runtime.lock")]
    subprocess.run([*pip, *locked], check=True)
    wheels = ["--no-deps", "--no-index", "--find-links", str(ROOT / "dist"), "--only-binary", ":all:"]
    subprocess.run([*pip, *wheels, f"tenantry=={__version__}"], check=True)
    return folder / "bin"


def environment(folder: Path, programs: Path) -> dict[str, str]:
    """Variables of a user who has Python and git, and nothing else."""
    found = folder / "path"
    found.mkdir()
    git = shutil.which("git")
    if git:
        (found / "git").symlink_to(git)
    home = folder / "home"
    home.mkdir()
    return {"PATH": f"{programs}{os.pathsep}{found}", "HOME": str(home), "LANG": "C.UTF-8"}


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = install(folder / "environment")
        variables = environment(folder, programs)
        if shutil.which("go", path=variables["PATH"]):
            print("try-wheel: Go is there after all, so this would show nothing", file=sys.stderr)
            return 1
        for step in STEPS:
            done = subprocess.run(
                [str(programs / "tenantry"), *step.split()], cwd=folder, env=variables, capture_output=True, text=True,
            )  # fmt: skip
            print(f"$ tenantry {step}\n{done.stdout}{done.stderr}".rstrip())
            if done.returncode:
                return done.returncode
        built = list(folder.glob("home/.cache/tenantry/engine/*"))
        if built:
            print(f"try-wheel: programs were built: {built}", file=sys.stderr)
        return 1 if built else 0


if __name__ == "__main__":
    sys.exit(main())
