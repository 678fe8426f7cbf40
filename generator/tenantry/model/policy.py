"""A Kyverno ValidatingPolicy of the fleet: policies/<name>/policy.yaml. Its format is Kyverno's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
