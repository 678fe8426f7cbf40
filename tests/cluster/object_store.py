"""The object store: outside of the cluster, at an address that the cluster file allows, behind the rendered name.

Each key may do what `tenantry secrets --bucket-policies` says, and nothing else.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.client import BaseClient
from botocore.config import Config
from botocore.session import Session

from acceptance.harness.certificates import Authority
from acceptance.harness.process import Processes, listens
from cluster.programs import VERSITYGW

REGION = "us-east-1"
"""What clients sign with that are told none."""


@dataclass(frozen=True)
class StorageKey:
    """A key, and the statements of its policy."""

    access: str
    secret: str
    statements: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True)
class ObjectStore:
    """An S3 server over TLS. A bucket is a folder below `folder`, an object a file."""

    host: str
    address: str
    folder: Path
    certificate: Path

    def objects(self, prefix: str) -> list[str]:
        """Names of what lies below `bucket/prefix`."""
        top = self.folder / prefix
        return sorted(str(path.relative_to(top)) for path in top.rglob("*") if path.is_file())

    def client(self, key: StorageKey) -> BaseClient:
        """Of S3, as whoever holds the key."""
        return Session().create_client(
            "s3", REGION, endpoint_url=f"https://{self.address}", verify=str(self.certificate),
            aws_access_key_id=key.access, aws_secret_access_key=key.secret,
            config=Config(
                s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, request_checksum_calculation="when_required",
            ),
        )  # fmt: skip


def start(
    processes: Processes,
    place: Path,
    spec: dict[str, Any],
    address: str,
    authority: Authority,
    keys: Sequence[StorageKey],
) -> ObjectStore:
    """`spec` is `objectStorage` of a cluster file, whose buckets are made. Raises NotReadyError."""
    store = ObjectStore(str(urlsplit(spec["endpoint"]).hostname), address, place / "objects", authority.certificate)
    kept = {name: place / name for name in ("accounts", "metadata")}
    for folder in (store.folder, *kept.values()):
        folder.mkdir(parents=True)
    owner = StorageKey("owner", secrets.token_hex(32))
    pair = authority.issue("objects", (store.host, address))
    command = [
        VERSITYGW.binary(), "--port", f"{address}:443", "--cert", pair.certificate, "--key", pair.key, "--region", REGION,
        "--quiet", "--iam-dir", kept["accounts"], "posix", "--sidecar", kept["metadata"], store.folder,
    ]  # fmt: skip
    environment = {"ROOT_ACCESS_KEY_ID": owner.access, "ROOT_SECRET_ACCESS_KEY": owner.secret}
    processes.start("objects", command, environment=environment, ready=listens(443, address))
    for key in keys:
        _add(store, owner, key)
    client = store.client(owner)
    for name in ("backupBucket", "attachmentBucket", "veleroBucket"):
        client.create_bucket(Bucket=spec[name])
    for bucket, statements in _by_bucket(keys).items():
        policy = {"Version": "2012-10-17", "Statement": statements}
        client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    return store


def _add(store: ObjectStore, owner: StorageKey, key: StorageKey) -> None:
    """Make the account of a key."""
    command = [
        VERSITYGW.binary(), "admin", "--endpoint-url", f"https://{store.address}", "--allow-insecure", "--region", REGION,
        "create-user", "--access", key.access, "--secret", key.secret, "--role", "user",
    ]  # fmt: skip
    environment = {"ADMIN_ACCESS_KEY_ID": owner.access, "ADMIN_SECRET_ACCESS_KEY": owner.secret}
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **environment})


def _by_bucket(keys: Sequence[StorageKey]) -> dict[str, list[dict[str, Any]]]:
    """The policies of users as those of buckets: each statement with its user, and what it says of one bucket."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for key in keys:
        for statement in key.statements:
            for bucket, resources in _resources(statement):
                found[bucket].append({**statement, "Principal": {"AWS": [key.access]}, "Resource": resources})
    return found


def _resources(statement: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    by_bucket: dict[str, list[str]] = defaultdict(list)
    for arn in statement["Resource"]:
        by_bucket[arn.rpartition(":")[2].partition("/")[0]].append(arn)
    yield from by_bucket.items()
