"""Pods: when they restart, and what the change of a ConfigMap does to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tenantry.change.effects.registration import (
    Scene,
    below,
    beside,
    changes_of,
    named,
    some,
)
from tenantry.core.changes import Effect
from tenantry.core.findings import FieldChange, ObjectChange
from tenantry.core.manifest import Manifest, dig, entries, mapping

WORKLOADS = {("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet")}


@changes_of(*WORKLOADS, removed=Effect("availability", "{object} is removed", downtime="for good"))
def workloads(change: ObjectChange, scene: Scene) -> Iterator[Effect]:
    """A changed Pod template replaces every Pod; what that costs depends on the strategy."""
    template, manifest = below(change, "spec.template"), scene.will_be(change)
    if template and manifest is not None:
        yield _replaced(manifest, template)
    others = beside(change, "spec.template")
    if others:
        yield Effect("availability", f"{named(change)}: {some(others)}")


def _replaced(manifest: Manifest, fields: Sequence[FieldChange]) -> Effect:
    each = {(repr(f.before), repr(f.after)): f for f in sorted(fields, key=_weight, reverse=True)}
    name, why = manifest.identity.name, some(sorted(each.values(), key=_weight), 2)
    if manifest.spec.get("replicas") == 0:
        return Effect("cosmetic", f"{name} changes, but no Pod of it runs ({why})")
    how, downtime = _restart(manifest)
    return Effect("availability", f"Pods of {name} restart {how} ({why})", name, downtime)


def _weight(field: FieldChange) -> int:
    """What a reader wants to know first."""
    kinds = ("containers[name=odoo].image", ".resources.", ".args", ".image", ".env")
    return next((number for number, kind in enumerate(kinds) if kind in field.path), len(kinds))


def _restart(manifest: Manifest) -> tuple[str, str]:
    """How the Pods of a workload are replaced, and how long nothing serves meanwhile."""
    if manifest.identity.kind == "StatefulSet":
        several = manifest.spec.get("replicas", 1) != 1
        return ("one after the other", "") if several else ("", "while its only Pod restarts")
    strategy = mapping(manifest.spec.get("strategy"))
    if strategy.get("type") == "Recreate":
        return "all at once", "while the Pods restart"
    if dig(strategy, "rollingUpdate", "maxUnavailable") in (0, "0", "0%"):
        return "one after the other, new ones first", ""
    return "in a rolling update", ""


@changes_of(("batch", "Job"), ("batch", "CronJob"))
def jobs(change: ObjectChange, _scene: Scene) -> Iterator[Effect]:
    """Hooks run at each sync of their application, whatever changed; that a database is migrated is said of the instance."""
    fields = beside(change, "spec.template.metadata")
    if fields:
        yield Effect("cosmetic", f"{named(change)} runs with other settings: {some(fields)}")


@changes_of(("", "ConfigMap"))
def config_maps(change: ObjectChange, scene: Scene) -> Iterator[Effect]:
    """A file that Pods have mounted changes in them after a minute, but a program that has read it goes on as it was."""
    readers = sorted(_readers(change, scene))
    waiting = [name for name, restarts in readers if not restarts]
    if not readers:
        reader = _OUTSIDE.get(change.object.name, "no Pod of the tree mounts it")
        yield Effect("availability", f"{named(change)} changes; {reader}")
    elif waiting:
        message = (
            f"{named(change)} changes; {', '.join(waiting)} is not restarted for it, and reads it at its next start"
        )
        yield Effect("availability", message)
    else:
        yield Effect("availability", f"{named(change)} changes; its readers restart")


_OUTSIDE: Mapping[str, str] = {
    "argocd-cm": "Argo CD reads it at once",
    "argocd-cmd-params-cm": "Argo CD reads it when its Pods start, so restart them",
    "traefik-static": "Traefik reads it when its Pods start, so restart them",
}
"""Who reads a ConfigMap of the platform, whose Pods are in no tree."""


def _readers(change: ObjectChange, scene: Scene) -> Iterator[tuple[str, bool]]:
    """(workload, whether its Pods restart in this change) of those that use a ConfigMap."""
    for manifest in scene.neighbours(change):
        if manifest.kind in WORKLOADS and _uses(manifest, change.object.name):
            other = scene.changed.get((change.cluster, manifest.identity))
            yield manifest.identity.name, other is not None and bool(below(other, "spec.template"))


def _uses(manifest: Manifest, name: str) -> bool:
    pod = mapping(dig(manifest.spec, "template", "spec"))
    volumes = (mapping(volume.get("configMap")).get("name") == name for _, volume in entries(pod.get("volumes")))
    containers = [c for key in ("containers", "initContainers") for _, c in entries(pod.get(key))]
    return any(volumes) or any(_reads(container, name) for container in containers)


def _reads(container: Mapping[str, object], name: str) -> bool:
    whole = (mapping(source.get("configMapRef")).get("name") for _, source in entries(container.get("envFrom")))
    single = (dig(one, "valueFrom", "configMapKeyRef", "name") for _, one in entries(container.get("env")))
    return name in {*whole, *single}
