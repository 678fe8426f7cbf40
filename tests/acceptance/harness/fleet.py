"""The rendered objects of the example fleet, as Argo CD reads them: from the files."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[3]
RENDERED = REPOSITORY / "rendered"
PLATFORM_NAMESPACES = ("argocd", "cert-manager", "cnpg-system", "external-secrets", "kyverno", "mail", "monitoring",
                       "traefik", "velero")  # fmt: skip
"""Made by whoever installs the platform's operators, not by the trees."""


@dataclass(frozen=True)
class Rendered:
    """One file of `rendered/`."""

    path: Path
    content: bytes
    manifest: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.manifest["kind"])

    @property
    def name(self) -> str:
        return str(self.manifest["metadata"]["name"])

    @property
    def namespace(self) -> str:
        return str(self.manifest["metadata"].get("namespace", ""))

    @property
    def is_hook(self) -> bool:
        return "argocd.argoproj.io/hook" in self.manifest["metadata"].get("annotations", {})

    def __str__(self) -> str:
        return str(self.path.relative_to(RENDERED))


def clusters() -> tuple[str, ...]:
    return tuple(sorted(path.name for path in RENDERED.iterdir()))


@cache
def tree(cluster: str) -> tuple[Rendered, ...]:
    """Every object of a cluster, Namespaces first."""
    return read(RENDERED / cluster)


def read(folder: Path) -> tuple[Rendered, ...]:
    """Every object below a folder, Namespaces first."""
    found = [_read(path) for path in sorted(folder.rglob("*.yaml"))]
    return tuple(sorted(found, key=lambda item: item.kind != "Namespace"))


@cache
def kinds() -> frozenset[tuple[str, str]]:
    """(API group, kind) of everything in the fleet."""
    manifests = [item.manifest for name in clusters() for item in tree(name)]
    return frozenset((manifest["apiVersion"].rpartition("/")[0], manifest["kind"]) for manifest in manifests)


def _read(path: Path) -> Rendered:
    content = path.read_bytes()
    return Rendered(path, content, yaml.load(content, yaml.CSafeLoader))


def every(kind: str, *, cluster: str = "", namespace: str = "") -> list[Rendered]:
    """Objects of a kind, of one cluster or all."""
    names = (cluster,) if cluster else clusters()
    return [item for name in names for item in tree(name) if item.kind == kind and namespace in ("", item.namespace)]


def one(kind: str, namespace: str, name: str, *, cluster: str = "") -> Rendered:
    """The one object of that name. Raises ValueError when there is none or more."""
    (found,) = [item for item in every(kind, cluster=cluster, namespace=namespace) if item.name == name]
    return found


def changed(manifest: dict[str, Any], change: Callable[[Any], object]) -> dict[str, Any]:
    """A copy after one change."""
    other = copy.deepcopy(manifest)
    change(other)
    return other


def instances(cluster: str = "") -> Iterator[str]:
    """Namespaces of tenants: `<tenant>-<environment>`."""
    for item in every("Namespace", cluster=cluster):
        if "tenantry.io/tenant" in item.manifest["metadata"]["labels"]:
            yield item.name


def cluster_input(name: str) -> dict[str, Any]:
    """The Cluster file of that name."""
    (found,) = [document for document in inputs("clusters") if document["metadata"]["name"] == name]
    return found


def platform() -> dict[str, Any]:
    """`spec` of the Platform file."""
    content = yaml.load((REPOSITORY / "platform/platform.yaml").read_bytes(), yaml.CSafeLoader)
    return dict(content["spec"])


def inputs(kind: str) -> list[dict[str, Any]]:
    """What people wrote: `clusters`, `cells` of platform/, or `tenants`."""
    folder = REPOSITORY / "tenants" if kind == "tenants" else REPOSITORY / "platform" / kind
    return [yaml.load(path.read_bytes(), yaml.CSafeLoader) for path in sorted(folder.glob("*.yaml"))]
