"""What there is in one cluster: the objects of its tree, and what operators make of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tenantry.core.findings import ObjectId, Severity
from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, items, mapping, text

Keys = frozenset[str] | None
"""Keys of a Secret or ConfigMap; None when they can't be known."""


@dataclass(frozen=True, slots=True)
class MadePods:
    """Pods that an object brings forth: their labels, and their ports' names and numbers."""

    namespace: str
    labels: Value
    ports: frozenset[str | int]
    maker: Manifest


def _nowhere(_: ObjectId) -> bool:
    return False


@dataclass
class Index:
    """Objects to look into, and a way to ask for the names of others in the same cluster."""

    manifests: Sequence[Manifest]
    elsewhere: Callable[[ObjectId], bool] = _nowhere
    storage_classes: frozenset[str] = frozenset()
    partial: bool = False
    """Only a part of the cluster's objects can be looked into, so what selects nothing here may select elsewhere."""
    asking: Manifest | None = None
    """The object whose references are being judged."""
    asked: dict[ObjectId, dict[int, Manifest]] = field(default_factory=dict)
    """What was asked elsewhere, and the objects (by their id) whose references depend on it."""
    needed: dict[ObjectId, Manifest] = field(default_factory=dict)
    """Objects of the tree that the asking one refers to."""
    used: set[tuple[str, str, str]] = field(default_factory=set)
    """(kind, namespace, name) of ConfigMaps that something refers to."""

    def __post_init__(self) -> None:
        self._by_name = {
            (m.identity.group, m.identity.kind, m.identity.namespace, m.identity.name): m for m in self.manifests
        }
        self._by_kind: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
        for manifest in self.manifests:
            self._by_kind[manifest.kind].append(manifest)

    def of(self, group: str, kind: str) -> list[Manifest]:
        return self._by_kind.get((group, kind), [])

    def get(self, group: str, kind: str, namespace: str, name: str) -> Manifest | None:
        return self._by_name.get((group, kind, namespace, name))

    def has(self, group: str, kind: str, namespace: str, name: str) -> bool:
        found = self._by_name.get((group, kind, namespace, name))
        if found is None:
            return self._ask(ObjectId(group, kind, namespace, name))
        self.need(found)
        return True

    def need(self, manifest: Manifest) -> None:
        """Note that the asking object can't do without another."""
        if self.asking is not None and manifest is not self.asking:
            self.needed[manifest.identity] = manifest

    def _ask(self, identity: ObjectId) -> bool:
        """Ask elsewhere; who makes a namespace makes all that lies in it, so then there is nothing to ask."""
        if ("", "Namespace", "", identity.namespace) in self._by_name:
            return False
        if self.asking is not None:
            self.asked.setdefault(identity, {})[id(self.asking)] = self.asking
        return self.elsewhere(identity)

    def elsewhere_secret(self, namespace: str, name: str) -> bool:
        """Whether an object that can't be looked into makes the Secret, by its name."""
        makers = (("", "Secret"), ("external-secrets.io", "ExternalSecret"), ("cert-manager.io", "Certificate"))
        return any(self._ask(ObjectId(group, kind, namespace, name)) for group, kind in makers)

    def makes_namespace(self, namespace: str) -> bool:
        """Whether the tree makes the namespace, and so all that lies in it."""
        return self.has("", "Namespace", "", namespace)

    @cached_property
    def spaces_with_secrets(self) -> frozenset[str]:
        """Namespaces of which the tree makes a Secret."""
        return frozenset(namespace for namespace, _ in self.secrets)

    @cached_property
    def folders(self) -> dict[str, list[Manifest]]:
        """Objects by the folder of their file."""
        found: dict[str, list[Manifest]] = defaultdict(list)
        for manifest in self.manifests:
            found[manifest.file.rpartition("/")[0]].append(manifest)
        return found

    @cached_property
    def secrets(self) -> dict[tuple[str, str], Keys]:
        """(namespace, name) -> keys, of Secrets in the tree and of those that operators make."""
        return {name: keys for name, (keys, _) in self.secret_makers.items()}

    @cached_property
    def secret_makers(self) -> dict[tuple[str, str], tuple[Keys, Manifest]]:
        """(namespace, name) -> keys and the object of the tree that the Secret comes from."""
        found: dict[tuple[str, str], tuple[Keys, Manifest]] = {}
        for manifest in self.manifests:
            for name, keys in _secrets_of(manifest):
                found[manifest.identity.namespace, name] = keys, manifest
        return found

    @cached_property
    def services(self) -> dict[tuple[str, str], frozenset[str | int] | None]:
        """(namespace, name) -> names and numbers of ports."""
        found: dict[tuple[str, str], frozenset[str | int] | None] = {}
        for manifest in self.of("", "Service"):
            ports = [port for _, port in entries(manifest.spec.get("ports"))]
            taken = frozenset(
                v for port in ports for v in (port.get("name"), port.get("port")) if isinstance(v, (str, int))
            )
            external = manifest.spec.get("type") == "ExternalName"
            found[manifest.identity.namespace, manifest.identity.name] = None if external else taken
        for manifest in self.of("postgresql.cnpg.io", "Cluster"):
            for ending in ("rw", "ro", "r"):
                found[manifest.identity.namespace, f"{manifest.identity.name}-{ending}"] = frozenset({5432, "postgres"})
        for manifest in self.of("postgresql.cnpg.io", "Pooler"):
            found[manifest.identity.namespace, manifest.identity.name] = frozenset({5432, "pgbouncer"})
        return found

    @cached_property
    def pods(self) -> dict[str, list[MadePods]]:
        """Pods by namespace, those of operators included."""
        found: dict[str, list[MadePods]] = defaultdict(list)
        for manifest in self.manifests:
            for pods in _pods_of(manifest):
                found[pods.namespace].append(pods)
        return found


_WORKLOADS = {
    ("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("apps", "ReplicaSet"), ("batch", "Job"),
}  # fmt: skip


POD_KINDS = (*sorted(_WORKLOADS), ("batch", "CronJob"), ("", "Pod"))
"""Kinds that hold a Pod template."""


def pod_specs(manifest: Manifest) -> Iterator[tuple[Path, Value, Value]]:
    """(path, labels, specification) of the Pod template in an object."""
    path: Path
    if manifest.kind in _WORKLOADS:
        path, template = ("spec", "template"), mapping(manifest.spec.get("template"))
    elif manifest.kind == ("batch", "CronJob"):
        path = ("spec", "jobTemplate", "spec", "template")
        template = mapping(mapping(mapping(manifest.spec.get("jobTemplate")).get("spec")).get("template"))
    elif manifest.kind == ("", "Pod"):
        path, template = (), manifest.value
    else:
        return
    yield (*path, "spec"), mapping(mapping(template.get("metadata")).get("labels")), mapping(template.get("spec"))


def _pods_of(manifest: Manifest) -> Iterator[MadePods]:
    namespace, name = manifest.identity.namespace, manifest.identity.name
    for _, labels, spec in pod_specs(manifest):
        ports: set[str | int] = set()  # both names and numbers
        for part in ("containers", "initContainers"):
            for _, container in entries(spec.get(part)):
                for _, port in entries(container.get("ports")):
                    ports.update(v for v in (port.get("name"), port.get("containerPort")) if isinstance(v, (str, int)))
        for number in _ordinals(manifest):
            yield MadePods(namespace, {**labels, **number}, frozenset(ports), manifest)
    if manifest.kind == ("postgresql.cnpg.io", "Cluster"):
        inherited = mapping(mapping(manifest.spec.get("inheritedMetadata")).get("labels"))
        database: frozenset[str | int] = frozenset({"postgresql", "metrics", "status", 5432, 9187, 8000})
        own = {"cnpg.io/cluster": name, "cnpg.io/podRole": "instance", "app.kubernetes.io/name": "postgresql"}
        for role in ("primary", "replica"):
            labels = {**inherited, **own, "cnpg.io/instanceRole": role, "role": role}
            yield MadePods(namespace, labels, database, manifest)
        for job in ("initdb", "join", "full-recovery", "pgbasebackup", "snapshot-recovery", "import"):
            yield MadePods(
                namespace, {**inherited, "cnpg.io/cluster": name, "cnpg.io/jobRole": job}, frozenset(), manifest
            )
    if manifest.kind == ("postgresql.cnpg.io", "Pooler"):
        template = mapping(mapping(manifest.spec.get("template")).get("metadata"))
        cluster = text(mapping(manifest.spec.get("cluster")).get("name"))
        labels = {
            **mapping(template.get("labels")), "cnpg.io/poolerName": name, "cnpg.io/podRole": "pooler",
            "cnpg.io/cluster": cluster,
        }  # fmt: skip
        yield MadePods(namespace, labels, frozenset({"pgbouncer", "metrics", 5432, 9127}), manifest)


def _ordinals(manifest: Manifest) -> list[dict[str, str]]:
    """Labels by which the Pods of a StatefulSet differ; one empty set for other kinds."""
    if manifest.kind != ("apps", "StatefulSet"):
        return [{}]
    replicas = manifest.spec.get("replicas", 1)
    first = mapping(manifest.spec.get("ordinals")).get("start", 0)
    if not isinstance(replicas, int) or not isinstance(first, int):
        return [{}]
    return [
        {"apps.kubernetes.io/pod-index": str(n), "statefulset.kubernetes.io/pod-name": f"{manifest.identity.name}-{n}"}
        for n in range(first, first + min(max(replicas, 1), _MAX_ORDINALS))
    ]


_MAX_ORDINALS = 20
"""Pods of a StatefulSet that are told apart; a selector for a later one is not looked into."""


def _secrets_of(manifest: Manifest) -> Iterator[tuple[str, Keys]]:
    name, spec = manifest.identity.name, manifest.spec
    match manifest.kind:
        case ("", "Secret"):
            keys = mapping(manifest.value.get("data")).keys() | mapping(manifest.value.get("stringData")).keys()
            yield name, frozenset(keys)
        case ("external-secrets.io", "ExternalSecret"):
            yield text(mapping(spec.get("target")).get("name")) or name, _external_keys(spec)
        case ("cert-manager.io", "Certificate"):
            yield text(spec.get("secretName")), _certificate_keys(spec)
        case ("cert-manager.io", "Issuer" | "ClusterIssuer"):
            yield text(mapping(mapping(spec.get("acme")).get("privateKeySecretRef")).get("name")), None
        case ("bitnami.com", "SealedSecret"):
            yield name, None
        case ("postgresql.cnpg.io", "Cluster"):
            for ending in ("ca", "server", "replication", "app", "superuser"):
                yield f"{name}-{ending}", None
        case ("postgresql.cnpg.io", "DatabaseRole"):
            if mapping(spec.get("clientCertificate")).get("enabled"):
                yield f"{name}-client-cert", None


def _external_keys(spec: Value) -> Keys:
    template = mapping(mapping(spec.get("target")).get("template"))
    fetched = frozenset(text(entry.get("secretKey")) for _, entry in entries(spec.get("data")))
    if template.get("templateFrom"):
        return None
    if template.get("data"):
        made = frozenset(mapping(template["data"]))
        return made | fetched if template.get("mergePolicy") == "Merge" else made
    return None if items(spec.get("dataFrom")) else fetched


def _certificate_keys(spec: Value) -> Keys:
    keys = {"tls.crt", "tls.key", "ca.crt"}
    for _, output in entries(spec.get("additionalOutputFormats")):
        keys.add({"CombinedPEM": "tls-combined.pem", "DER": "key.der"}.get(text(output.get("type")), ""))
    for store, names in (("jks", ("keystore.jks", "truststore.jks")), ("pkcs12", ("keystore.p12", "truststore.p12"))):
        if mapping(mapping(spec.get("keystores")).get(store)).get("create"):
            keys.update(names)
    return frozenset(keys)


def missing(index: Index, namespace: str, path: Path, what: str, hint: str = "") -> Problem:
    """A reference that leads nowhere: an error when the tree makes the namespace, else what could not be checked."""
    if index.makes_namespace(namespace):
        return Problem("V060", path, f"there is no {what}", hint)
    severity: Severity = "warning"
    message = f"no {what} is in the tree, so it could not be checked: the tree does not make the namespace"
    return Problem("V067", path, message, hint, severity)


def not_in_cluster(known: bool, path: Path, what: str) -> Problem:
    """As `missing`, for what has no namespace of the tree: an error when the tree is known to make such objects."""
    if known:
        return Problem("V060", path, f"there is no {what}")
    return Problem("V067", path, f"no {what} is in the tree, so it could not be checked", "", "warning")


Check = Callable[[Manifest, Index], Iterator[Problem]]
