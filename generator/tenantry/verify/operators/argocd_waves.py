"""Argo CD's order: what a hook needs must be there before it runs."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, mapping, text, whole_number
from tenantry.verify.index import Index, pod_specs
from tenantry.verify.operators.argocd import project_of
from tenantry.verify.registration import references_of, references_of_all

_HOOK = "argocd.argoproj.io/hook"
_WAVE = "argocd.argoproj.io/sync-wave"


@references_of("batch", "Job")
def hook(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A PreSync Job runs before anything of its own Application is there, other PreSync hooks of earlier waves apart."""
    if manifest.annotations.get(_HOOK) != "PreSync":
        return
    folder = manifest.file.rpartition("/")[0]
    namespace = manifest.identity.namespace
    for path, _, spec in pod_specs(manifest):
        wanted: list[tuple[Path, str, str]] = [
            (("volumes", number, "configMap"), "ConfigMap", text(mapping(volume.get("configMap")).get("name")))
            for number, volume in entries(spec.get("volumes"))
        ]
        wanted += [
            (("volumes", number, "secret"), "Secret", text(mapping(volume.get("secret")).get("secretName")))
            for number, volume in entries(spec.get("volumes"))
        ]
        wanted += [
            (
                ("volumes", number, "persistentVolumeClaim"),
                "PersistentVolumeClaim",
                text(mapping(volume.get("persistentVolumeClaim")).get("claimName")),
            )
            for number, volume in entries(spec.get("volumes"))
        ]
        wanted += _environment(spec)
        wanted.append((("serviceAccountName",), "ServiceAccount", text(spec.get("serviceAccountName"))))
        for end, kind, name in wanted:
            needed = _maker(index, kind, namespace, name)
            if needed is None or needed.file.rpartition("/")[0] != folder or _earlier(needed, manifest):
                continue
            message = f"the hook runs before the {kind} '{name}' of the same Application is there"
            yield Problem(
                "V065",
                (*path, *end),
                message,
                "make it a PreSync hook of an earlier wave, or part of another Application",
            )


def _environment(spec: Value) -> Iterator[tuple[Path, str, str]]:
    """ConfigMaps and Secrets that containers take variables from: (path, kind, name)."""
    for part in ("initContainers", "containers"):
        for number, container in entries(spec.get(part)):
            for place, source in entries(container.get("envFrom")):
                for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                    yield from _wanted(source, (part, number, "envFrom", place, field), kind)
            for place, variable in entries(container.get("env")):
                source = mapping(variable.get("valueFrom"))
                for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                    yield from _wanted(source, (part, number, "env", place, "valueFrom", field), kind)


def _wanted(source: Value, path: Path, kind: str) -> Iterator[tuple[Path, str, str]]:
    reference = mapping(source.get(str(path[-1])))
    if not reference.get("optional"):
        yield path, kind, text(reference.get("name"))


def _maker(index: Index, kind: str, namespace: str, name: str) -> Manifest | None:
    """The object of the tree that something comes from; an operator makes a Secret of another."""
    if kind == "Secret":
        return index.secret_makers.get((namespace, name), (None, None))[1]
    return index.get("", kind, namespace, name) if name else None


@references_of("argoproj.io", "Application")
def project(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """An Application that comes with or before its AppProject ends as "project does not exist", until it is refreshed.

    Seen on Argo CD 3.6. Asked only of Applications that are ordered by waves: others may be applied in another way.
    """
    name = text(manifest.spec.get("project"))
    needed = project_of(index, manifest)
    if needed is not None and _WAVE in manifest.annotations and _wave(needed) >= _wave(manifest):
        message = f"the Application comes in wave {_wave(manifest)}, its AppProject '{name}' not before it"
        yield Problem("V065", ("metadata", "annotations", _WAVE), message, "give the AppProject an earlier sync-wave")


@references_of_all
def order(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Argo CD applies a wave when all of the one before is healthy: what an object needs must not come in a later one.

    Asked of what the references of the object led to, in the same Application and phase; hooks are judged by `hook`.
    """
    own, folder = _wave(manifest), manifest.file.rpartition("/")[0]
    for needed in index.needed.values():
        apart = needed.file.rpartition("/")[0] != folder or {_HOOK} & (manifest.annotations.keys() | needed.annotations)
        if apart or _wave(needed) <= own:
            continue
        message = f"needs {needed.identity.kind} '{needed.identity.name}', which comes later: wave {_wave(needed)} after {own}"
        hint = f"give the {needed.identity.kind} a sync-wave of {own} or less"
        yield Problem("V065", ("metadata", "annotations", _WAVE), message, hint)


def _earlier(needed: Manifest, hooked: Manifest) -> bool:
    return needed.annotations.get(_HOOK) == "PreSync" and _wave(needed) < _wave(hooked)


def _wave(manifest: Manifest) -> int:
    return whole_number(str(manifest.annotations.get(_WAVE, "0"))) or 0
