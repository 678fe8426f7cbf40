"""A Kyverno ValidatingPolicy of the fleet: policies/<name>/policy.yaml. Its format is Kyverno's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.core.manifest import items, mapping, text

CONTROL = "tenantry.io/control"
"""Annotation with the control that a policy enforces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy as deployed to the clusters. `control` is the control that it enforces."""

    name: str
    control: str
    annotations: Mapping[str, str]
    spec: Mapping[str, Any]

    def value(self) -> Mapping[str, Any]:
        """The policy as a Kubernetes object."""
        metadata = {"name": self.name, "annotations": dict(self.annotations)}
        return {
            "apiVersion": "policies.kyverno.io/v1",
            "kind": "ValidatingPolicy",
            "metadata": metadata,
            "spec": dict(self.spec),
        }


VIEWED = frozenset({"", "apps", "autoscaling", "batch", "networking.k8s.io", "policy"})
"""API groups that Kubernetes' role `view` reads, which Kyverno's chart binds."""


def read_by_reports(specs: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """API group -> resources that policies name and that Kyverno may not read by itself.

    It takes a policy for not ready until its reports controller may read all of them (pkg/controllers/policystatus, v1.19), and
    Argo CD takes such a policy for degraded.
    """
    found: dict[str, set[str]] = {}
    for spec in specs:
        for rule in items(mapping(spec.get("matchConstraints")).get("resourceRules")):
            resources = {text(name).partition("/")[0] for name in items(mapping(rule).get("resources"))} - {""}
            for group in {text(group) for group in items(mapping(rule).get("apiGroups"))} - VIEWED:
                found.setdefault(group, set()).update(resources)
    return {group: sorted(found[group]) for group in sorted(found)}
