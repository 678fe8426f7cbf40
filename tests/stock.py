"""The released kustomize CLI, from the version that the engine's go.mod names."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import platformdirs
from filelock import FileLock

from tenantry import engine_build


def build_stock() -> Path:
    """Path of the program, built once for each content of the engine's sources into the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or platformdirs.user_cache_dir("tenantry"))
    program = cache / "stock" / engine_build.program_path().parent.name / "kustomize"
    program.parent.mkdir(parents=True, exist_ok=True)
    module = "sigs.k8s.io/kustomize/kustomize/v5"
    with FileLock(program.parent / "lock"):
        if not program.exists():
            command = [engine_build.find_go(), "build", "-buildvcs=false", "-o", str(program), module]
            subprocess.run(command, cwd=engine_build.source_folder(), check=True, timeout=1200)
    return program
