"""The trees that the service is started from: the example fleet, rendered with a few inputs changed, as in a branch of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from acceptance.harness import fleet
from cluster.size import smaller

COPIED = ("platform", "tenants", "tiers", "policies", "base", "overlays", "rendered")
CHANGES = {
    "tenants/iberia-travel.yaml": ("channel: standard", "channel: early"),
    "platform/platform.yaml": (
        "    server: https://openbao.provider.example:8200\n    mount: secret\n    authMount: kubernetes\n",
        "    provider: kubernetes\n",
    ),
}
"""A second tenant of the cell on Odoo 19, the series that Debian has; a secret store that needs no further server."""
CLUSTER = "euw1-a"
CELL = "euw1-shared-b-cell"
TENANTS = ("fjord-design-production", "iberia-travel-production")
UNITS = {
    "platform": ("argocd", "common", *TENANTS), "cells": (CELL.removesuffix("-cell"),),
    "production": tuple(name.removesuffix("-production") for name in TENANTS),
}  # fmt: skip
"""Folders of `rendered/<cluster>`."""
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Trees:
    """Rendered objects of one cluster, and the folder of their fleet."""

    folder: Path
    items: tuple[fleet.Rendered, ...]

    def every(self, kind: str, namespace: str = "") -> list[Manifest]:
        """Objects of a kind, of one namespace or all."""
        return [item.manifest for item in self.items if item.kind == kind and namespace in ("", item.namespace)]

    def one(self, kind: str, namespace: str, name: str) -> Manifest:
        """Raises ValueError when there is none."""
        (found,) = [m for m in self.every(kind, namespace) if m["metadata"]["name"] == name]
        return found

    def write(self, folder: Path) -> None:
        """Write the units of the cell, its two tenants and the platform that they stand on, at a size for this machine."""
        for item in self.items:
            path = item.path.relative_to(self.folder)
            if path.parts[2] in UNITS and path.parts[3] in UNITS[path.parts[2]] and _is_delivered(item):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(yaml.safe_dump(smaller(item.manifest), sort_keys=False))


def _is_delivered(item: fleet.Rendered) -> bool:
    """Not the Applications of other cells; environments that are not here have units of their own."""
    is_cell = item.kind in ("Application", "AppProject") and item.name.endswith("-cell")
    return not is_cell or item.name == CELL


def render(folder: Path) -> Trees:
    """Copy the fleet to a new folder, change its inputs, render. Raises AssertionError with what `tenantry` says."""
    for name in COPIED:
        shutil.copytree(fleet.REPOSITORY / name, folder / name)
    for name, (old, new) in CHANGES.items():
        text = (folder / name).read_text()
        assert old in text, name
        (folder / name).write_text(text.replace(old, new))
    return render_again(folder)


def render_again(folder: Path) -> Trees:
    """Render a fleet whose inputs were changed."""
    tenantry("render", folder)
    return Trees(folder, fleet.read(folder / "rendered" / CLUSTER))


def tenantry(command: str, folder: Path, *arguments: str) -> str:
    """What the command prints in a fleet. Raises AssertionError when it does not succeed."""
    program = str(Path(sys.executable).parent / "tenantry")
    whole = [program, command, "-C", str(folder), *arguments]
    done = subprocess.run(whole, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout
