"""Argo CD: an Application's project, its folder, and whether the project lets its objects in."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, items, mapping, text
from tenantry.verify.references.index import Index

_GROUP = "argoproj.io"


def application(manifest: Manifest, index: Index) -> Iterator[Problem]:
    spec, namespace = manifest.spec, manifest.identity.namespace
    name = text(spec.get("project"))
    project = index.get(_GROUP, "AppProject", namespace, name)
    if project is None:
        known = index.of(_GROUP, "AppProject") or index.partial
        if known and name != "default" and not index.has(_GROUP, "AppProject", namespace, name):
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
