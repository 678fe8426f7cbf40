"""The released command lines of Kustomize and Kyverno, from the versions that the engines' go.mod files name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock

from tenantry.engine import go_toolchain


@dataclass(frozen=True)
class Stock:
    """A program of a module that the go.mod in a folder of the engines' sources names."""

    name: str
    module: str
    folder: str

    def build(self) -> Path:
        """Path of the program, built once for each content of go.mod and go.sum into the user's cache."""
        sources = go_toolchain.source_folder() / self.folder
        named = hashlib.sha256((sources / "go.mod").read_bytes() + (sources / "go.sum").read_bytes()).hexdigest()[:20]
        program = Path(platformdirs.user_cache_dir("tenantry")) / "stock" / named / self.name
        program.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(program.parent / f"{self.name}.lock"):
            if not program.exists():
                built = ("build", "-o", str(program), self.module)
                go_toolchain.run(go_toolchain.find_go(), *built, folder=sources, seconds=2400).check_returncode()
        return program


KUSTOMIZE = Stock("kustomize", "sigs.k8s.io/kustomize/kustomize/v5", ".")
KYVERNO = Stock("kyverno", "github.com/kyverno/kyverno/cmd/cli/kubectl-kyverno", "kyverno")
