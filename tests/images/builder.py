"""Builds the folders of `images/` here, without a daemon: a Debian made by mmdebstrap, then each Dockerfile by buildah.

An image is kept in the user's cache by a digest of all that goes into it: as an archive that `ctr images import`, `docker
load` and `podman load` take, and as a folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock

FOLDER = Path(__file__).resolve().parents[2] / "images"
NAMES = ("odoo", "pgbouncer", "valkey", "backup", "postgresql")
TOOLS = ("mmdebstrap", "buildah")
SUITE = "trixie"
KEYRING = "/usr/share/keyrings/debian-archive-trixie-stable.gpg"
BASE = f"localhost/debian:{SUITE}-slim"
UNPACKED = ("path-exclude=/usr/share/man/*", "path-exclude=/usr/share/doc/*", "force-unsafe-io")

Say = Callable[[str], None]


class UnavailableError(Exception):
    """An image can't be built on this machine; the text says why and the way out."""


@dataclass(frozen=True)
class Image:
    """One folder with a Dockerfile, built or not."""

    name: str
    source: Path = FOLDER
    """Where that folder lies."""

    @property
    def tag(self) -> str:
        return f"localhost/tenantry/{self.name}:dev"

    @property
    def folder(self) -> Path:
        return cache() / f"{self.name}-{_digest(self.source / self.name)}"

    @property
    def archive(self) -> Path:
        return self.folder / "image.tar"

    @property
    def root(self) -> Path:
        """Its file system."""
        return self.folder / "root"


def cache() -> Path:
    return Path(platformdirs.user_cache_dir("tenantry")) / "images"


def ensure(name: str, say: Say = lambda _: None, source: Path = FOLDER) -> Path:
    """The archive of an image, built if need be; it is named `localhost/tenantry/NAME:dev`. Raises UnavailableError."""
    return built(name, say, source).archive


def built(name: str, say: Say = lambda _: None, source: Path = FOLDER) -> Image:
    """An image that is there. Raises UnavailableError."""
    image = Image(name, source)
    cache().mkdir(parents=True, exist_ok=True)
    with FileLock(f"{cache()}/{name}.lock"):
        if not image.folder.is_dir():
            say(f"building the image {name} (once, up to some minutes)")
            _build(image)
    return image


def _digest(folder: Path) -> str:
    """Of the files of its folder and of how its base is made."""
    digest = hashlib.sha256(repr((SUITE, UNPACKED)).encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc" and path.name != "contract.txt":
            digest.update(
                f"{path.relative_to(folder.parent)}\0{path.stat().st_mode & 0o777}\0".encode() + path.read_bytes()
            )
    return digest.hexdigest()[:16]


def _build(image: Image) -> None:
    partial = image.folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    with _store() as buildah:
        _run([*buildah, "pull", "--quiet", f"docker-archive:{_base()}"])
        context, arguments = image.source / image.name, _network_settings()
        _run([*buildah, "bud", "--isolation", "chroot", "--network", "host", "--pull-never", "--squash", *arguments,
              "--build-arg", f"BASE={BASE}", "--tag", image.tag, str(context)])  # fmt: skip
        _run([*buildah, "push", "--quiet", image.tag, f"docker-archive:{partial / 'image.tar'}:{image.tag}"])
    _unpack(partial / "image.tar", partial / "root")
    partial.rename(image.folder)
    for old in cache().glob(f"{image.name}-*"):
        if old != image.folder:
            shutil.rmtree(old)


def _network_settings() -> Iterator[str]:
    """Certificates that this machine's way to the package index needs; no part of the image."""
    bundle = os.environ.get("PIP_CERT")
    if bundle:
        yield from ("--volume", f"{bundle}:/run/build/ca.crt:ro", "--build-arg", "PIP_CERT=/run/build/ca.crt")


@contextmanager
def _store() -> Iterator[list[str]]:
    """buildah with a store of its own, which is gone afterwards."""
    for tool in TOOLS:
        if not shutil.which(tool):
            raise UnavailableError(f"{tool} is missing: apt-get install {' '.join(TOOLS)}")
    with tempfile.TemporaryDirectory(prefix="tenantry-images-") as folder:
        yield ["buildah", "--root", f"{folder}/store", "--runroot", f"{folder}/run", "--storage-driver", "overlay"]


def _base() -> Path:
    """An archive of Debian, small; from the mirror that this machine uses."""
    target = cache() / f"debian-{hashlib.sha256(repr((SUITE, UNPACKED)).encode()).hexdigest()[:16]}.tar"
    with FileLock(f"{target}.lock"):
        if not target.is_file():
            with tempfile.TemporaryDirectory(dir=cache()) as folder:
                layer = Path(folder) / "layer.tar"
                options = [f"--dpkgopt={option}" for option in UNPACKED]
                source = f"deb [signed-by={KEYRING}] {_mirror()} {SUITE} main"
                _run(
                    [
                        "mmdebstrap",
                        "--variant=minbase",
                        *options,
                        "--include=ca-certificates",
                        SUITE,
                        str(layer),
                        source,
                    ]
                )
                _pack(layer, BASE, Path(folder) / "image.tar")
                (Path(folder) / "image.tar").rename(target)
    return target


def _mirror() -> str:
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian"]
    lines = _run(command).split()
    plain = [line for line in lines if "security" not in line]
    if not plain:
        raise UnavailableError("this machine's apt names no Debian mirror: run apt-get update")
    return plain[0]


def _pack(layer: Path, tag: str, target: Path) -> None:
    """One layer as a docker archive."""
    with layer.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [tag], "Layers": ["layer.tar"]}]
    with tempfile.TemporaryDirectory() as folder, tarfile.open(target, "w") as archive:
        for name, value in (("config.json", config), ("manifest.json", manifest)):
            path = Path(folder) / name
            path.write_text(json.dumps(value))
            archive.add(path, name)
        archive.add(layer, "layer.tar")


def _unpack(archive: Path, root: Path) -> None:
    """The file system of an archive of one layer."""
    root.mkdir()
    with tarfile.open(archive) as packed:
        manifest = packed.extractfile("manifest.json")
        assert manifest is not None
        (layer,) = json.load(manifest)[0]["Layers"]
        packed.extract(layer, root.parent, filter="data")
    _run(["tar", "--extract", "--file", str(root.parent / layer), "--directory", str(root), "--numeric-owner"])
    (root.parent / layer).unlink()


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-12:]
        raise UnavailableError(f"{command[0]} failed:\n" + "\n".join(last))
    return done.stdout
