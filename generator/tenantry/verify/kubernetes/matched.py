"""Resources that rules name in a way that matches none: RBAC, admission policies, webhooks (Kubernetes 1.37, Kyverno v1.19.1)."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, items, mapping, text
from tenantry.verify.index import Index, not_in_cluster
from tenantry.verify.registration import references_of, rule_for

_RESOURCES = {
    "": "configmaps endpoints limitranges namespaces nodes persistentvolumeclaims persistentvolumes pods podtemplates "
    "replicationcontrollers resourcequotas secrets serviceaccounts services",
    "admissionregistration.k8s.io": "mutatingwebhookconfigurations validatingadmissionpolicies validatingwebhookconfigurations",
    "apiextensions.k8s.io": "customresourcedefinitions",
    "apps": "controllerrevisions daemonsets deployments replicasets statefulsets",
    "autoscaling": "horizontalpodautoscalers",
    "batch": "cronjobs jobs",
    "coordination.k8s.io": "leases",
    "discovery.k8s.io": "endpointslices",
    "networking.k8s.io": "ingressclasses ingresses networkpolicies",
    "policy": "poddisruptionbudgets",
    "rbac.authorization.k8s.io": "clusterrolebindings clusterroles rolebindings roles",
    "scheduling.k8s.io": "priorityclasses",
    "storage.k8s.io": "csidrivers csinodes storageclasses volumeattachments",
}
_GROUP_OF = {resource: group for group, names in _RESOURCES.items() for resource in names.split()}


def _mistake(rule: Value) -> Iterator[tuple[int, str, str]]:
    """(number, why, hint) of resources of a rule that match nothing; other groups may have resources of any name."""
    groups = [str(group) for group in items(rule.get("apiGroups"))]
    if not groups or any(group not in _RESOURCES for group in groups):
        return
    for number, written in enumerate(items(rule.get("resources"))):
        resource = str(written).partition("/")[0]
        group = _GROUP_OF.get(resource)
        shown = ", ".join(f"'{one}'" for one in groups)
        if group is not None and group not in groups:
            yield number, f"'{resource}' is of the group '{group}', not of {shown}", f"add '{group}' to apiGroups"
        elif group is None and (plural := _plural(resource)):
            yield number, f"'{resource}' is no resource", f"write {plural}"


def _plural(written: str) -> str:
    """The resource that is meant by its kind or singular; empty for none."""
    low = written.lower()
    candidates = (low, f"{low}s", f"{low}es", f"{low[:-1]}ies")
    return next((one for one in candidates if one in _GROUP_OF and one != written), "")


@rule_for("rbac.authorization.k8s.io", "ClusterRole", "Role")
def granted(manifest: Manifest) -> Iterator[Problem]:
    """A right to what is not there is none; another rule of the role may name it well."""
    rules = entries(manifest.value.get("rules"))
    well = {str(one) for _, rule in rules for one in items(rule.get("resources")) if _is_well(rule, str(one))}
    for index, rule in rules:
        for number, why, hint in _mistake(rule):
            if str(items(rule.get("resources"))[number]) not in well:
                path: Path = ("rules", index, "resources", number)
                yield Problem("V058", path, f"{why}, so nothing is granted", hint, "warning")


def _is_well(rule: Value, resource: str) -> bool:
    groups = items(rule.get("apiGroups"))
    return "*" in groups or _GROUP_OF.get(resource.partition("/")[0]) in groups


_POLICIES = ("DeletingPolicy", "GeneratingPolicy", "ImageValidatingPolicy", "MutatingPolicy", "ValidatingPolicy")


@rule_for("admissionregistration.k8s.io", "MutatingAdmissionPolicy", "ValidatingAdmissionPolicy")
@rule_for("policies.kyverno.io", *_POLICIES, *(f"Namespaced{kind}" for kind in _POLICIES))
def constrained(manifest: Manifest) -> Iterator[Problem]:
    """A policy is asked of the resources that its matchConstraints name, and of no others."""
    constraints = mapping(manifest.spec.get("matchConstraints"))
    for index, rule in entries(constraints.get("resourceRules")):
        for number, why, hint in _mistake(rule):
            path: Path = ("spec", "matchConstraints", "resourceRules", index, "resources", number)
            yield Problem("V057", path, f"{why}, so the policy is asked of none", hint)


@rule_for("admissionregistration.k8s.io", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
def called(manifest: Manifest) -> Iterator[Problem]:
    """A webhook is called for the resources of its rules only."""
    for place, webhook in entries(manifest.value.get("webhooks")):
        for index, rule in entries(webhook.get("rules")):
            for number, why, hint in _mistake(rule):
                path: Path = ("webhooks", place, "rules", index, "resources", number)
                yield Problem("V057", path, f"{why}, so the webhook is called for none", hint)


@references_of("admissionregistration.k8s.io", "ValidatingAdmissionPolicy")
def bound(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Without a binding a policy is asked of nothing (plugin/pkg/admission/policy/validating)."""
    bindings = index.of("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding")
    if index.partial or any(b.spec.get("policyName") == manifest.identity.name for b in bindings):
        return
    message = "no ValidatingAdmissionPolicyBinding of the tree names the policy, so it guards nothing"
    yield Problem("V057", ("metadata", "name"), message, "add a binding with this policyName", "warning")


@references_of("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding")
def binds(manifest: Manifest, index: Index) -> Iterator[Problem]:
    name, group = text(manifest.spec.get("policyName")), "admissionregistration.k8s.io"
    if name and not index.has(group, "ValidatingAdmissionPolicy", "", name):
        known = bool(index.of(group, "ValidatingAdmissionPolicy")) or index.partial
        yield not_in_cluster(
            known, ("spec", "policyName"), f"ValidatingAdmissionPolicy '{name}', so nothing is guarded"
        )
