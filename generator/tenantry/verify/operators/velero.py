"""What Velero's controllers mark FailedValidation: pkg/controller/{schedule,backup}_controller.go, v1.18.3."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.codes import Code, declare
from tenantry.core.manifest import Manifest, Problem, items, mapping, text
from tenantry.engine.languages import Cron, Interval
from tenantry.verify import origins, values
from tenantry.verify.index import Index
from tenantry.verify.registration import references_of, rule_for

declare(
    Code("V049", "Velero rejects", "The Schedule would be marked FailedValidation."),
)


@rule_for("velero.io", "Schedule")
def schedule(manifest: Manifest) -> Iterator[Problem]:
    template = mapping(manifest.spec.get("template"))
    path = ("spec", "template")
    ttl = template.get("ttl")
    if ttl is not None and values.duration(ttl) is None:
        yield Problem("V049", (*path, "ttl"), f"'{ttl}' is no duration", "write it like 720h0m0s")
    if template.get("labelSelector") and template.get("orLabelSelectors"):
        yield Problem("V049", (*path, "orLabelSelectors"), "excludes labelSelector")
    included, excluded = items(template.get("includedNamespaces")), items(template.get("excludedNamespaces"))
    for name in sorted({str(n) for n in included if n in excluded}):
        yield Problem("V049", (*path, "excludedNamespaces"), f"'{name}' is included and excluded")
    old = [
        k for k in ("includedResources", "excludedResources", "includeClusterResources") if template.get(k) is not None
    ]
    new = [
        k
        for k in template
        if k.startswith(
            ("includedClusterScoped", "excludedClusterScoped", "includedNamespaceScoped", "excludedNamespaceScoped")
        )
    ]
    if old and new:
        yield Problem("V049", (*path, new[0]), f"does not go with {old[0]}")
    if manifest.annotations.get("schedule") is None and not manifest.spec.get("schedule"):
        yield Problem("V049", ("spec", "schedule"), "a schedule is needed")


@rule_for("velero.io", "Schedule")
def owned(manifest: Manifest) -> Iterator[Problem]:
    """Kubernetes removes what an object owns together with it."""
    if manifest.spec.get("useOwnerReferencesInBackup") is True:
        message = "the Schedule owns its Backups, so whoever prunes it deletes all of them"
        yield Problem("V056", ("spec", "useOwnerReferencesInBackup"), message, "leave it out", "warning")


@references_of("velero.io", "Backup", "Restore", "Schedule")
def seen(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Velero looks into its own namespace only: the one of its storage locations."""
    homes = {m.identity.namespace for m in index.of("velero.io", "BackupStorageLocation")}
    namespace = manifest.identity.namespace
    if homes and namespace and namespace not in homes and not index.partial:
        shown = ", ".join(sorted(homes))
        message = f"Velero looks into '{shown}' only, so it never sees this {manifest.identity.kind} in '{namespace}'"
        yield Problem("V056", ("metadata", "namespace"), message, f"put it into {shown}", "warning")


_KEPT = 720 * 3600.0
"""Seconds that Velero keeps a Backup whose ttl is not given (--default-backup-ttl)."""


@references_of("velero.io", "Schedule")
def kept(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A Backup that is gone before the next one is made leaves days without any."""
    ttl = mapping(manifest.spec.get("template")).get("ttl")
    seconds = _KEPT if ttl in (None, "", "0s", "0") else values.duration(ttl)
    found = index.readings.intervals.get(Cron(text(manifest.spec.get("schedule"))))
    if seconds is not None and isinstance(found, Interval) and seconds < found.longest_seconds:
        gap = round(found.longest_seconds / 3600)
        message = f"a Backup is kept {round(seconds / 3600)} h, but the next one may come {gap} h later: until then there is none"
        path = ("spec", "template", "ttl") if ttl else ("spec", "template")
        yield Problem("V056", path, message, f"keep it for more than {gap} h", "warning")


@references_of("velero.io", "Schedule")
def backup_schedule(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A Velero Schedule: its storage location, and the namespaces that it saves."""
    template = mapping(manifest.spec.get("template"))
    namespace = manifest.identity.namespace
    location = text(template.get("storageLocation"))
    known = index.of("velero.io", "BackupStorageLocation") or index.partial
    if location and known and not index.has("velero.io", "BackupStorageLocation", namespace, location):
        yield Problem(
            "V060",
            ("spec", "template", "storageLocation"),
            f"there is no BackupStorageLocation '{location}' in '{namespace}'",
        )
    names = template.get("includedNamespaces")
    for number, name in enumerate(names if isinstance(names, list) else []):
        made = index.of("", "Namespace") or index.partial
        if isinstance(name, str) and "*" not in name and made and not index.makes_namespace(name):
            path = ("spec", "template", "includedNamespaces", number)
            if maker := origins.maker_of_namespace(index, name):
                message = f"the tree makes no namespace '{name}', so it could not be checked: {maker} may make it"
                yield Problem("V067", path, message, severity="warning")
            else:
                yield Problem("V060", path, f"the tree makes no namespace '{name}', so nothing would be saved")
