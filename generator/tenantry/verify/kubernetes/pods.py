"""What Pods need: Secrets, ConfigMaps and keys in them, ServiceAccounts, volumes, priority and storage classes."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, mapping, text
from tenantry.verify.index import Index, missing, pod_specs
from tenantry.verify.registration import MadePods, makes_accounts, makes_pods, references_of

makes_accounts("", "ServiceAccount")

_SYSTEM_PRIORITIES = ("system-cluster-critical", "system-node-critical")


@references_of("", "Pod", "ReplicationController")
@references_of("apps", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")
@references_of("batch", "CronJob", "Job")
def pods(manifest: Manifest, index: Index) -> Iterator[Problem]:
    namespace = manifest.identity.namespace
    for path, _, spec in pod_specs(manifest):
        yield from _account(index, namespace, spec, path)
        yield from _priority(index, spec, path)
        yield from _volumes(index, manifest, spec, path)
        for number, reference in entries(spec.get("imagePullSecrets")):
            yield from secret(index, namespace, reference, (*path, "imagePullSecrets", number))
        for part in ("initContainers", "containers"):
            for number, container in entries(spec.get(part)):
                yield from _environment(index, namespace, container, (*path, part, number))


@references_of("", "ServiceAccount")
def account(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """The registry credentials that a ServiceAccount gives to its Pods."""
    for number, reference in entries(manifest.value.get("imagePullSecrets")):
        yield from secret(index, manifest.identity.namespace, reference, ("imagePullSecrets", number))


def _account(index: Index, namespace: str, spec: Value, path: Path) -> Iterator[Problem]:
    account = text(spec.get("serviceAccountName"))
    if account not in ("", "default") and not index.has_account(namespace, account):
        yield missing(index, namespace, (*path, "serviceAccountName"), f"ServiceAccount '{account}'")


def _priority(index: Index, spec: Value, path: Path) -> Iterator[Problem]:
    name = text(spec.get("priorityClassName"))
    known = index.of("scheduling.k8s.io", "PriorityClass") or index.partial
    if (
        name
        and name not in _SYSTEM_PRIORITIES
        and known
        and not index.has("scheduling.k8s.io", "PriorityClass", "", name)
    ):
        yield Problem("V060", (*path, "priorityClassName"), f"the cluster has no PriorityClass '{name}'")


def _volumes(index: Index, manifest: Manifest, spec: Value, path: Path) -> Iterator[Problem]:
    namespace = manifest.identity.namespace
    templates = {
        text(mapping(t.get("metadata")).get("name")) for _, t in entries(manifest.spec.get("volumeClaimTemplates"))
    }
    there = {text(volume.get("name")) for _, volume in entries(spec.get("volumes"))} | templates
    for part in ("initContainers", "containers"):
        for number, container in entries(spec.get(part)):
            for mount, content in entries(container.get("volumeMounts")):
                if text(content.get("name")) not in there:
                    where = (*path, part, number, "volumeMounts", mount, "name")
                    yield Problem("V060", where, f"the Pod has no volume '{content.get('name')}'")
    for number, volume in entries(spec.get("volumes")):
        where = (*path, "volumes", number)
        sources = [volume] + [source for _, source in entries(mapping(volume.get("projected")).get("sources"))]
        places: list[Path] = [where] + [(*where, "projected", "sources", i) for i in range(len(sources) - 1)]
        for source, place in zip(sources, places, strict=True):
            if "secret" in source:
                content = mapping(source["secret"])
                named = {**content, "name": content.get("secretName", content.get("name"))}
                yield from secret(index, namespace, named, (*place, "secret"), _item_keys(content))
            if "configMap" in source:
                content = mapping(source["configMap"])
                yield from config_map(index, namespace, content, (*place, "configMap"), _item_keys(content))
        claim = text(mapping(volume.get("persistentVolumeClaim")).get("claimName"))
        if claim and not index.has("", "PersistentVolumeClaim", namespace, claim):
            yield missing(index, namespace, (*where, "persistentVolumeClaim"), f"PersistentVolumeClaim '{claim}'")


def _item_keys(content: Value) -> list[str]:
    return [text(item.get("key")) for _, item in entries(content.get("items"))]


def _environment(index: Index, namespace: str, container: Value, path: Path) -> Iterator[Problem]:
    for number, variable in entries(container.get("env")):
        source = mapping(variable.get("valueFrom"))
        where = (*path, "env", number, "valueFrom")
        if "secretKeyRef" in source:
            reference = mapping(source["secretKeyRef"])
            yield from secret(index, namespace, reference, (*where, "secretKeyRef"), [text(reference.get("key"))])
        if "configMapKeyRef" in source:
            reference = mapping(source["configMapKeyRef"])
            yield from config_map(
                index, namespace, reference, (*where, "configMapKeyRef"), [text(reference.get("key"))]
            )
    for number, source in entries(container.get("envFrom")):
        if "secretRef" in source:
            yield from secret(index, namespace, mapping(source["secretRef"]), (*path, "envFrom", number, "secretRef"))
        if "configMapRef" in source:
            yield from config_map(
                index, namespace, mapping(source["configMapRef"]), (*path, "envFrom", number, "configMapRef")
            )


def secret(
    index: Index, namespace: str, reference: Value, path: Path, keys: list[str] | None = None
) -> Iterator[Problem]:
    """A Secret by name, and the keys that are wanted of it."""
    name = text(reference.get("name"))
    if not name or reference.get("optional"):
        return
    if (namespace, name) not in index.secret_makers:
        if not index.elsewhere_secret(namespace, name):
            yield _missing_secret(index, namespace, name, path)
        return
    there, maker = index.secret_makers[namespace, name]
    index.need(maker)
    for key in keys or ():
        if there is not None and key not in there:
            yield Problem("V061", path, f"the Secret '{name}' has no key '{key}'", f"it has {', '.join(sorted(there))}")


def _missing_secret(index: Index, namespace: str, name: str, path: Path) -> Problem:
    """Where a tree makes some of a namespace's Secrets it makes all; people make those of other trees by hand."""
    hint = "an ExternalSecret, a Certificate or an operator must make it"
    if namespace in index.spaces_with_secrets:
        return missing(index, namespace, path, f"Secret '{name}' in '{namespace}'", hint)
    message = f"no Secret '{name}' is in the tree, so it could not be checked: it makes no Secret in that namespace"
    return Problem("V067", path, message, hint, "warning")


def config_map(
    index: Index, namespace: str, reference: Value, path: Path, keys: list[str] | None = None
) -> Iterator[Problem]:
    """A ConfigMap by name, and the keys that are wanted of it."""
    name = text(reference.get("name"))
    index.used.add(("ConfigMap", namespace, name))
    if not name or reference.get("optional") or name == "kube-root-ca.crt":
        return
    found = index.get("", "ConfigMap", namespace, name)
    if found is None:
        if not index.has("", "ConfigMap", namespace, name):
            yield missing(index, namespace, path, f"ConfigMap '{name}' in '{namespace}'")
        return
    index.need(found)
    there = mapping(found.value.get("data")).keys() | mapping(found.value.get("binaryData")).keys()
    for key in keys or ():
        if key not in there:
            yield Problem(
                "V061", path, f"the ConfigMap '{name}' has no key '{key}'", f"it has {', '.join(sorted(there))}"
            )


@references_of("", "PersistentVolumeClaim")
@references_of("apps", "StatefulSet")
def storage(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Storage classes of claims."""
    wanted: list[tuple[Path, object]] = []
    if manifest.kind == ("", "PersistentVolumeClaim"):
        wanted.append((("spec", "storageClassName"), manifest.spec.get("storageClassName")))
    for number, template in entries(manifest.spec.get("volumeClaimTemplates")):
        path: Path = ("spec", "volumeClaimTemplates", number, "spec", "storageClassName")
        wanted.append((path, mapping(template.get("spec")).get("storageClassName")))
    for path, name in wanted:
        yield from storage_class(index, path, name)


def storage_class(index: Index, path: Path, name: object) -> Iterator[Problem]:
    """A StorageClass of the cluster; where only those of a tree are known, its provider may bring others."""
    known = index.storage_classes | {m.identity.name for m in index.of("storage.k8s.io", "StorageClass")}
    if not known or not isinstance(name, str) or not name or name in known:
        return
    there = f"it has {', '.join(sorted(known))}"
    if index.storage_classes:
        yield Problem("V060", path, f"the cluster has no StorageClass '{name}'", there)
    else:
        message = f"no StorageClass '{name}' is in the tree, so it could not be checked"
        yield Problem("V067", path, message, there, "warning")


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


@makes_pods("", "Pod", "ReplicationController")
@makes_pods("apps", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")
@makes_pods("batch", "CronJob", "Job")
def made_pods(manifest: Manifest) -> Iterator[MadePods]:
    """Pods of a template; those of a StatefulSet by their ordinals."""
    for _, labels, spec in pod_specs(manifest):
        ports: set[str | int] = set()  # both names and numbers
        for part in ("containers", "initContainers"):
            for _, container in entries(spec.get(part)):
                for _, port in entries(container.get("ports")):
                    ports.update(v for v in (port.get("name"), port.get("containerPort")) if isinstance(v, (str, int)))
        for number in _ordinals(manifest):
            yield MadePods(manifest.identity.namespace, {**labels, **number}, frozenset(ports), manifest)
