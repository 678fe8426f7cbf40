"""The Pods of a cluster as policies see them: those of our workloads, those that operators make, and the platform's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tenantry.core import addresses
from tenantry.core.addresses import Range
from tenantry.core.manifest import Manifest, Value, dig, entries, mapping, text
from tenantry.prove.cluster_state import State
from tenantry.prove.network.reach import Endpoint
from tenantry.prove.network.selectors import Labels
from tenantry.prove.promises import Home
from tenantry.verify.index import POD_KINDS, pod_specs

NAME_LABEL = "kubernetes.io/metadata.name"
"""The API server sets it on every Namespace, so nobody can pretend (pkg/registry/core/namespace/strategy.go)."""


@dataclass(frozen=True)
class PodClass:
    """Pods of one maker. `role` is what the flows are declared for; empty for Pods that nothing is declared for."""

    role: str
    endpoint: Endpoint
    maker: Manifest | None = None
    home: Home | None = None

    def __str__(self) -> str:
        what = self.maker.identity.name if self.maker else self.role or "a Pod without labels"
        return f"{self.endpoint.namespace}/{what}"


@dataclass(frozen=True, slots=True)
class PlatformPods:
    """Pods of a platform component, which others install: known by namespace and one label."""

    role: str
    namespace: str
    key: str
    value: str


def platform_pods(state: State) -> tuple[PlatformPods, ...]:
    """Platform components that may be a peer (docs/reference of each: their charts' labels)."""
    spaces = state.promises.platform.namespaces
    name = "app.kubernetes.io/name"
    return (
        PlatformPods("traefik", spaces.traefik, name, "traefik"),
        PlatformPods("prometheus", spaces.monitoring, name, "prometheus"),
        PlatformPods("mail-relay", spaces.mail, name, "mail-relay"),
        PlatformPods("cloudnative-pg", spaces.cloudnative_pg, name, "cloudnative-pg"),
        PlatformPods("dns", "kube-system", "k8s-app", "kube-dns"),
    )


def platform_classes(state: State) -> Iterator[PodClass]:
    """The platform's Pods, with the cluster's range as their address."""
    for pods in platform_pods(state):
        space = {NAME_LABEL: pods.namespace}
        yield PodClass(pods.role, Endpoint(pods.namespace, space, {pods.key: pods.value}, {}, _range(state)))


def namespace_labels(state: State) -> dict[str, Labels]:
    """Labels of each namespace that the tree makes, as the API server completes them."""
    return {
        manifest.identity.name: {**{k: str(v) for k, v in manifest.labels.items()}, NAME_LABEL: manifest.identity.name}
        for manifest in state.of("", "Namespace")
    }


def classes(state: State, spaces: Mapping[str, Labels]) -> Iterator[PodClass]:
    """Pods of all workloads of the tree."""
    kinds = (*POD_KINDS, ("postgresql.cnpg.io", "Cluster"), ("postgresql.cnpg.io", "Pooler"))
    for manifest in (m for kind in kinds for m in state.of(*kind)):
        namespace = manifest.identity.namespace
        home = state.homes.get(namespace)
        for made, labels, named, host in pods_of(manifest):
            unused = made == "postgresql" and home is not None and manifest.identity.name != home.servers.serving.name
            role = "unused postgresql" if unused else made
            space = spaces.get(namespace, {NAME_LABEL: namespace})
            endpoint = Endpoint(namespace, space, labels, named, _range(state), host)
            yield PodClass(role, endpoint, manifest, home)


def _range(state: State) -> tuple[Range, ...]:
    return addresses.ranges(state.cluster.networks.pods)


_ROLES = {
    ("apps", "Deployment", "odoo-web"): "web",
    ("apps", "Deployment", "odoo-cron"): "cron",
    ("apps", "Deployment", "odoo-websocket"): "websocket",
    ("batch", "Job", "odoo-migration"): "migration",
    ("batch", "Job", "odoo-backup"): "backup",
    ("batch", "Job", "odoo-move"): "move",
    ("batch", "CronJob", "restore-drill"): "drill",
    ("apps", "StatefulSet", "redis"): "redis",
}
"""By maker, not by label: a label is what a change might take."""
ODOO = frozenset({"web", "cron", "websocket", "migration", "backup", "move"})


def pods_of(manifest: Manifest) -> Iterator[tuple[str, Labels, Labels, bool]]:
    """(role, labels, named ports, on the host's network) of the Pods that an object brings forth."""
    identity = manifest.identity
    for _, labels, spec in pod_specs(manifest):
        role = _ROLES.get((identity.group, identity.kind, identity.name), "")
        yield role, {k: str(v) for k, v in labels.items()}, _named_ports(spec), bool(spec.get("hostNetwork"))
    if manifest.kind == ("postgresql.cnpg.io", "Cluster"):
        yield from _postgresql(manifest)
    if manifest.kind == ("postgresql.cnpg.io", "Pooler"):
        cluster = text(dig(manifest.spec, "cluster", "name"))
        template = mapping(dig(manifest.spec, "template", "metadata"))
        own = {
            "cnpg.io/poolerName": identity.name, "cnpg.io/podRole": "pooler", "cnpg.io/cluster": cluster,
            "app.kubernetes.io/name": "postgresql", "app.kubernetes.io/component": "pooler",
        }  # fmt: skip
        yield (
            "pooler",
            {**mapping(template.get("labels")), **own},
            {"pgbouncer/TCP": "5432", "metrics/TCP": "9127"},
            False,
        )


def _postgresql(manifest: Manifest) -> Iterator[tuple[str, Labels, Labels, bool]]:
    """Instances, and the Jobs that make them (pkg/specs of CloudNativePG 1.30: pods.go, jobs.go)."""
    name = manifest.identity.name
    inherited = mapping(dig(manifest.spec, "inheritedMetadata", "labels"))
    ports = {"postgresql/TCP": "5432", "metrics/TCP": "9187", "status/TCP": "8000"}
    common = {**inherited, "cnpg.io/cluster": name, "app.kubernetes.io/name": "postgresql"}
    for role in ("primary", "replica"):
        yield (
            "postgresql",
            {**common, "cnpg.io/podRole": "instance", "cnpg.io/instanceRole": role, "role": role},
            ports,
            False,
        )
    for job in ("initdb", "join", "full-recovery", "pgbasebackup", "snapshot-recovery", "import"):
        yield "postgresql", {**inherited, "cnpg.io/cluster": name, "cnpg.io/jobRole": job}, {}, False


def _named_ports(spec: Value) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in ("containers", "initContainers"):
        for _, container in entries(spec.get(part)):
            for _, port in entries(container.get("ports")):
                if isinstance(port.get("name"), str) and isinstance(port.get("containerPort"), int):
                    found[f"{port['name']}/{text(port.get('protocol')) or 'TCP'}"] = str(port["containerPort"])
    return found
