"""What there is in one cluster: the objects of its tree, and what operators make of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from tenantry.core.findings import ObjectId, Severity
from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, mapping, text
from tenantry.engine.languages import Readings
from tenantry.verify import registration
from tenantry.verify.registration import Keys, MadePods, Ports

T = TypeVar("T")


Key = tuple[str, str, str, str]
"""(group, kind, namespace, name)."""


def _nowhere(_: ObjectId) -> bool:
    return False


def _key(manifest: Manifest) -> Key:
    identity = manifest.identity
    return identity.group, identity.kind, identity.namespace, identity.name


def _twins(manifests: Sequence[Manifest]) -> dict[Key, list[Manifest]]:
    """Objects that are there more than once."""
    found: dict[Key, list[Manifest]] = defaultdict(list)
    for manifest in manifests:
        found[_key(manifest)].append(manifest)
    return {key: members for key, members in found.items() if len(members) > 1}


def _folder(file: str) -> str:
    return file.rpartition("/")[0]


@dataclass
class Index:
    """Objects to look into, and a way to ask for the names of others in the same cluster."""

    manifests: Sequence[Manifest]
    elsewhere: Callable[[ObjectId], bool] = _nowhere
    storage_classes: frozenset[str] = frozenset()
    partial: bool = False
    """Only a part of the cluster's objects can be looked into, so what selects nothing here may select elsewhere."""
    pinned: bool = False
    """A fleet's: it says which versions and kinds its clusters have, so what is unknown here is unknown there."""
    readings: Readings = field(default_factory=Readings)
    """Schedules and routing rules as the operators' parsers read them; none where they were not asked."""
    asking: Manifest | None = None
    """The object whose references are being judged."""
    asked: dict[ObjectId, dict[int, Manifest]] = field(default_factory=dict)
    """What was asked elsewhere, and the objects (by their id) whose references depend on it."""
    needed: dict[ObjectId, Manifest] = field(default_factory=dict)
    """Objects of the tree that the asking one refers to."""
    used: set[tuple[str, str, str]] = field(default_factory=set)
    """(kind, namespace, name) of ConfigMaps that something refers to."""

    def __post_init__(self) -> None:
        self._by_name = {_key(m): m for m in self.manifests}
        self._twins: dict[Key, list[Manifest]] = {}
        if len(self._by_name) < len(self.manifests):
            self._twins = _twins(self.manifests)
        self._made: dict[object, object] = {}
        self._by_kind: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
        for manifest in self.manifests:
            self._by_kind[manifest.kind].append(manifest)

    def once(self, make: Callable[[Index], T]) -> T:
        """What a function makes of all objects; made when it is first asked for."""
        if make not in self._made:
            self._made[make] = make(self)
        return self._made[make]  # type: ignore[return-value]

    def of(self, group: str, kind: str) -> list[Manifest]:
        return self._by_kind.get((group, kind), [])

    def get(self, group: str, kind: str, namespace: str, name: str) -> Manifest | None:
        """An object by its name; one that names no namespace is applied to any, so it counts for each."""
        key = (group, kind, namespace, name)
        found = self._by_name.get(key)
        if found is None and namespace:
            key = (group, kind, "", name)
            found = self._by_name.get(key)
        return self._nearest(found, self._twins[key]) if key in self._twins else found

    def _nearest(self, found: Manifest | None, twins: list[Manifest]) -> Manifest | None:
        """Of objects that are there twice, the one that lies with the asking one: files of a folder may be alternatives."""
        if self.asking is None:
            return found
        here = self.asking.file
        with_it = [m for m in twins if m.file == here] or [m for m in twins if _folder(m.file) == _folder(here)]
        return with_it[0] if with_it else found

    def has(self, group: str, kind: str, namespace: str, name: str) -> bool:
        found = self.get(group, kind, namespace, name)
        if found is None and not namespace:
            found = next((m for m in self.of(group, kind) if m.identity.name == name), None)
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
        return any(self._ask(ObjectId(*kind, namespace, name)) for kind in registration.NAMED_LIKE_THEIR_SECRET)

    def has_account(self, namespace: str, name: str) -> bool:
        """Whether a ServiceAccount is there, or an object with which a controller makes it."""
        return any(self.has(*kind, namespace, name) for kind in registration.ACCOUNT_MAKERS)

    def makes_namespace(self, namespace: str) -> bool:
        """Whether the tree makes the namespace, and so all that lies in it."""
        return self.has("", "Namespace", "", namespace)

    @cached_property
    def custom(self) -> dict[str, list[Manifest]]:
        """Objects of groups that are not Kubernetes' own, by namespace."""
        found: dict[str, list[Manifest]] = defaultdict(list)
        for kind, manifests in self._by_kind.items():
            if "." in kind[0] and not kind[0].endswith(".k8s.io"):
                for manifest in manifests:
                    found[manifest.identity.namespace].append(manifest)
        return found

    @cached_property
    def installations(self) -> list[Manifest]:
        """Objects by which a controller installs what is not in the tree, or makes a namespace."""
        return [manifest for kind in registration.INSTALLATIONS for manifest in self.of(*kind)]

    @cached_property
    def spaces_with_secrets(self) -> frozenset[str]:
        """Namespaces of which the tree makes a Secret."""
        return frozenset(namespace for namespace, _ in self.secrets)

    @cached_property
    def folders(self) -> dict[str, list[Manifest]]:
        """Objects by the folder of their file."""
        found: dict[str, list[Manifest]] = defaultdict(list)
        for manifest in self.manifests:
            found[_folder(manifest.file)].append(manifest)
        return found

    @cached_property
    def secrets(self) -> dict[tuple[str, str], Keys]:
        """(namespace, name) -> keys, of Secrets in the tree and of those that operators make."""
        return {name: keys for name, (keys, _) in self.secret_makers.items()}

    @cached_property
    def secret_makers(self) -> dict[tuple[str, str], tuple[Keys, Manifest]]:
        """(namespace, name) -> keys and the object of the tree that the Secret comes from.

        Of several, the last one that names the namespace, else the first that may land there.
        """
        found: dict[tuple[str, str], tuple[Keys, Manifest]] = {}
        for (namespace, name), makers in self._all_secret_makers.items():
            settled = [one for one in makers if one[1].identity.namespace == namespace]
            found[namespace, name] = settled[-1] if settled else makers[0]
        return found

    def secret_makers_of(self, namespace: str, name: str) -> list[Manifest]:
        """All objects of the tree that a Secret comes from."""
        return [maker for _, maker in self._all_secret_makers.get((namespace, name), ())]

    @cached_property
    def _all_secret_makers(self) -> dict[tuple[str, str], list[tuple[Keys, Manifest]]]:
        found: dict[tuple[str, str], list[tuple[Keys, Manifest]]] = defaultdict(list)
        for manifest in self.manifests:
            make = registration.SECRET_MAKERS.get(manifest.kind)
            for name, keys in make(manifest) if make else ():
                for namespace in (manifest.identity.namespace, *self._lands_in(manifest)):
                    found[namespace, name].append((keys, manifest))
        return found

    def _lands_in(self, manifest: Manifest) -> Collection[str]:
        """Namespaces that an object may land in which names none."""
        return () if manifest.identity.namespace else self._namespaces

    @cached_property
    def _namespaces(self) -> frozenset[str]:
        return frozenset(m.identity.namespace for m in self.manifests) - {""}

    @cached_property
    def services(self) -> dict[tuple[str, str], Ports | None]:
        """(namespace, name) -> names and numbers of ports."""
        found: dict[tuple[str, str], Ports | None] = {}
        for manifest in self.manifests:
            make = registration.SERVICE_MAKERS.get(manifest.kind)
            for name, ports in make(manifest) if make else ():
                for namespace in self._lands_in(manifest):
                    found.setdefault((namespace, name), ports)
                found[manifest.identity.namespace, name] = ports
        return found

    @cached_property
    def pods(self) -> dict[str, list[MadePods]]:
        """Pods by namespace, those of operators included."""
        found: dict[str, list[MadePods]] = defaultdict(list)
        for manifest in self.manifests:
            make = registration.POD_MAKERS.get(manifest.kind)
            for pods in make(manifest) if make else ():
                found[pods.namespace].append(pods)
        return found


_WORKLOADS = {
    ("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("apps", "ReplicaSet"), ("batch", "Job"),
    ("", "ReplicationController"),
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


def chart_into(manifest: Manifest) -> str:
    """The namespace into which a chart is installed by the object: what is in it is not known here; empty without one."""
    spec = manifest.spec
    if manifest.kind != ("argoproj.io", "Application"):
        return text(spec.get("targetNamespace")) or manifest.identity.namespace
    sources = [mapping(spec.get("source")), *(source for _, source in entries(spec.get("sources")))]
    charts = any(source.get("chart") for source in sources)
    return text(mapping(spec.get("destination")).get("namespace")) if charts else ""


def missing(index: Index, namespace: str, path: Path, what: str, hint: str = "") -> Problem:
    """A reference that leads nowhere: an error when the tree makes the namespace, else what could not be checked."""
    severity: Severity = "warning"
    if index.makes_namespace(namespace):
        if chart := next((m for m in index.installations if chart_into(m) == namespace), None):
            message = f"no {what} is in the tree, so it could not be checked: {chart.identity} may make it"
            return Problem("V067", path, message, hint, severity)
        return Problem("V060", path, f"there is no {what}", hint)
    message = f"no {what} is in the tree, so it could not be checked: the tree does not make the namespace"
    return Problem("V067", path, message, hint, severity)


def not_in_cluster(known: bool, path: Path, what: str) -> Problem:
    """As `missing`, for what has no namespace of the tree: an error when the tree is known to make such objects."""
    if known:
        return Problem("V060", path, f"there is no {what}")
    return Problem("V067", path, f"no {what} is in the tree, so it could not be checked", "", "warning")
