"""Argo CD's order: what a hook needs must be there before it runs."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, entries, mapping, text, whole_number
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
        wanted.append((("serviceAccountName",), "ServiceAccount", text(spec.get("serviceAccountName"))))
        for end, kind, name in wanted:
            needed = index.get("", kind, namespace, name) if name else None
            if needed is None or needed.file.rpartition("/")[0] != folder or _earlier(needed, manifest):
                continue
            message = f"the hook runs before the {kind} '{name}' of the same Application is there"
            yield Problem(
                "V065",
                (*path, *end),
                message,
                "make it a PreSync hook of an earlier wave, or part of another Application",
            )


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
