"""What Kustomize merges entry by entry in a strategic merge patch, and by which fields it tells the entries apart.

merge_keys.json is read off the OpenAPI data inside Kustomize, which is older than the clusters: a list that it does not
know is replaced. A test of the engine holds the file to Kustomize, and says how to write it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

ListKeys = Mapping[str, tuple[str, ...]]
"""Path of a list, by names of fields without indexes (`spec.template.spec.containers`) -> its entries' keys, none for
plain values. Lists that are not in here are replaced."""

_METADATA: ListKeys = {"metadata.ownerReferences": ("uid",), "metadata.finalizers": ()}
"""Lists of every object; for a kind that Kustomize has no schema of they are replaced."""


@cache
def _data() -> Mapping[str, Any]:
    data: Mapping[str, Any] = json.loads(Path(__file__).with_name("merge_keys.json").read_bytes())
    return data


@cache
def is_native(group: str) -> bool:
    """Whether the API server has kinds of the group by itself."""
    return group in _data()["groups"]


@cache
def list_keys(api_version: str, kind: str) -> ListKeys:
    """Lists of a native kind whose entries are merged."""
    lists: Mapping[str, str] = _data()["lists"].get(f"{api_version} {kind}", {})
    return {**_METADATA, **{path: tuple(keys.split()) for path, keys in lists.items()}}
