"""Kyverno's own compiler on the policies that a tree brings."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Problem
from tenantry.engine.kyverno import PolicyEngine
from tenantry.verify.index import Index

_GROUP = "policies.kyverno.io"
_COMPILED = "v1"
"""The version that the compiler takes; the older ones that are served are converted to it without a change."""


def found(index: Index) -> list[Manifest]:
    """The policies of a tree that can be compiled here."""
    return [m for m in index.of(_GROUP, "ValidatingPolicy") if m.verdict is None or m.version in m.verdict.served]


def problems(engine: PolicyEngine, index: Index) -> Iterator[tuple[Manifest, Problem]]:
    """Policies that Kyverno can't compile: they guard nothing. Forgets what the engine was given before."""
    policies = found(index)
    refusals, _ = engine.load([{**policy.value, "apiVersion": f"{_GROUP}/{_COMPILED}"} for policy in policies])
    for policy, refusal in zip(policies, refusals, strict=True):
        if refusal is not None:
            message = f"Kyverno can't use the policy, so it guards nothing: {' '.join(str(refusal).split())}"
            yield policy, Problem("V072", ("spec",), message, "fix the expression")
