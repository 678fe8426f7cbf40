"""SUP-06, settings: what Argo CD watches, which tools it starts, and which clusters and repositories it knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

import yaml

from tenantry.core.manifest import Manifest, Path, dig, entries, how_many, items, mapping, text, whole_number
from tenantry.core.paths import folder_of
from tenantry.model.platform_components import managed_components
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.registration import proof

_SETTINGS, _PARAMETERS = "argocd-cm", "argocd-cmd-params-cm"
_EXCLUSIONS, _TIMEOUT = "resource.exclusions", "controller.sync.timeout.seconds"
_PART_OF, _SECRET_TYPE = "app.kubernetes.io/part-of", "argocd.argoproj.io/secret-type"
_OWN_SERVER = "https://kubernetes.default.svc"
_TOOL = "a file in a tree could start it, and what is applied is not what was reviewed"
_RIGHT: Mapping[str, Mapping[str, tuple[str, str]]] = {
    _SETTINGS: {
        "application.resourceTrackingMethod": (
            "annotation", "tracking by label replaces app.kubernetes.io/instance, which our own selectors use"),
        "exec.enabled": ("false", "its interface would open a shell in tenants' Pods"),
        "jsonnet.enable": ("false", _TOOL), "kustomize.enable": ("false", _TOOL),
        "resource.inclusions": ("", "kinds that are not listed are neither applied nor watched"),
    },
    _PARAMETERS: {
        "application.namespaces": ("", "Applications are taken from namespaces where others can write"),
        "reposerver.enable.git.submodule": ("false", "content of other repositories is fetched without a review here"),
        "server.disable.auth": ("false", "everybody who reaches its API is its administrator"),
    },
}  # fmt: skip
"""ConfigMap -> key -> right value, and what follows from another (docs/operator-manual/argocd-cm.yaml and
argocd-cmd-params-cm.yaml, v3.6). An empty value is as good as none."""


@proof("SUP-06")
def settings(state: State) -> Iterator[Breach]:
    """SUP-06: Argo CD's ConfigMaps."""
    space = state.promises.platform.namespaces.argocd
    for name, right in _RIGHT.items():
        manifest = state.get("", "ConfigMap", space, name)
        if manifest is None:
            message = f"ConfigMap {space}/{name} is missing, so Argo CD works with settings that nobody has reviewed"
            yield breach(_anchor(state), "SUP-06", (), message, "run 'tenantry render'", tenant="")
            continue
        if manifest.labels.get(_PART_OF) != "argocd":
            message = f"Argo CD reads no ConfigMap without the label {_PART_OF}=argocd"
            yield breach(manifest, "SUP-06", ("metadata", "labels", _PART_OF), message, "add it", tenant="")
        data = mapping(manifest.value.get("data"))
        for key, (value, why) in {**right, **(_helm(state) if name == _SETTINGS else {})}.items():
            if text(data.get(key)) != value:
                message = f"{key} is '{text(data.get(key))}': {why}"
                yield breach(manifest, "SUP-06", ("data", key), message, f"{key}: '{value}'", tenant="")
        yield from _exclusions(state, manifest) if name == _SETTINGS else _timeout(state, manifest)


def _helm(state: State) -> Mapping[str, tuple[str, str]]:
    """Helm is on where platform components come from its charts; Applications of trees name their directory, which no file overrules."""
    if managed_components(state.promises.platform):
        return {"helm.enable": ("true", "the charts of platform components are not rendered")}
    return {"helm.enable": ("false", _TOOL)}


def _exclusions(state: State, manifest: Manifest) -> Iterator[Breach]:
    """No kind of the trees is excluded: Argo CD would refuse to sync it (util/settings/filtered_resource.go)."""
    path: Path = ("data", _EXCLUSIONS)
    try:
        excluded = yaml.safe_load(text(dig(manifest.value, *path)) or "[]")
    except yaml.YAMLError as error:
        yield breach(manifest, "SUP-06", path, f"can't be read: {error}", "write a list", tenant="")
        return
    kinds = {made.kind: made for made in state.manifests}
    for _, entry in entries(excluded):
        groups, names, clusters = (items(entry.get(part)) for part in ("apiGroups", "kinds", "clusters"))
        if clusters and not any(fnmatchcase(_OWN_SERVER, text(cluster)) for cluster in clusters):
            continue
        for (group, kind), made in sorted(kinds.items()):
            in_group = not groups or any(fnmatchcase(group, text(pattern)) for pattern in groups)
            if in_group and (not names or "*" in names or kind in names):
                message = f"excludes {kind}, of which the trees have {made.identity}: Argo CD would not apply it"
                yield breach(manifest, "SUP-06", path, message, "exclude only what is not in the trees", tenant="")


def _timeout(state: State, manifest: Manifest) -> Iterator[Breach]:
    """A sync that waits in vain ends some day, but not while its hooks run, or run again after a failure: ending it deletes
    them, and the time is counted over all retries (controller/appcontroller.go, syncTimeout)."""
    deadlines: dict[str, int] = defaultdict(int)
    for job in state.of("batch", "Job"):
        if "argocd.argoproj.io/hook" in job.annotations:
            deadlines[folder_of(job.file)] += how_many(job.spec.get("activeDeadlineSeconds"))
    longest = 2 * max(deadlines.values(), default=0)
    given = whole_number(text(dig(manifest.value, "data", _TIMEOUT))) or 0
    if given <= longest:
        message = f"a sync is ended after {given} seconds; its hooks, run twice, may take {longest}"
        if not given:
            message = "a sync that waits in vain never ends, and no later commit is delivered"
        yield breach(manifest, "SUP-06", ("data", _TIMEOUT), message, f"more than {longest} seconds", tenant="")


@proof("SUP-06")
def registrations(state: State) -> Iterator[Breach]:
    """SUP-06: Argo CD knows its own cluster by the name that Applications use, and the fleet's repository, and no others."""
    platform = state.promises.platform
    wanted: dict[str, Mapping[str, str]] = {"cluster": {"name": state.cluster.name, "server": _OWN_SERVER}}
    if platform.git.credential != "none":
        wanted["repository"] = {"type": "git", "url": platform.git.repository}
    found: dict[str, Manifest] = {}
    for manifest in state.of("external-secrets.io", "ExternalSecret", platform.namespaces.argocd):
        template = mapping(dig(manifest.spec, "target", "template"))
        kind = text(dig(template, "metadata", "labels", _SECRET_TYPE))
        if not kind:
            continue
        path: Path = ("spec", "target", "template")
        if kind not in wanted or kind in found:
            message = f"registers another {kind}, from which or into which nothing is delivered"
            yield breach(
                manifest, "SUP-06", (*path, "metadata", "labels", _SECRET_TYPE), message, "remove it", tenant=""
            )
            continue
        found[kind] = manifest
        for key, value in wanted[kind].items():
            given = text(dig(template, "data", key))
            if given != value:
                message = f"registers the {kind} with {key} '{given}'; Applications name '{value}'"
                yield breach(manifest, "SUP-06", (*path, "data", key), message, f"{key}: {value}", tenant="")
    for kind in wanted.keys() - found:
        message = f"no Secret registers the {kind} that the cluster's Applications name"
        yield breach(_anchor(state), "SUP-06", (), message, "run 'tenantry render'", tenant="")


def _anchor(state: State) -> Manifest:
    """An object of the platform, to tell of when what is missed has none."""
    space, name = state.promises.platform.namespaces.argocd, f"{state.cluster.name}-platform"
    return state.get("argoproj.io", "AppProject", space, name) or state.manifests[0]
