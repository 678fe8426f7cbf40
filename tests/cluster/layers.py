"""An image made of another one and some files, as an OCI archive that holds the new layer only.

The nodes have the other image already; containerd finds its layer by digest.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True)
class Derived:
    """`base` is an archive of one layer, as `docker save` writes them; `files` are paths in the image and their contents."""

    name: str
    base: Path
    files: Mapping[str, bytes] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    """Empty: the other image's."""


def write(image: Derived, target: Path) -> Path:
    """Write the archive."""
    with tarfile.open(image.base) as base:
        config, below = _read(base)
    layer = _layer(image.files)
    config["rootfs"]["diff_ids"].append(_digest(layer))
    config["history"] = []
    settings = config.setdefault("config", {})
    settings["Env"] = [*(settings.get("Env") or ()), *(f"{key}={value}" for key, value in image.environment.items())]
    if image.entrypoint:
        settings["Entrypoint"] = list(image.entrypoint)
    blob = json.dumps(config).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2, "mediaType": _MANIFEST, "config": _descriptor(_CONFIG, blob),
            "layers": [*below, _descriptor(_LAYER, layer)],
        }
    ).encode()  # fmt: skip
    named = {**_descriptor(_MANIFEST, manifest), "annotations": {"io.containerd.image.name": image.name}}
    with tarfile.open(target, "w") as archive:
        add(archive, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
        add(archive, "index.json", json.dumps({"schemaVersion": 2, "manifests": [named]}).encode())
        for content in (blob, layer, manifest):
            add(archive, f"blobs/sha256/{hashlib.sha256(content).hexdigest()}", content)
    return target


def _read(base: tarfile.TarFile) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The other image's configuration, and what names its layer."""

    def content(name: str) -> Any:
        file = base.extractfile(name)
        assert file is not None
        return json.load(file)

    (manifest,) = content("manifest.json")
    config = content(manifest["Config"])
    (name,) = manifest["Layers"]
    (digest,) = config["rootfs"]["diff_ids"]
    member = base.getmember(name)
    while member.issym() or member.islnk():
        member = base.getmember(member.linkname.removeprefix("../"))
    return config, [{"mediaType": _LAYER, "digest": digest, "size": member.size}]


def _layer(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as layer:
        for path, content in sorted(files.items()):
            add(layer, path, content, 0o755 if content[:4] == b"\x7fELF" or content[:2] == b"#!" else 0o644)
    return packed.getvalue()


def add(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    """Add one file, owned by root."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}
