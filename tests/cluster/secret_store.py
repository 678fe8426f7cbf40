"""The secret store: Secrets in namespaces of their own, filled and opened as `tenantry secrets` says."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence

import yaml

from cluster.base import Cluster, Manifest
from cluster.object_store import StorageKey
from cluster.operators import secret
from cluster.trees import CLUSTER, Trees, tenantry

Values = dict[str, dict[str, str]]
"""Path in the store -> property -> value."""


def values(trees: Trees, namespaces: Sequence[str]) -> Values:
    """A value for each name that the namespaces read."""
    made: Values = {}
    for name in json.loads(tenantry("secrets", trees.folder, "--cluster", CLUSTER, "--format", "json"))["secrets"]:
        if any(reader.startswith(f"{CLUSTER}/{namespace}/") for reader in name["readers"] for namespace in namespaces):
            made.setdefault(name["path"], {})[name["name"]] = _value(name["name"])
    return made


KNOWN = {"dockerconfigjson": '{"auths": {}}', "config": '{"tlsClientConfig": {"insecure": false}}'}
"""What is no secret here: no registry asks for an account, and Argo CD is in its own cluster."""


def _value(name: str) -> str:
    return KNOWN.get(name) or secrets.token_hex(32)


def path_of(trees: Trees, tenant: str, leaf: str) -> str:
    """Path of a value of a tenant's production, as the printed lists and steps write it."""
    found = json.loads(tenantry("secrets", trees.folder, tenant, "--cluster", CLUSTER, "--format", "json"))["secrets"]
    (path,) = {str(one["path"]) for one in found if one["path"].endswith(f"production.{leaf}")}
    return path


def read(cluster: Cluster, path: str, name: str) -> str:
    """What the store holds, as its administrator sees it."""
    namespace, _, secret_name = path.partition("/")
    return cluster.secret(namespace, secret_name)[name]


def write(cluster: Cluster, path: str, name: str) -> str:
    """Add or replace a property by a new value; the value."""
    namespace, _, secret_name = path.partition("/")
    value = secrets.token_hex(32)
    cluster.apply([secret(namespace, secret_name, {**cluster.secret(namespace, secret_name), name: value})])
    return value


def storage_keys(trees: Trees, found: Values) -> list[StorageKey]:
    """Keys of the object store, with the policies that are printed for them."""
    printed = json.loads(
        tenantry("secrets", trees.folder, "--cluster", CLUSTER, "--bucket-policies", "--format", "json")
    )
    return [
        StorageKey(one["access-key-id"], one["secret-access-key"], policy["policy"]["Statement"])
        for policy in printed["policies"]
        if (one := found.get(policy["path"]))
    ]


def objects(trees: Trees, found: Values) -> Iterator[Manifest]:
    """The grants as they are printed, and the Secrets."""
    wanted = {path.partition("/")[0] for path in found}
    text = tenantry("secrets", trees.folder, "--cluster", CLUSTER, "--grants")
    for manifest in yaml.safe_load_all(text):
        metadata = manifest["metadata"]
        if metadata.get("namespace", metadata["name"]) in wanted:
            yield manifest
    for path, data in found.items():
        namespace, _, name = path.partition("/")
        yield secret(namespace, name, data)
