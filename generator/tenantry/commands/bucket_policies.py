"""`tenantry secrets --bucket-policies`: what each key of the object store may do, as its administrator gives it.

Made from the rendered objects. A policy is an IAM policy of the key's user, in the policy language of AWS, which most S3-compatible stores accept.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tenantry.commands.rendered import known_states
from tenantry.core.findings import UsageError
from tenantry.prove.storage_keys import StorageKeyUse, storage_key_uses, storage_keys
from tenantry.report.document import CommandAnswer
from tenantry.runtime.workspace import Workspace

_READ = ("s3:GetObject",)
_WRITE = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
Statement = dict[str, object]
_NOTHING: Statement = {"Effect": "Deny", "Action": ["s3:*"], "Resource": ["*"]}
"""Of a key that nobody uses now, as a suspended tenant's for dumps."""


@dataclass(frozen=True, slots=True)
class BucketPolicy:
    """What the key at a path of the secret store may do at one endpoint."""

    path: str
    endpoint: str
    statements: tuple[Statement, ...]

    @property
    def document(self) -> Mapping[str, object]:
        """The policy, as JSON has it."""
        return {"Version": "2012-10-17", "Statement": list(self.statements)}


def bucket_policies(space: Workspace, tenant: str = "", cluster: str = "") -> list[BucketPolicy]:
    """Of the keys of one tenant or all, as they are used in one cluster or all.

    Raises FindingsError when the inputs are wrong, UsageError for an unknown tenant or cluster or when nothing was rendered.
    """
    known, states = known_states(space, tenant, cluster)
    store = known.platform.secret_store
    below = store.key(f"tenants/{tenant}/") if tenant else ""
    read: dict[str, str] = {}
    used: dict[tuple[str, str], set[StorageKeyUse]] = defaultdict(set)
    for state in states:
        endpoint = state.cluster.object_storage.endpoint
        for path in storage_keys(state):
            if path.startswith(below):
                read.setdefault(store.place(path), endpoint)
        for use in storage_key_uses(state):
            if use.path.startswith(below):
                used[store.place(use.path), use.endpoint].add(use)
    if not read:
        raise UsageError("the rendered objects read no keys of the object store", "run 'tenantry render' first")
    unused = read.keys() - {path for path, _ in used}
    found = [BucketPolicy(*where, tuple(_statements(used[where]))) for where in used]
    found += [BucketPolicy(path, read[path], (_NOTHING,)) for path in unused]
    return sorted(found, key=lambda one: (one.path, one.endpoint))


def _statements(uses: Iterable[StorageKeyUse]) -> list[Statement]:
    written = {use.location for use in uses if use.access == "write"}
    read = {use.location for use in uses} - written
    found = [_objects(actions, places) for actions, places in ((_WRITE, written), (_READ, read)) if places]
    by_bucket: dict[str, set[StorageKeyUse]] = defaultdict(set)
    for use in uses:
        by_bucket[use.location.partition("/")[0]].add(use)
    return found + [_names(bucket, by_bucket[bucket]) for bucket in sorted(by_bucket)]


def _objects(actions: Sequence[str], places: Iterable[str]) -> Statement:
    return {"Effect": "Allow", "Action": list(actions), "Resource": [_arn(f"{place}/*") for place in sorted(places)]}


def _names(bucket: str, uses: Iterable[StorageKeyUse]) -> Statement:
    """Listing: of the folders alone, where that is possible."""
    statement: Statement = {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [_arn(bucket)]}
    folders = sorted({use.location.partition("/")[2] for use in uses})
    if all(folders) and not any(use.lists_bucket for use in uses):
        statement["Condition"] = {"StringLike": {"s3:prefix": [f"{folder}/*" for folder in folders]}}
    return statement


def _arn(resource: str) -> str:
    return f"arn:aws:s3:::{resource}"


def document(found: Sequence[BucketPolicy]) -> CommandAnswer:
    """Each policy under the path of its key, and as data."""
    blocks = [f"# {one.path}, at {one.endpoint}\n{json.dumps(one.document, indent=2)}\n" for one in found]
    values = [{"path": one.path, "endpoint": one.endpoint, "policy": one.document} for one in found]
    return CommandAnswer("secrets", "\n".join(blocks), {"policies": values}, True)
