"""Container images without a registry or a daemon: archives as `docker save` writes them, kept by what is in them."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from acceptance.harness.programs import cache
from cluster.layers import add

_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Image:
    """One layer. `files` are paths in the image and the files that they are copied from; `links` lead to another path."""

    name: str
    """With its tag, as Pods name it."""
    files: Mapping[str, Path]
    links: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    user: str = ""
    folders: tuple[str, ...] = ("tmp",)
    """Writable for everybody."""


def archive(image: Image) -> Path:
    """The image's archive, made if it is not there yet."""
    digest = hashlib.sha256(
        repr((image.name, sorted(image.links.items()), image.entrypoint, image.user, image.folders)).encode()
    )
    for path, source in sorted(image.files.items()):
        stat = source.stat()
        digest.update(f"{path} {source} {stat.st_size} {stat.st_mtime_ns}".encode())
    stem = image.name.replace("/", "_").replace(":", "_")
    target = cache() / "images" / f"{stem}-{digest.hexdigest()[:16]}.tar"
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        _write(image, partial)
        partial.rename(target)
    return target


def _write(image: Image, target: Path) -> None:
    layer = target.with_suffix(".layer")
    _layer(image, layer)
    sums = hashlib.sha256()
    with layer.open("rb") as content:
        while block := content.read(1 << 20):
            sums.update(block)
    config = {
        "architecture": "amd64", "os": "linux", "history": [],
        "config": {"Env": [_PATH], "Entrypoint": list(image.entrypoint), "User": image.user},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{sums.hexdigest()}"]},
    }  # fmt: skip
    text = json.dumps(config).encode()
    name = f"{hashlib.sha256(text).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": [image.name], "Layers": ["layer.tar"]}]
    with tarfile.open(target, "w") as whole:
        add(whole, name, text)
        add(whole, "manifest.json", json.dumps(manifest).encode())
        whole.add(layer, "layer.tar")
    layer.unlink()


def _layer(image: Image, target: Path) -> None:
    made: set[str] = set()
    with tarfile.open(target, "w") as layer:

        def folder(path: str, mode: int = 0o755) -> None:
            parent = os.path.dirname(path)  # noqa: PTH120 - a path in the image
            if parent and parent not in made:
                folder(parent)
            if path and path not in made:
                made.add(path)
                entry = tarfile.TarInfo(path)
                entry.type, entry.mode = tarfile.DIRTYPE, mode
                layer.addfile(entry)

        for path in image.folders:
            folder(path, 0o1777)
        for path, source in sorted(image.files.items()):
            folder(os.path.dirname(path))  # noqa: PTH120
            add(layer, path, source.read_bytes(), 0o755)
        for path, leads_to in sorted(image.links.items()):
            folder(os.path.dirname(path))  # noqa: PTH120
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname = tarfile.SYMTYPE, leads_to
            layer.addfile(entry)
