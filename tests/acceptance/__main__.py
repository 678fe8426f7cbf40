"""`make acceptance`: see to what the parts stand on, then run them in a small world of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from acceptance.harness import definitions, namespaces, packages, programs
from acceptance.harness.programs import UnavailableError, cache
from acceptance.registry import CONTROL_PLANE, PARTS, Part, chosen
from tenantry.core.findings import ToolError
from tenantry.engine import build as engine_build

HERE = Path(__file__).resolve().parent
NOT_RUN = "ACCEPTANCE_NOT_RUN"
"""Environment: `part=reason` lines of what could not run, for the table."""
MISSING_TOOL = 4


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a program's own voice


def main(arguments: list[str]) -> int:
    try:
        parts = chosen(arguments)
    except KeyError as error:
        say(f"acceptance: no part {error}; there are: {' '.join(part.name for part in PARTS)}")
        return 2
    missing = prepare(parts)
    ready = [part for part in parts if part.name not in missing]
    try:
        start = namespaces.command([sys.executable, "-m", "acceptance.inside", *(part.name for part in ready)])
    except UnavailableError as error:
        missing = {part.name: str(error) for part in parts}
        ready = []
    for name, reason in missing.items():
        say(f"not run: {name}: {reason}")
    if not ready:
        return MISSING_TOOL
    told = "\n".join(f"{name}={reason}" for name, reason in missing.items())
    code = subprocess.run(start, env={**os.environ, NOT_RUN: told}, check=False).returncode
    return code or (MISSING_TOOL if missing else 0)


def prepare(parts: list[Part]) -> dict[str, str]:
    """Build and fetch what is missing; what can't be had, by part."""
    missing: dict[str, str] = {}
    cache().mkdir(parents=True, exist_ok=True)
    for part in parts:
        try:
            engine_build.ensure(engine_build.ENGINE, say)
            if set(CONTROL_PLANE) <= set(part.programs):
                definitions.ensure(say)
            programs.ensure(list(part.programs), say)
            packages.ensure(list(part.servers), say)
        except (UnavailableError, ToolError) as error:
            missing[part.name] = str(error)
    return missing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
