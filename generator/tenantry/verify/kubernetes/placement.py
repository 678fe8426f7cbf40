"""Rules of placement that take no Pod: affinity and topology spread by labels that nobody has (pkg/scheduler of Kubernetes 1.37)."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, mapping
from tenantry.verify.index import Index, pod_specs
from tenantry.verify.kubernetes.workloads import selects
from tenantry.verify.registration import references_of

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


@references_of("apps", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")
def placed(manifest: Manifest, index: Index) -> Iterator[Problem]:
    for path, labels, spec in pod_specs(manifest):
        for number, constraint in entries(spec.get("topologySpreadConstraints")):
            selector = constraint.get("labelSelector")
            if isinstance(selector, dict) and selector and not selects(selector, labels):
                where: Path = (*path, "topologySpreadConstraints", number, "labelSelector")
                message = "the selector does not take the Pods of its own template, so it spreads nothing"
                yield Problem("V058", where, message, "see the template's labels", "warning")
        affinity = mapping(spec.get("affinity"))
        for end, term, required in _terms(affinity):
            selector = mapping(term.get("labelSelector"))
            elsewhere = term.get("namespaces") or "namespaceSelector" in term
            if not selector or elsewhere or _somebody(index, manifest, selector, labels):
                continue
            apart = end[0] == "podAntiAffinity"
            what = "it keeps nothing apart" if apart else "no node will do" if required else "it draws nowhere"
            message = f"no Pod of the namespace has these labels, so {what}"
            yield Problem(
                "V063", (*path, "affinity", *end, "labelSelector"), message, "see the template's labels", "warning"
            )


def _terms(affinity: Value) -> Iterator[tuple[Path, Value, bool]]:
    """(path, term, whether it must hold)."""
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = mapping(affinity.get(kind))
        for number, term in entries(rules.get(_REQUIRED)):
            yield (kind, _REQUIRED, number), term, True
        for number, weighted in entries(rules.get(_PREFERRED)):
            yield (kind, _PREFERRED, number, "podAffinityTerm"), mapping(weighted.get("podAffinityTerm")), False


def _somebody(index: Index, manifest: Manifest, selector: Value, labels: Value) -> bool:
    """Whether Pods of the own template have the labels, or others that may be there."""
    namespace = manifest.identity.namespace
    if selects(selector, labels) or _others(index, namespace, selector):
        return True
    known = not index.partial and index.makes_namespace(namespace)
    return not known and _keys(selector).isdisjoint(labels)


def _others(index: Index, namespace: str, selector: Value) -> bool:
    return any(selects(selector, pods.labels) for pods in index.pods.get(namespace, ()))


def _keys(selector: Value) -> set[str]:
    return {
        *mapping(selector.get("matchLabels")),
        *(str(t.get("key")) for _, t in entries(selector.get("matchExpressions"))),
    }
