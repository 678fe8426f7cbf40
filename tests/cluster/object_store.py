"""The object store: outside of the cluster, at an address that the cluster file allows, behind the rendered name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from acceptance.harness.certificates import Authority
from acceptance.harness.process import Processes, listens
from acceptance.harness.programs import RCLONE

Keys = tuple[tuple[str, str], ...]
"""(access key, secret key); rclone's server gives each of them every bucket."""


@dataclass(frozen=True)
class ObjectStore:
    """An S3 server over TLS. A bucket is a folder below `folder`, an object a file."""

    host: str
    address: str
    folder: Path

    def objects(self, prefix: str) -> list[str]:
        """Names of what lies below `bucket/prefix`."""
        top = self.folder / prefix
        return sorted(str(path.relative_to(top)) for path in top.rglob("*") if path.is_file())


def start(
    processes: Processes, place: Path, spec: dict[str, Any], address: str, authority: Authority, keys: Keys
) -> ObjectStore:
    """`spec` is `objectStorage` of a cluster file, whose buckets are made. Raises NotReadyError."""
    store = ObjectStore(str(urlsplit(spec["endpoint"]).hostname), address, place / "objects")
    for name in ("backupBucket", "attachmentBucket", "veleroBucket"):
        (store.folder / spec[name]).mkdir(parents=True, exist_ok=True)
    pair = authority.issue("objects", (store.host,))
    auth = [part for key in keys for part in ("--auth-key", ",".join(key))]
    command = [
        RCLONE.binary(), "serve", "s3", "--addr", f"{address}:443", "--cert", pair.certificate, "--key", pair.key,
        "--config", place / "rclone.conf", "--cache-dir", place / "rclone", "--dir-cache-time", "1s", *auth, store.folder,
    ]  # fmt: skip
    processes.start("objects", command, ready=listens(443, address))
    return store
