"""Kyverno's PolicyExceptions, which name policies that must be there, and the kinds that older policies match."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, items, mapping, text
from tenantry.core.suggestions import near
from tenantry.verify.index import Index, not_in_cluster
from tenantry.verify.registration import references_of, rule_for

_NEW, _OLD = "policies.kyverno.io", "kyverno.io"


_KINDS = [
    "ClusterRole",
    "ClusterRoleBinding",
    "ConfigMap",
    "CronJob",
    "CustomResourceDefinition",
    "DaemonSet",
    "Deployment",
    "EndpointSlice",
    "Endpoints",
    "Event",
    "HorizontalPodAutoscaler",
    "Ingress",
    "IngressClass",
    "Job",
    "Lease",
    "LimitRange",
    "MutatingWebhookConfiguration",
    "Namespace",
    "NetworkPolicy",
    "Node",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "PodTemplate",
    "PriorityClass",
    "ReplicaSet",
    "ReplicationController",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "Secret",
    "Service",
    "ServiceAccount",
    "StatefulSet",
    "StorageClass",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
]


@rule_for(_OLD, "ClusterPolicy", "Policy")
def matched_kinds(manifest: Manifest) -> Iterator[Problem]:
    """A rule is asked of the kinds that it names; one that is misspelt never comes."""
    for number, rule in entries(manifest.spec.get("rules")):
        blocks: list[tuple[Path, Value]] = [((), mapping(rule.get("match")))]
        for part in ("any", "all"):
            blocks += [((part, place), block) for place, block in entries(mapping(rule.get("match")).get(part))]
        for end, block in blocks:
            for place, written in enumerate(items(mapping(block.get("resources")).get("kinds"))):
                kind = str(written).rpartition("/")[2].partition(".")[0]
                meant = near(kind, _KINDS, 0.8)
                if kind.isalnum() and kind not in _KINDS and meant and _is_misspelt(kind, meant):
                    path: Path = ("spec", "rules", number, "match", *end, "resources", "kinds", place)
                    yield Problem(
                        "V057",
                        path,
                        f"there is no kind '{kind}', so the rule is asked of none",
                        f"did you mean {meant}?",
                    )


def _is_misspelt(kind: str, other: str) -> bool:
    """A plural, another case, or letters that are swapped, missing or too many; not a kind of somebody else."""
    return kind.lower() in (other.lower(), f"{other.lower()}s") or (
        abs(len(kind) - len(other)) <= 1
        and SequenceMatcher(None, kind, other).ratio() > _ALIKE
        and kind[:1] == other[:1]
    )


_ALIKE = 0.88


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
