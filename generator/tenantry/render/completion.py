"""What an overlay adds to every object by Kustomize: its namespace and its labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from tenantry.core.manifest import Path, dig

_WITH_PODS = ("Deployment", "StatefulSet", "Job")
"""Kinds whose Pods' labels Kustomize completes too."""


def completed(value: Mapping[str, Any], labels: Mapping[str, str], namespace: str | None) -> dict[str, Any]:
    """A template's object as its overlay completes it; without a namespace the object's own one stands."""
    metadata = {**value["metadata"], "labels": {**value["metadata"].get("labels", {}), **labels}}
    if namespace and value["kind"] != "Namespace":
        metadata["namespace"] = namespace
    result = {**value, "metadata": metadata}
    template = dig(value, "spec", "template")
    if value["kind"] in _WITH_PODS:
        meta = template.get("metadata", {})
        meta = {**meta, "labels": {**meta.get("labels", {}), **labels}}
        result["spec"] = {**value["spec"], "template": {**template, "metadata": meta}}
    return result


def added(
    value: Mapping[str, Any], labels: Mapping[str, str], namespace: str | None, path: Path
) -> Literal["", "labels", "namespace"]:
    """Which part of the overlay puts the field at `path` into a template's object; empty for what the template wrote."""
    whole = completed(value, labels, namespace)
    if path == ("metadata", "namespace") and namespace and "namespace" in whole["metadata"]:
        return "namespace"
    above = ("metadata", "labels"), ("spec", "template", "metadata", "labels")
    label = path[:-1] in above and path[-1] in labels and (len(path) == 3 or value["kind"] in _WITH_PODS)
    return "labels" if label or (dig(value, *path) is None and dig(whole, *path) is not None) else ""
