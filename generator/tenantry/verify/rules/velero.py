"""What Velero's controllers mark FailedValidation: pkg/controller/{schedule,backup}_controller.go, v1.18.3."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Problem, items, mapping
from tenantry.verify import values


def schedule(manifest: Manifest) -> Iterator[Problem]:
    template = mapping(manifest.spec.get("template"))
    path = ("spec", "template")
    ttl = template.get("ttl")
    if ttl is not None and values.duration(ttl) is None:
        yield Problem("V049", (*path, "ttl"), f"'{ttl}' is no duration", "write it like 720h0m0s")
    if template.get("labelSelector") and template.get("orLabelSelectors"):
        yield Problem("V049", (*path, "orLabelSelectors"), "excludes labelSelector")
    included, excluded = items(template.get("includedNamespaces")), items(template.get("excludedNamespaces"))
    for name in sorted({str(n) for n in included if n in excluded}):
        yield Problem("V049", (*path, "excludedNamespaces"), f"'{name}' is included and excluded")
    old = [
        k for k in ("includedResources", "excludedResources", "includeClusterResources") if template.get(k) is not None
    ]
    new = [
        k
        for k in template
        if k.startswith(
            ("includedClusterScoped", "excludedClusterScoped", "includedNamespaceScoped", "excludedNamespaceScoped")
        )
    ]
    if old and new:
        yield Problem("V049", (*path, new[0]), f"does not go with {old[0]}")
    if manifest.annotations.get("schedule") is None and not manifest.spec.get("schedule"):
        yield Problem("V049", ("spec", "schedule"), "a schedule is needed")
