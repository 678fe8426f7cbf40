"""The smallest fleet: one cluster, one cell, one tier, one release, for `tenantry init --minimal`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.inputs import edits
from tenantry.inputs.shape import shape_of
from tenantry.inputs.source import Path_

_KEPT = {
    "platform/platform.yaml": "Platform",
    "platform/clusters/euw1-a.yaml": "Cluster",
    "platform/cells/euw1-shared-a.yaml": "Cell",
    "platform/releases/odoo-18.0-20261012.yaml": "Release",
    "platform/releases/odoo-18.0-image.yaml": "ImageContract",
    "platform/releases/standard.yaml": "Channel",
    "tiers/shared.yaml": "Tier",
}
_INPUTS = ("platform/", "tiers/")
_REGISTRY = "registry.provider.example"
_RELEASE = "odoo-18.0-20261012"


@dataclass(frozen=True, slots=True)
class Provider:
    """What a provider has of its own; what is not given stays as in the example, and `check` reports it."""

    domain: str = ""
    registry: str = ""
    dns_solver: str = ""
    """GROUP/NAME of cert-manager's webhook."""
    git: str = ""


def minimal(files: Iterable[tuple[str, str]], provider: Provider) -> Iterator[tuple[str, str]]:
    """Those of a fleet's files that the smallest one needs, with a provider's own values."""
    for file, text in files:
        if provider.registry:  # also in the policy that names it
            text = text.replace(_REGISTRY, provider.registry)
        kind = _KEPT.get(file)
        if kind is None:
            if not file.startswith(_INPUTS):
                yield file, text
            continue
        shape = shape_of(kind)
        for path, value in _changes(kind, provider).items():
            text = edits.with_value(text, shape, path, value)
        yield file, _without_removed(kind, text)


def _changes(kind: str, provider: Provider) -> Mapping[Path_, Any]:
    """Values that differ from the example's."""
    if kind == "Channel":
        return {
            ("spec", "description"): "The release of all tenants",
            ("spec", "releases"): {"production": _RELEASE, "staging": _RELEASE, "recovery": _RELEASE},
        }
    if kind == "Tier":
        return {("spec", "channels"): ["standard"], ("spec", "environments"): ["production"]}
    changes: dict[Path_, Any] = {}
    if kind == "Platform":
        if provider.domain:
            changes["spec", "domain"] = provider.domain
        if provider.git:
            changes["spec", "git", "repository"] = provider.git
        if provider.dns_solver:
            group, _, name = provider.dns_solver.partition("/")
            changes |= {
                ("spec", "issuers", "dnsSolver", "group"): group,
                ("spec", "issuers", "dnsSolver", "name"): name,
            }
    return changes


def _without_removed(kind: str, text: str) -> str:
    if kind == "Cluster":
        return edits.without(text, ("spec", "drPartner"))
    if kind == "Platform":
        text = edits.without(text, ("spec", "example"))
        return "".join(line for line in text.splitlines(keepends=True) if "of this fleet are made up" not in line)
    return text
