"""What Argo CD's controller finds wrong, often only in a log: pkg/apis/application/v1alpha1 and util/argo, v3.6.1."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from tenantry.core.codes import Code, declare
from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, items, mapping, text, whole_number
from tenantry.verify import values
from tenantry.verify.index import Index
from tenantry.verify.registration import references_of, rule_for, rule_for_all

declare(
    Code("V044", "Argo CD rejects", "An Application or AppProject that the controller rejects or misreads."),
    Code("V064", "Argo CD would not deliver", "The AppProject does not permit the Application, or one of its objects."),
    Code("V065", "Order can't work", "A hook or sync wave that Argo CD misreads, or that depends on a later one."),
)


@rule_for("argoproj.io", "AppProject")
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


@rule_for("argoproj.io", "Application")
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


@rule_for_all
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


@references_of("argoproj.io", "Application")
def delivered(manifest: Manifest, index: Index) -> Iterator[Problem]:
    spec, namespace = manifest.spec, manifest.identity.namespace
    name = text(spec.get("project"))
    project = project_of(index, manifest)
    if project is not None and project.identity.namespace != namespace and not _watches(project, namespace):
        home = project.identity.namespace
        message = f"the AppProject '{name}' in '{home}' does not list '{namespace}' in sourceNamespaces"
        yield Problem("V064", ("spec", "project"), message, "Argo CD takes no Application from there for the project")
        return
    if project is None:
        known = index.of("argoproj.io", "AppProject") or index.partial
        if known and name != "default" and not index.has("argoproj.io", "AppProject", namespace, name):
            yield Problem("V060", ("spec", "project"), f"there is no AppProject '{name}' in '{namespace}'")
        return
    yield from _allowed(manifest, project)
    source = mapping(spec.get("source"))
    folder = text(source.get("path"))
    if not folder:
        return  # a chart
    members = _members(index, manifest, folder, recurse=bool(mapping(source.get("directory")).get("recurse")))
    if members is None:
        return
    if not members:
        yield Problem("V064", ("spec", "source", "path"), f"the folder '{folder}' holds no object")
    for member in members:
        yield from _member(manifest, project, member)


def project_of(index: Index, manifest: Manifest) -> Manifest | None:
    """The AppProject of an Application: in its own namespace, or in Argo CD's, where all projects are."""
    name = text(manifest.spec.get("project"))
    own = index.get("argoproj.io", "AppProject", manifest.identity.namespace, name)
    others = (p for p in index.of("argoproj.io", "AppProject") if p.identity.name == name)
    return own if own is not None else next(others, None)


def _watches(project: Manifest, namespace: str) -> bool:
    """Globs, or expressions between slashes (util/glob, MatchStringInList)."""
    for pattern in map(str, items(project.spec.get("sourceNamespaces"))):
        expression = len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/")
        if expression and values.expression_error(pattern[1:-1]) == "":
            return True  # which namespaces it takes is for Argo CD to say
        if fnmatchcase(namespace, pattern):
            return True
    return False


def _allowed(manifest: Manifest, project: Manifest) -> Iterator[Problem]:
    spec = manifest.spec
    repository = text(mapping(spec.get("source")).get("repoURL"))
    allowed = [str(pattern) for pattern in items(project.spec.get("sourceRepos"))]
    if repository and not any(fnmatchcase(repository, pattern) for pattern in allowed):
        path: Path = ("spec", "source", "repoURL")
        yield Problem(
            "V064", path, f"the AppProject '{project.identity.name}' does not allow the repository '{repository}'"
        )
    destination = mapping(spec.get("destination"))
    if destination.get("namespace") and not _goes(project, destination, str(destination["namespace"])):
        path = ("spec", "destination", "namespace")
        yield Problem(
            "V064",
            path,
            f"the AppProject '{project.identity.name}' does not allow the namespace '{destination['namespace']}' there",
        )


def _goes(project: Manifest, destination: Value, namespace: str) -> bool:
    for _, entry in entries(project.spec.get("destinations")):
        by_name = destination.get("name") and fnmatchcase(str(destination["name"]), str(entry.get("name", "")))
        by_server = destination.get("server") and fnmatchcase(str(destination["server"]), str(entry.get("server", "")))
        if (by_name or by_server) and fnmatchcase(namespace, str(entry.get("namespace", ""))):
            return True
    return False


def _members(index: Index, manifest: Manifest, folder: str, *, recurse: bool) -> list[Manifest] | None:
    """Objects of the Application's folder; None when the tree at hand is not the repository that it names.

    The tree may be a part of the repository, or a copy of its `rendered/` elsewhere: the folder is found by its end.
    """
    by_folder = index.folders
    parts = folder.strip("/").split("/")
    for start in range(len(parts)):
        end = "/".join(parts[start:])
        found = [*by_folder.get(end, [])]
        if recurse:
            found += [m for name, inside in by_folder.items() if name.startswith(f"{end}/") for m in inside]
        if found:  # by its last part alone it may be another's folder of that name
            return found if start == 0 or len(parts) - start >= 2 else None
    top = manifest.file.partition("/")[0]
    inside = "/" in manifest.file and (top in parts or parts[0] == top)
    return [] if inside and not index.partial else None


def _member(manifest: Manifest, project: Manifest, member: Manifest) -> Iterator[Problem]:
    spec, name = project.spec, project.identity.name
    path: Path = ("spec", "source", "path")
    namespace = member.identity.namespace
    if namespace and not _goes(project, mapping(manifest.spec.get("destination")), namespace):
        yield Problem(
            "V064", path, f"{member.identity} lies in a namespace that the AppProject '{name}' does not allow"
        )
    if namespace:
        allowed, listed = spec.get("namespaceResourceWhitelist"), "namespaceResourceWhitelist" in spec
    else:
        allowed, listed = spec.get("clusterResourceWhitelist"), True
    if listed and not any(_takes(entry, member) for _, entry in entries(allowed)):
        yield Problem("V064", path, f"the AppProject '{name}' does not allow {member.identity}")
    part = "namespaceResourceBlacklist" if namespace else "clusterResourceBlacklist"
    if any(_takes(entry, member) for _, entry in entries(spec.get(part))):
        yield Problem("V064", path, f"the AppProject '{name}' forbids {member.identity}")


def _takes(entry: Value, member: Manifest) -> bool:
    fits = fnmatchcase(member.identity.group, str(entry.get("group", ""))) and fnmatchcase(
        member.identity.kind, str(entry.get("kind", ""))
    )
    return fits and (not entry.get("name") or fnmatchcase(member.identity.name, str(entry["name"])))
