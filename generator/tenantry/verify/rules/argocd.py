"""What Argo CD's controller finds wrong, often only in a log: pkg/apis/application/v1alpha1 and util/argo, v3.6.1."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, entries, items, mapping, whole_number
from tenantry.verify import values


def project(manifest: Manifest) -> Iterator[Problem]:
    spec = manifest.spec
    for index, window in entries(spec.get("syncWindows")):
        path: Path = ("spec", "syncWindows", index)
        if window.get("kind") not in ("allow", "deny"):
            yield Problem("V044", (*path, "kind"), f"'{window.get('kind')}' is neither allow nor deny")
        if (values.duration(window.get("duration")) or 0) <= 0:
            yield Problem(
                "V044",
                (*path, "duration"),
                f"'{window.get('duration')}' is no duration over 0",
                "write it like 4h or 90m",
            )
        zone = window.get("timeZone")
        if isinstance(zone, str) and zone and not values.is_time_zone(zone):
            yield Problem("V041", (*path, "timeZone"), f"'{zone}' is no time zone; Argo CD would silently take UTC")
        if not any(items(window.get(part)) for part in ("applications", "namespaces", "clusters")):
            yield Problem("V044", path, "a window without applications, namespaces or clusters matches nothing")
    for index, destination in entries(spec.get("destinations")):
        if destination.get("server") and destination.get("name"):
            where = ("spec", "destinations", index)
            yield Problem(
                "V044", where, "server and name: Argo CD takes a match of either", "give one of them", "warning"
            )
    for index, role in entries(spec.get("roles")):
        yield from _policies(manifest.identity.name, mapping(role), ("spec", "roles", index))


def _policies(project_name: str, role: object, path: Path) -> Iterator[Problem]:
    content = mapping(role)
    subject = f"proj:{project_name}:{content.get('name')}"
    for number, policy in enumerate(items(content.get("policies"))):
        parts = [part.strip() for part in str(policy).split(",")]
        where = (*path, "policies", number)
        if len(parts) != 6 or parts[0] != "p":
            yield Problem("V044", where, "a policy has six parts: p, subject, resource, action, object, effect")
            continue
        if parts[1] != subject:
            yield Problem("V044", where, f"the subject must be '{subject}', not '{parts[1]}'")
        if parts[4] != "*" and not parts[4].startswith(f"{project_name}/"):
            yield Problem("V044", where, f"the object must begin with '{project_name}/', not '{parts[4]}'")
        if parts[5] not in ("allow", "deny"):
            yield Problem("V044", where, f"'{parts[5]}' is neither allow nor deny")


def application(manifest: Manifest) -> Iterator[Problem]:
    spec = manifest.spec
    destination = mapping(spec.get("destination"))
    if destination.get("server") and destination.get("name"):
        yield Problem("V044", ("spec", "destination"), "server and name exclude each other")
    elif not destination.get("server") and not destination.get("name"):
        yield Problem("V044", ("spec", "destination"), "server or name is needed")
    if not spec.get("source") and not items(spec.get("sources")) and not spec.get("sourceHydrator"):
        yield Problem("V044", ("spec",), "source or sources is needed")
    sources = [(("spec", "source"), mapping(spec.get("source")))] if spec.get("source") else []
    sources += [(("spec", "sources", index), source) for index, source in entries(spec.get("sources"))]  # type: ignore[misc]
    for path, source in sources:
        if not source.get("path") and not source.get("chart") and not source.get("ref"):
            yield Problem("V044", path, "path, chart or ref is needed")
        location = str(source.get("path", ""))
        if location.startswith("/") or ".." in location.split("/"):
            yield Problem("V044", (*path, "path"), f"'{location}' leads out of the repository")
    options = items(mapping(spec.get("syncPolicy")).get("syncOptions"))
    for index, option in enumerate(options):
        if not isinstance(option, str) or "=" not in option:
            yield Problem(
                "V044",
                ("spec", "syncPolicy", "syncOptions", index),
                f"'{option}' is no option: write it like ServerSideApply=true",
            )


def sync_annotations(manifest: Manifest) -> Iterator[Problem]:
    """Waves are numbers, hooks are of known phases."""
    path: Path = ("metadata", "annotations")
    wave = manifest.annotations.get("argocd.argoproj.io/sync-wave")
    if wave is not None and whole_number(str(wave)) is None:
        yield Problem("V065", (*path, "argocd.argoproj.io/sync-wave"), f"'{wave}' is no number; Argo CD would take 0")
    for key, allowed in _CHOICES.items():
        for choice in filter(None, (part.strip() for part in str(manifest.annotations.get(key, "")).split(","))):
            if choice not in allowed:
                yield Problem("V065", (*path, key), f"'{choice}' is none of {', '.join(allowed)}")


_CHOICES = {
    "argocd.argoproj.io/hook": ("PreSync", "Sync", "PostSync", "SyncFail", "Skip", "PreDelete", "PostDelete"),
    "argocd.argoproj.io/hook-delete-policy": ("HookSucceeded", "HookFailed", "BeforeHookCreation"),
}
