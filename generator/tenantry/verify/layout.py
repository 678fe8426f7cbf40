"""Which files of a folder belong to which cluster, and which Kubernetes version each cluster runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenantry.core.findings import Finding, Place
from tenantry.verify import native
from tenantry.verify.folder import SUFFIXES

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
    folders = _folders(root)
    clusters = [name for name in folders if name in versions or (root / name / "platform/common").is_dir()]
    if not clusters:
        version = wanted or versions.get(root.name, DEFAULT_VERSION)
        return [Layout("", version)]
    return [Layout(name, wanted or versions.get(name, DEFAULT_VERSION)) for name in clusters]


def beside(root: Path, found: Sequence[Layout], versions: Mapping[str, str]) -> Iterator[Finding]:
    """What lies beside the clusters' folders: no version and no promises say how it is judged."""
    judged = {layout.folder for layout in found}
    if "" in judged:
        return  # all of it is judged
    if not judged.isdisjoint(versions):
        judged &= versions.keys()
    for path in sorted(root.iterdir()):
        if path.name in judged or path.name.startswith("."):
            continue
        if path.is_symlink():
            yield Finding(
                "V004", Place(path.name), "is a link, so it could not be checked", "put the folder itself there"
            )
        elif path.is_dir() or path.name.endswith(SUFFIXES):
            message = "belongs to no cluster, so neither a version nor promises say how to judge it"
            yield Finding("V075", Place(path.name), message, "move it into a cluster's folder, or verify it by itself")


def _folders(root: Path) -> list[str]:
    return sorted(p.name for p in root.iterdir() if p.is_dir() and not p.is_symlink() and not p.name.startswith("."))


def is_known(version: str) -> bool:
    return version in native.known_versions()
