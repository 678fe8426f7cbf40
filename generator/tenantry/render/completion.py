"""What an overlay adds to every object by Kustomize: its namespace and its labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from tenantry.core.manifest import Path, dig

_PODS: Mapping[str, tuple[Path, ...]] = {
    "Deployment": (("spec", "template"),), "StatefulSet": (("spec", "template"),), "Job": (("spec", "template"),),
    "CronJob": (("spec", "jobTemplate"), ("spec", "jobTemplate", "spec", "template")),
}  # fmt: skip
"""Kinds whose Pods' labels Kustomize completes too, and what has labels in them."""


def completed(value: Mapping[str, Any], labels: Mapping[str, str], namespace: str | None) -> dict[str, Any]:
    """A template's object as its overlay completes it; without a namespace the object's own one stands."""
    metadata = {**value["metadata"], "labels": {**value["metadata"].get("labels", {}), **labels}}
    if namespace and value["kind"] != "Namespace":
        metadata["namespace"] = namespace
    result: dict[str, Any] = {**value, "metadata": metadata}
    for path in _PODS.get(value["kind"], ()):
        result = _labelled(result, path, labels)
    return result


def _labelled(value: Mapping[str, Any], path: Path, labels: Mapping[str, str]) -> dict[str, Any]:
    """A value with labels added to what is at `path` in it."""
    if path:
        key = str(path[0])
        return {**value, key: _labelled(value[key], path[1:], labels)}
    meta = value.get("metadata", {})
    return {**value, "metadata": {**meta, "labels": {**meta.get("labels", {}), **labels}}}


def added(
    value: Mapping[str, Any], labels: Mapping[str, str], namespace: str | None, path: Path
) -> Literal["", "labels", "namespace"]:
    """Which part of the overlay puts the field at `path` into a template's object; empty for what the template wrote."""
    whole = completed(value, labels, namespace)
    if path == ("metadata", "namespace") and namespace and "namespace" in whole["metadata"]:
        return "namespace"
    above = {(*at, "metadata", "labels") for at in ((), *_PODS.get(value["kind"], ()))}
    label = path[:-1] in above and path[-1] in labels
    return "labels" if label or (dig(value, *path) is None and dig(whole, *path) is not None) else ""
