"""`make sbom`: what the wheel and the two Go programs consist of, as CycloneDX JSON in dist/.

The same commit on the same system gives the same bytes: no serial numbers, no times, no paths of the machine.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from tenantry import __version__
from tenantry.core.findings import ToolError
from tenantry.engine import go_toolchain
from tenantry.engine.build import PROGRAMS

TOOLS = Path(__file__).resolve().parent
ROOT = TOOLS.parent
DIST = ROOT / "dist"
CYCLONEDX_PY = ROOT / ".venv-audit/bin/cyclonedx-py"


def of_wheel(target: Path) -> None:
    """The wheel in an environment that holds nothing but it and its locked dependencies."""
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "environment"
        venv.create(environment, with_pip=True)
        python = str(environment / "bin/python")
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*install, "--require-hashes", "--only-binary", ":all:", "-r", str(ROOT / "requirements-runtime.lock")])
        _run([*install, "--no-deps", "--no-index", "--find-links", str(DIST), f"tenantry=={__version__}"])
        _run([python, "-m", "pip", "uninstall", "--quiet", "--yes", "pip", "setuptools"])
        project = Path(folder) / "pyproject.toml"
        text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        project.write_text(text.replace('dynamic = ["version"]', f'version = "{__version__}"'), encoding="utf-8")
        options = ["--output-reproducible", "--pyproject", str(project), "--output-file", str(target)]
        _run([str(CYCLONEDX_PY), "environment", *options, python])


def of_program(go: str, folder: Path, target: Path) -> None:
    """One Go program: the modules that end up in it, the standard library among them."""
    options = ("-json", "-noserial", "-notimestamp", "-licenses", "-std", "-output", str(target))
    done = go_toolchain.run(go, "tool", "cyclonedx-gomod", "app", *options, str(folder), folder=TOOLS)
    if done.returncode:
        raise ToolError(f"cyclonedx-gomod: {done.stderr.strip()}")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"{Path(command[0]).name}: {done.stderr.strip()}")


def main() -> int:
    try:
        go = go_toolchain.find_or_install_go(lambda text: print(text, file=sys.stderr))
        target = DIST / f"tenantry-{__version__}.cdx.json"
        of_wheel(target)
        print(target.relative_to(ROOT))
        for program in PROGRAMS:
            target = DIST / f"{program.name}-{__version__}.cdx.json"
            of_program(go, go_toolchain.source_folder() / program.folder, target)
            print(target.relative_to(ROOT))
    except ToolError as error:
        print(f"sbom: {error.message}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
