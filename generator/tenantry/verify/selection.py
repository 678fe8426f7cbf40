"""Selectors against the Pods of a cluster, those of operators included."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value, dig, mapping
from tenantry.verify import origins
from tenantry.verify.index import Index
from tenantry.verify.kubernetes.workloads import selects
from tenantry.verify.registration import MadePods


def selected(index: Index, namespace: str, selector: Value) -> list[MadePods]:
    return [pods for pods in index.pods.get(namespace, []) if selects(selector, pods.labels)]


def nothing(manifest: Manifest, index: Index, path: Path, what: str) -> Iterator[Problem]:
    namespace = manifest.identity.namespace
    if not index.pods.get(namespace) or not index.makes_namespace(namespace):
        return  # a namespace that waits for its Pods is no fault
    if _loose(manifest, index, path):
        message = "Pods of the tree that name no namespace have these labels, so it could not be checked where they are"
        yield Problem("V067", path, message, "write metadata.namespace", "warning")
    elif maker := origins.maker_of_pods(index, namespace) or _solver(manifest, path):
        message = f"the selector takes no Pod of the tree, so it could not be checked: {maker} may make some"
        yield Problem("V067", path, message, severity="warning")
    else:
        yield Problem("V063", path, f"the selector takes no Pod, so {what}", "see the labels of the Pod templates")


def _loose(manifest: Manifest, index: Index, path: Path) -> bool:
    """Pods whose template names no namespace are applied to any."""
    selector = mapping(dig(manifest.value, *path))
    wanted = {"matchLabels": selector} if manifest.kind == ("", "Service") else selector
    return bool(selected(index, "", wanted))


def _solver(manifest: Manifest, path: Path) -> str:
    """cert-manager makes Pods that answer for a host, for as long as a certificate is issued."""
    selector = mapping(dig(manifest.value, *path))
    labels = selector.get("matchLabels", selector)
    return "cert-manager" if any(str(key).startswith("acme.cert-manager.io/") for key in mapping(labels)) else ""
