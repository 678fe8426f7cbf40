"""Stock programs to compare with: command lines of Kustomize and Kyverno in the versions that the engines' go.mod files
name, and small programs around a library, whose folders lie beside the tests that ask them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock

from conftest import REPOSITORY
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
        folder = Path(platformdirs.user_cache_dir("tenantry")) / "stock" / named
        return _built(folder / self.name, sources, self.module)


def build_beside(folder: str) -> Path:
    """The program whose sources lie in that folder of the tests, built once for their content into the user's cache."""
    sources = REPOSITORY / "tests" / folder
    files = sorted(path for path in sources.rglob("*") if path.suffix in (".go", ".mod", ".sum"))
    content = b"".join(str(path.relative_to(sources)).encode() + path.read_bytes() for path in files)
    built = Path(platformdirs.user_cache_dir("tenantry")) / "stock" / hashlib.sha256(content).hexdigest()[:20]
    return _built(built / sources.name, sources, ".")


def _built(program: Path, sources: Path, package: str) -> Path:
    program.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(program.parent / f"{program.name}.lock"):
        if not program.exists():
            # Without paths in it, what the compiler keeps serves in every home.
            options = ["-trimpath", "-buildvcs=false", "-o", str(program)]
            built = ("build", *options, package)
            go_toolchain.run(go_toolchain.find_go(), *built, folder=sources, seconds=2400).check_returncode()
    return program


KUSTOMIZE = Stock("kustomize", "sigs.k8s.io/kustomize/kustomize/v5", ".")
KYVERNO = Stock("kyverno", "github.com/kyverno/kyverno/cmd/cli/kubectl-kyverno", "kyverno")
