"""Kyverno's PolicyExceptions: the policies that they name must be there."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Problem, entries, items, mapping, text
from tenantry.verify.index import Index, not_in_cluster
from tenantry.verify.registration import references_of

_NEW, _OLD = "policies.kyverno.io", "kyverno.io"


@references_of(_NEW, "PolicyException")
def lifted(manifest: Manifest, index: Index) -> Iterator[Problem]:
    for number, reference in entries(manifest.spec.get("policyRefs")):
        kind, name = text(reference.get("kind")), text(reference.get("name"))
        space = manifest.identity.namespace if kind.startswith("Namespaced") else ""
        if name and not index.has(_NEW, kind, space, name):
            known = bool(index.of(_NEW, kind)) or index.partial
            yield not_in_cluster(
                known, ("spec", "policyRefs", number, "name"), f"{kind} '{name}', so nothing is lifted"
            )


@references_of(_OLD, "PolicyException")
def lifted_rules(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Exceptions of the older kind name rules too; those that Kyverno makes for controllers begin with autogen-."""
    for number, exception in entries(manifest.spec.get("exceptions")):
        space, _, name = text(exception.get("policyName")).rpartition("/")
        kind = "Policy" if space else "ClusterPolicy"
        path = ("spec", "exceptions", number)
        policy = index.get(_OLD, kind, space, name)
        if policy is None:
            if name and not index.has(_OLD, kind, space, name):
                known = bool(index.of(_OLD, kind)) or index.partial
                yield not_in_cluster(known, (*path, "policyName"), f"{kind} '{name}', so nothing is lifted")
            continue
        rules = {text(mapping(rule).get("name")) for rule in items(policy.spec.get("rules"))}
        for place, rule in enumerate(items(exception.get("ruleNames"))):
            plain = str(rule).removeprefix("autogen-cronjob-").removeprefix("autogen-")
            if "*" not in plain and plain not in rules and str(rule) not in rules:
                message = f"the {kind} '{name}' has no rule '{rule}', so nothing is lifted"
                yield Problem("V060", (*path, "ruleNames", place), message, f"it has {', '.join(sorted(rules))}")
