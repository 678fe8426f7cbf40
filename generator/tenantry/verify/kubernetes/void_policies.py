"""NetworkPolicies that restrict nothing, because another one lets everyone to the same Pods: what they allow is added up
(docs/concepts/services-networking/network-policies)."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Problem, Value, entries, items, mapping
from tenantry.verify.index import Index
from tenantry.verify.kubernetes.isolation import isolating
from tenantry.verify.registration import references_of
from tenantry.verify.selection import selected

_SIDES = (
    ("Ingress", "ingress", "from", "takes connections from everyone"),
    ("Egress", "egress", "to", "lets them connect to everything"),
)


@references_of("networking.k8s.io", "NetworkPolicy")
def void(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A list of peers beside a rule for everyone; only where the tree makes the namespace, so that no file is an alternative."""
    namespace = manifest.identity.namespace
    if index.partial or not namespace or not index.makes_namespace(namespace):
        return
    pods = selected(index, namespace, mapping(manifest.spec.get("podSelector")))
    for direction, field, side, what in _SIDES:
        rules = [rule for _, rule in entries(manifest.spec.get(field))]
        if not pods or not rules or not all(items(rule.get(side)) for rule in rules):
            continue
        wider = {
            policy.identity.name
            for policy in isolating(index, pods[0], direction)
            if policy is not manifest and all(policy in isolating(index, one, direction) for one in pods)
            and any(_takes_all(other, rules, side) for _, other in entries(policy.spec.get(field)))
        }  # fmt: skip
        if wider:
            name = sorted(wider)[0]
            message = f"it restricts nothing: the NetworkPolicy '{name}' {what}, for the same Pods and ports"
            yield Problem("V057", ("spec", field), message, f"name the peers in '{name}' too, or remove it", "warning")


def _takes_all(rule: Value, others: list[Value], side: str) -> bool:
    """Whether a rule is for everyone, on all ports of the other rules."""
    if items(rule.get(side)):
        return False
    ports = items(rule.get("ports"))
    return not ports or all(
        items(other.get("ports")) and all(port in ports for port in items(other.get("ports"))) for other in others
    )
