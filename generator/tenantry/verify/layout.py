"""Which files of a folder belong to which cluster, and which Kubernetes version each cluster runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tenantry.verify import native

DEFAULT_VERSION = "1.34"
"""Judged by when nothing says which version the cluster runs."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What one cluster gets: a folder below the root ("" for the root itself), and its Kubernetes version."""

    folder: str
    version: str


def layouts(root: Path, versions: Mapping[str, str], wanted: str = "") -> list[Layout]:
    """A folder that holds clusters (of the fleet, or with a `platform/common` of their own) is judged cluster by cluster.

    `versions` are those of the fleet's clusters by name; `wanted` wins over them.
    """
    folders = sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    clusters = [name for name in folders if name in versions or (root / name / "platform/common").is_dir()]
    if not clusters:
        version = wanted or versions.get(root.name, DEFAULT_VERSION)
        return [Layout("", version)]
    return [Layout(name, wanted or versions.get(name, DEFAULT_VERSION)) for name in clusters]


def is_known(version: str) -> bool:
    return version in native.known_versions()
