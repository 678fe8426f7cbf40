"""Selectors against the Pods of a cluster, those of operators included."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value
from tenantry.verify.index import Index
from tenantry.verify.kubernetes.workloads import selects
from tenantry.verify.registration import MadePods


def selected(index: Index, namespace: str, selector: Value) -> list[MadePods]:
    return [pods for pods in index.pods.get(namespace, []) if selects(selector, pods.labels)]


def nothing(manifest: Manifest, index: Index, path: Path, what: str) -> Iterator[Problem]:
    namespace = manifest.identity.namespace
    if index.pods.get(namespace) and index.makes_namespace(
        namespace
    ):  # a namespace that waits for its Pods is no fault
        yield Problem("V063", path, f"the selector takes no Pod, so {what}", "see the labels of the Pod templates")
