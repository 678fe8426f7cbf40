"""Pod templates of a home, with what the proofs ask of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from tenantry.core.manifest import Manifest, Path, Value, entries, items, mapping, text
from tenantry.prove.cluster_state import State
from tenantry.prove.promises import Home
from tenantry.verify.index import POD_KINDS, pod_specs


@dataclass(frozen=True)
class Container:
    """One container of a Pod; `path` leads to it. `sidecar` runs beside the main ones though it stands among the first."""

    value: Value
    path: Path
    first: bool

    @property
    def name(self) -> str:
        return text(self.value.get("name"))

    @property
    def sidecar(self) -> bool:
        return self.first and self.value.get("restartPolicy") == "Always"

    @property
    def environment(self) -> dict[str, Value]:
        return {text(entry.get("name")): entry for _, entry in entries(self.value.get("env"))}


SERVE = ["python3", "/etc/odoo-config/serve.py"]
"""Starts Odoo, and ends when a module that is loaded for every database can't be."""


def runs_odoo(container: Container) -> bool:
    """Odoo itself, however it is started; not its migration, nor its gate."""
    command = items(container.value.get("command"))
    return command[:1] == ["odoo"] or command[: len(SERVE)] == SERVE


@dataclass(frozen=True)
class Workload:
    """A Pod template and the object that holds it."""

    home: Home
    manifest: Manifest
    labels: Value
    spec: Value
    path: Path

    @property
    def name(self) -> str:
        return self.manifest.identity.name

    @cached_property
    def containers(self) -> list[Container]:
        """All containers: those that run at first, and the others."""
        found = []
        for part in ("initContainers", "containers", "ephemeralContainers"):
            for number, value in entries(self.spec.get(part)):
                found.append(Container(value, (*self.path, part, number), part == "initContainers"))
        return found

    def container(self, name: str) -> Container | None:
        """The container of that name, init containers included; None if there is none."""
        return next((c for c in self.containers if c.name == name), None)

    @property
    def security(self) -> Value:
        return mapping(self.spec.get("securityContext"))


def workloads(state: State, namespace: str | None = None) -> list[Workload]:
    """Pod templates in a home, or in all; looked for once a cluster."""
    by_namespace: dict[str, list[Workload]] | None = state.memory.get("workloads")
    if by_namespace is None:
        by_namespace = state.memory["workloads"] = defaultdict(list)
        for kind in POD_KINDS:
            for manifest in state.of(*kind):
                home = state.homes.get(manifest.identity.namespace)
                if home is not None:
                    for path, labels, spec in pod_specs(manifest):
                        by_namespace[home.namespace].append(Workload(home, manifest, labels, spec, path))
    if namespace is not None:
        return by_namespace.get(namespace, [])
    return [work for there in by_namespace.values() for work in there]
