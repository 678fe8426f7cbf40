"""What Kyverno's reports controller may read, by the values of its chart."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Path, dig, entries, items, text
from tenantry.model.policy import read_by_reports
from tenantry.prove.charts.applications import managed
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.registration import proof

_EXTRA: Path = ("spec", "source", "helm", "valuesObject", "reportsController", "rbac", "clusterRole", "extraResources")


@proof("SUP-07")
def reports(state: State) -> Iterator[Breach]:
    """SUP-07: Kyverno may read every kind that a policy names, or the policy is never ready, and no sync goes on."""
    policies = state.of("policies.kyverno.io", "ValidatingPolicy")
    wanted = {(g, r) for g, names in read_by_reports(policy.spec for policy in policies).items() for r in names}
    for name, part in managed(state).items():
        manifest = state.get("argoproj.io", "Application", state.promises.platform.namespaces.argocd, name)
        if part.component.field != "kyverno" or manifest is None:
            continue
        granted = {
            (text(group), text(resource))
            for _, rule in entries(dig(manifest.value, *_EXTRA))
            for group in items(rule.get("apiGroups"))
            for resource in items(rule.get("resources"))
        }
        for group, resource in sorted(wanted - granted)[:1]:
            message = f"Kyverno may not read {resource}.{group}, so a policy that names them is never ready"
            yield breach(manifest, "SUP-07", _EXTRA, message, "run 'tenantry render'", tenant="")
