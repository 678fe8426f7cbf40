"""What a path in a generated tree means. Paths are relative to the fleet's folder, with `/` between their parts.

`base/` holds bases and components; `overlays/` and `rendered/` hold the same folders, one for each unit:
CLUSTER/ENVIRONMENT/TENANT/TREE for an instance, CLUSTER/cells/CELL for a cell, CLUSTER/platform/PART for a cluster.
"""

from __future__ import annotations

from dataclasses import dataclass

GENERATED_TREES = ("base", "overlays", "rendered")
_CELLS = "cells"
_PLATFORM = "platform"


def folder_of(path: str) -> str:
    """The folder that a file or folder lies in; empty at the top."""
    return path.rpartition("/")[0]


def name_of(path: str) -> str:
    """The last part of a path."""
    return path.rpartition("/")[2]


def instance_path(cluster: str, environment: str, tenant: str, tree: str) -> str:
    """Path of an instance's unit; `tree` is infra, app or standby."""
    return f"{cluster}/{environment}/{tenant}/{tree}"


def cell_path(cluster: str, cell: str) -> str:
    """Path of a cell's unit."""
    return f"{cluster}/{_CELLS}/{cell}"


def platform_path(cluster: str, part: str) -> str:
    """Path of a unit of a cluster's platform.

    `part` is `common`, `argocd` (Argo CD's own settings), `charts` (what Helm charts install), or an instance, whose Argo CD and Velero objects stand apart from
    others'.
    """
    return f"{cluster}/{_PLATFORM}/{part}"


def base_folder(path: str) -> str:
    """Folder of the base of that path."""
    return f"base/{path}"


def component_folder(name: str) -> str:
    """Folder of a component."""
    return f"base/components/{name}"


def overlay_folder(unit: str) -> str:
    """Folder of the overlay of the unit of that path."""
    return f"overlays/{unit}"


def rendered_folder(unit: str) -> str:
    """Folder of the rendered objects of the unit of that path."""
    return f"rendered/{unit}"


def is_base(path: str) -> bool:
    """Whether a file or folder is in base/."""
    return path.startswith("base/")


def is_rendered(path: str) -> bool:
    """Whether a file or folder lies in rendered/."""
    return path.startswith("rendered/")


def unit_of(file: str) -> str:
    """Path of the unit (or base) that a file of a generated tree is of."""
    return folder_of(file.partition("/")[2])


def cluster_of(path: str) -> str:
    """Cluster of a file or folder below overlays/ or rendered/; empty for what lies in no cluster's folder."""
    parts = path.split("/", 2)
    return parts[1] if len(parts) > 1 else ""


@dataclass(frozen=True, slots=True)
class UnitPath:
    """What the path of a unit says. `tree` is infra, app, standby, cell or platform; what does not apply is empty."""

    cluster: str
    tree: str
    environment: str = ""
    tenant: str = ""
    cell: str = ""


def parse_unit(unit: str) -> UnitPath:
    """Read the path of a unit; of a path that is none, as much as can be read."""
    cluster, _, rest = unit.partition("/")
    first, _, more = rest.partition("/")
    if first == _PLATFORM:
        return UnitPath(cluster, "platform")
    if first == _CELLS:
        return UnitPath(cluster, "cell", cell=more)
    tenant, _, tree = more.partition("/")
    return UnitPath(cluster, name_of(tree or more or rest), first, tenant)
