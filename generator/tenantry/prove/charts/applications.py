"""The Applications of platform components, and the project that fences them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tenantry.core.manifest import Manifest, Path, entries, items, mapping, text
from tenantry.model import names
from tenantry.model.platform_components import IN_CLUSTER, Managed, managed_components
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.registration import proof

_ARGO = "argoproj.io"
_SOURCE: Path = ("spec", "source")
_GRANTED = frozenset({
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"), ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"), ("apiregistration.k8s.io", "APIService"),
    ("rbac.authorization.k8s.io", "ClusterRole"), ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
})  # fmt: skip
"""Cluster-scoped kinds that operators are made of, besides their own Namespace."""
_BESIDES = {"keda": ("kube-system",), "metrics_server": ("kube-system",)}
"""Where API servers that extend Kubernetes' own bind the role with which they check their callers."""
_NEVER = frozenset({(_ARGO, "Application"), (_ARGO, "AppProject"), (_ARGO, "ApplicationSet"), ("", "PersistentVolume")})


def managed(state: State) -> Mapping[str, Managed]:
    """Components that the fleet has Argo CD install, by the name of their Application."""
    return {part.application: part for part in managed_components(state.promises.platform).values()}


def known_names(state: State) -> frozenset[str]:
    """Names of Applications of platform components, and of their projects."""
    return frozenset(managed(state))


@proof("IAM-05")
def projects(state: State) -> Iterator[Breach]:
    """IAM-05: a chart comes from its repository in platform.yaml, and goes into the namespace of its component."""
    space = state.promises.platform.namespaces.argocd
    for name, part in managed(state).items():
        manifest = state.get(_ARGO, "AppProject", space, name)
        if manifest is None:
            message = f"AppProject {space}/{name} is missing, so nothing restricts what {part.component.chart} brings"
            yield breach(_anchor(state), "IAM-05", (), message, "run 'tenantry render'", tenant="")
        else:
            yield from _project(manifest, part)


def _project(manifest: Manifest, part: Managed) -> Iterator[Breach]:
    spec = manifest.spec
    if items(spec.get("sourceRepos")) != [part.source.repository]:
        message = f"takes charts from {', '.join(map(text, items(spec.get('sourceRepos')))) or 'everywhere'}"
        yield breach(manifest, "IAM-05", ("spec", "sourceRepos"), message, f"only {part.source.repository}", tenant="")
    spaces = {part.namespace, *_BESIDES.get(part.component.field, ())}
    for number, destination in entries(spec.get("destinations")):
        where = (destination.get("server"), destination.get("name"), destination.get("namespace"))
        if where[0] != IN_CLUSTER or where[1] or where[2] not in spaces:
            message = f"lets a chart into {where[2] or 'every namespace'} of {where[0] or where[1] or 'every cluster'}"
            hint = f"only {', '.join(sorted(spaces))} of {IN_CLUSTER}"
            yield breach(manifest, "IAM-05", ("spec", "destinations", number), message, hint, tenant="")
    yield from _kinds(manifest, part.namespace)
    if items(spec.get("sourceNamespaces")):
        path: Path = ("spec", "sourceNamespaces")
        yield breach(manifest, "IAM-05", path, "accepts Applications from other namespaces", "remove it", tenant="")


def _kinds(manifest: Manifest, space: str) -> Iterator[Breach]:
    for field in ("clusterResourceWhitelist", "namespaceResourceWhitelist"):
        if field == "namespaceResourceWhitelist" and field not in manifest.spec:
            yield breach(
                manifest, "IAM-05", ("spec",), "lists no kinds, which allows every kind", "list them", tenant=""
            )
        for number, kind in entries(manifest.spec.get(field)):
            key = (text(kind.get("group")), text(kind.get("kind")))
            own = key == ("", "Namespace") and kind.get("name") == space != "kube-system"
            wide = field == "clusterResourceWhitelist" and key not in _GRANTED and not own
            if wide or "*" in key or key in _NEVER:
                message = f"lets a chart bring {key[1]}{'' if own else ', whatever its name'}"
                yield breach(manifest, "IAM-05", ("spec", field, number), message, "remove the kind", tenant="")


@proof("IAM-05", "SUP-07")
def applications(state: State) -> Iterator[Breach]:
    """IAM-05 and SUP-07: one exact version of one chart, into its own namespace, with reviewed values alone."""
    space = state.promises.platform.namespaces.argocd
    for name, part in managed(state).items():
        manifest = state.get(_ARGO, "Application", space, name)
        if manifest is None:
            message = f"Application {space}/{name} is missing, so nothing installs {part.component.chart}"
            hint = f"run 'tenantry render', or set charts.{part.component.key}.managed: false if others install it"
            yield breach(_anchor(state), "SUP-07", (), message, hint, tenant="")
            continue
        yield from _fenced(manifest, part)
        yield from _chart(manifest, part)


def _fenced(manifest: Manifest, part: Managed) -> Iterator[Breach]:
    own, spec = part.application, manifest.spec
    if spec.get("project") != own:
        message = f"the Application is in the project '{spec.get('project')}'"
        yield breach(manifest, "IAM-05", ("spec", "project"), message, f"its own is '{own}'", tenant="")
    wanted = {"server": IN_CLUSTER, "namespace": part.namespace}
    if dict(mapping(spec.get("destination"))) != wanted:
        message = f"{part.component.chart} is not installed where policies and rules look for it, in {part.namespace}"
        yield breach(manifest, "SUP-07", ("spec", "destination"), message, f"{wanted}", tenant="")


def _chart(manifest: Manifest, part: Managed) -> Iterator[Breach]:
    source, helm = mapping(manifest.spec.get("source")), mapping(mapping(manifest.spec.get("source")).get("helm"))
    right: Mapping[str, str] = {
        "repoURL": part.source.repository, "chart": part.component.chart, "targetRevision": part.source.version,
    }  # fmt: skip
    for field, value in right.items():
        if source.get(field) != value:
            message = f"{field} is '{source.get(field)}'; platform.yaml says '{value}'"
            yield breach(manifest, "SUP-07", (*_SOURCE, field), message, "one exact version of one chart", tenant="")
    for field in sorted(set(source) - {*right, "helm"}):
        message = f"{field} adds to the chart what is not in its values"
        yield breach(manifest, "SUP-07", (*_SOURCE, field), message, "remove it", tenant="")
    for field in sorted(set(helm) - {"releaseName", "valuesObject"}):
        message = f"helm.{field} changes the values that are reviewed"
        yield breach(manifest, "SUP-07", (*_SOURCE, "helm", field), message, "write valuesObject alone", tenant="")
    if helm.get("releaseName") != part.component.chart:
        message = f"the release is called '{helm.get('releaseName')}', and so are its ServiceAccounts and labels"
        hint = f"releaseName: {part.component.chart}"
        yield breach(manifest, "SUP-07", (*_SOURCE, "helm", "releaseName"), message, hint, tenant="")
    if "sources" in manifest.spec:
        yield breach(manifest, "SUP-07", ("spec", "sources"), "has several sources", "one chart", tenant="")


def _anchor(state: State) -> Manifest:
    space = state.promises.platform.namespaces.argocd
    found = state.get(_ARGO, "AppProject", space, names.platform_application(state.cluster.name))
    return found or state.manifests[0]
