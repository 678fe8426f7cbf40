"""Where Velero's backups go and what is restored of them (pkg/controller/{backup,restore}_controller.go, v1.18.3)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, items, mapping, text
from tenantry.verify.index import Index, pod_specs
from tenantry.verify.registration import references_of, rule_for, rule_for_all

_GROUP = "velero.io"
_NEVER_RESTORED = (
    "backuprepositories.velero.io",
    "backups.velero.io",
    "csinodes.storage.k8s.io",
    "events",
    "events.events.k8s.io",
    "nodes",
    "resticrepositories.velero.io",
    "restores.velero.io",
    "volumeattachments.storage.k8s.io",
)
_PREFIX = "backup.velero.io/backup-volumes"


@references_of(_GROUP, "Backup", "Schedule")
def takes_backups(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """The storage location: one that is writable, or a default."""
    scheduled = manifest.identity.kind == "Schedule"
    spec = mapping(manifest.spec.get("template")) if scheduled else manifest.spec
    where: Path = ("spec", "template") if scheduled else ("spec",)
    here = [m for m in index.of(_GROUP, "BackupStorageLocation") if m.identity.namespace == manifest.identity.namespace]
    if not here or index.partial:
        return
    name = text(spec.get("storageLocation"))
    default = next((m for m in here if m.spec.get("default") is True or m.identity.name == "default"), None)
    location = next((m for m in here if m.identity.name == name), None) if name else default
    if not name and default is None:
        message = "no storageLocation is named, and no BackupStorageLocation is the default one, so every backup fails"
        yield Problem("V056", where, message, "set default: true on one of them", "warning")
    elif location is not None and location.spec.get("accessMode") == "ReadOnly":
        message = f"the BackupStorageLocation '{location.identity.name}' is read-only, so every backup fails"
        yield Problem("V056", (*where, "storageLocation") if name else where, message, "write to another one")


@references_of(_GROUP, "Backup", "Schedule")
def snapshots(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """The locations of volume snapshots."""
    scheduled = manifest.identity.kind == "Schedule"
    spec = mapping(manifest.spec.get("template")) if scheduled else manifest.spec
    where: Path = ("spec", "template") if scheduled else ("spec",)
    known = index.of(_GROUP, "VolumeSnapshotLocation")
    for number, name in enumerate(items(spec.get("volumeSnapshotLocations"))):
        if known and not index.has(_GROUP, "VolumeSnapshotLocation", manifest.identity.namespace, str(name)):
            path = (*where, "volumeSnapshotLocations", number)
            yield Problem(
                "V060", path, f"there is no VolumeSnapshotLocation '{name}' in '{manifest.identity.namespace}'"
            )


@rule_for(_GROUP, "Restore")
def restore(manifest: Manifest) -> Iterator[Problem]:
    spec = manifest.spec
    if bool(spec.get("backupName")) == bool(spec.get("scheduleName")):
        yield Problem(
            "V049",
            ("spec",),
            "a Restore is of either a backup or a schedule",
            "give one of backupName and scheduleName",
        )
    if spec.get("labelSelector") and spec.get("orLabelSelectors"):
        yield Problem("V049", ("spec", "orLabelSelectors"), "excludes labelSelector")
    for part in ("Namespaces", "Resources"):
        included, excluded = items(spec.get(f"included{part}")), items(spec.get(f"excluded{part}"))
        for name in sorted({str(n) for n in included if n in excluded}):
            yield Problem("V049", ("spec", f"excluded{part}"), f"'{name}' is included and excluded")
    for number, name in enumerate(items(spec.get("includedResources"))):
        if name in _NEVER_RESTORED:
            yield Problem("V049", ("spec", "includedResources", number), f"'{name}' is never restored")
    policy = spec.get("existingResourcePolicy")
    if policy not in (None, "", "none", "update"):
        yield Problem("V049", ("spec", "existingResourcePolicy"), f"'{policy}' is neither none nor update")


@references_of(_GROUP, "Restore")
def restored(manifest: Manifest, index: Index) -> Iterator[Problem]:
    name = text(manifest.spec.get("scheduleName"))
    if name and index.of(_GROUP, "Schedule") and not index.has(_GROUP, "Schedule", manifest.identity.namespace, name):
        yield Problem(
            "V060", ("spec", "scheduleName"), f"there is no Schedule '{name}' in '{manifest.identity.namespace}'"
        )


@rule_for_all
def annotated(manifest: Manifest) -> Iterator[Problem]:
    """Volumes that an annotation of the Pod wants saved, and commands that run before: a wrong word is passed over."""
    for path, given, spec in _templates(manifest):
        volumes = {text(volume.get("name")) for _, volume in entries(spec.get("volumes"))}
        volumes |= {
            text(mapping(t.get("metadata")).get("name")) for _, t in entries(manifest.spec.get("volumeClaimTemplates"))
        }
        for key in (_PREFIX, f"{_PREFIX}-excludes"):
            for name in filter(None, (part.strip() for part in text(given.get(key)).split(","))):
                if name not in volumes:
                    there = f"it has {', '.join(sorted(volumes))}" if volumes else "it has none"
                    yield Problem("V056", (*path, key), f"the Pod has no volume '{name}', so it is not saved", there)
        for phase in ("pre", "post"):
            key = f"{phase}.hook.backup.velero.io/command"
            if (command := text(given.get(key))).startswith("[") and not _is_list(command):
                message = "the command is no JSON list, so Velero runs it as one word"
                yield Problem("V056", (*path, key), message, 'write it like ["/bin/sh", "-c", "..."]')


_LONGEST = 4096
"""Characters of a command that are looked at; longer ones are nobody's."""


def _is_list(command: str) -> bool:
    try:
        found = json.loads(command[:_LONGEST])
    except (ValueError, RecursionError):
        return False
    return isinstance(found, list) and all(isinstance(word, str) for word in found)


def _templates(manifest: Manifest) -> Iterator[tuple[Path, Value, Value]]:
    """(path of the annotations, annotations, specification) of Pod templates."""
    for path, _, spec in pod_specs(manifest):
        value: object = manifest.value
        for step in path[:-1]:
            value = mapping(value).get(str(step))
        yield (
            (*path[:-1], "metadata", "annotations"),
            mapping(mapping(mapping(value).get("metadata")).get("annotations")),
            spec,
        )
