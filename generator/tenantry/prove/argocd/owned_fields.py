"""SUP-06, fields that somebody else sets: an Application that names them is OutOfSync for ever, and self-heal sets them back.

An autoscaler sets the replicas of a Deployment; the API server and webhooks fill in what a manifest leaves out, which
Argo CD sees as a difference unless the API server itself compares (docs/user-guide/diff-strategies.md, v3.6).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tenantry.core.manifest import Path, dig, entries, items, mapping, text
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.registration import proof

_AUTOSCALERS = (("autoscaling", "HorizontalPodAutoscaler"), ("keda.sh", "ScaledObject"))
_COMPARE = "argocd.argoproj.io/compare-options"


@proof("SUP-06")
def counts(state: State) -> Iterator[Breach]:
    """SUP-06: what an autoscaler scales names no replicas."""
    for group, kind in _AUTOSCALERS:
        for scaler in state.of(group, kind):
            target = mapping(scaler.spec.get("scaleTargetRef"))
            scaled = state.get(
                "apps", text(target.get("kind")) or "Deployment", scaler.identity.namespace, text(target.get("name"))
            )
            if scaled is not None and scaled.spec.get("replicas") is not None:
                message = f"names {scaled.spec['replicas']} replicas, which the {kind} '{scaler.identity.name}' sets: Argo CD would set them back for ever"
                yield breach(scaled, "SUP-06", ("spec", "replicas"), message, "leave replicas out")


@proof("SUP-06")
def comparison(state: State) -> Iterator[Breach]:
    """SUP-06: what others fill in does not count as a difference, and what somebody changes does."""
    for application in state.of("argoproj.io", "Application", state.promises.platform.namespaces.argocd):
        options = text(application.annotations.get(_COMPARE)).split(",")
        applied = items(dig(application.spec, "syncPolicy", "syncOptions"))
        places: Mapping[str, tuple[bool, Path]] = {
            "ServerSideDiff=true": ("ServerSideDiff=true" in options, ("metadata", "annotations", _COMPARE)),
            "ServerSideApply=true": ("ServerSideApply=true" in applied, ("spec", "syncPolicy", "syncOptions")),
        }
        for option, (there, path) in places.items():
            if not there:
                message = (
                    f"lacks {option}: fields that the API server or a webhook fills in would be differences for ever"
                )
                yield breach(application, "SUP-06", path, message, f"add {option}")
        for number, rule in entries(application.spec.get("ignoreDifferences")):
            message = f"ignores differences of {text(rule.get('kind')) or 'every kind'}, and nothing in the trees is set by others"
            hint = "leave the field out of the template that sets it"
            yield breach(application, "SUP-06", ("spec", "ignoreDifferences", number), message, hint)
