"""Argo CD: IAM-05 (a project fences one tree of one instance) and IAM-06 (a release can't touch what guards or holds data)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tenantry.core import paths
from tenantry.core.manifest import Manifest, Path, entries, items, mapping, text
from tenantry.model import names
from tenantry.prove.charts.applications import known_names
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof
from tenantry.resolve import schedule

_ARGO = "argoproj.io"
RELEASE_KINDS = frozenset({
    ("", "ConfigMap"), ("", "Service"), ("apps", "Deployment"), ("autoscaling", "HorizontalPodAutoscaler"), ("batch", "Job"), ("batch", "CronJob"),
    ("keda.sh", "ScaledObject"), ("policy", "PodDisruptionBudget"), ("traefik.io", "IngressRoute"), ("traefik.io", "Middleware"),
    ("traefik.io", "TLSOption"),
})  # fmt: skip
"""What a release is made of: none of it guards, none of it holds data."""
_FORBIDDEN = frozenset({
    ("", "Secret"), ("", "Namespace"), ("argoproj.io", "Application"), ("argoproj.io", "AppProject"), ("argoproj.io", "ApplicationSet"),
    ("external-secrets.io", "ClusterSecretStore"), ("external-secrets.io", "ClusterExternalSecret"), ("external-secrets.io", "PushSecret"),
    ("rbac.authorization.k8s.io", "ClusterRole"), ("rbac.authorization.k8s.io", "ClusterRoleBinding"), ("", "PersistentVolume"),
})  # fmt: skip
"""What no project of an instance or a cell may bring."""


@dataclass(frozen=True, slots=True)
class Fence:
    """What one Application and its project must say."""

    name: str
    path: str
    namespaces: frozenset[str]
    home: Home | None
    release: bool = False
    cluster_kinds: frozenset[tuple[str, str, str]] = frozenset()

    @property
    def tenant(self) -> str:
        return self.home.tenant if self.home else ""


def _fences(state: State) -> Iterator[Fence]:
    cluster = state.cluster.name
    for home in state.homes_at():
        own = frozenset({home.namespace})
        namespace = frozenset({("", "Namespace", home.namespace)})
        if home.instance is None:
            path = paths.rendered_folder(paths.cell_path(cluster, home.site.cell.name))
            yield Fence(names.cell_application(home.site.cell.name), path, own, home, cluster_kinds=namespace)
            continue
        called = home.instance.names
        trees = {"infra": called.infra_application, "app": called.app_application}
        if home.role == "standby":
            trees = {"standby": called.standby_application}
        elif home.instance.leaving:
            del trees["app"]
        for tree, name in trees.items():
            path = paths.instance_path(cluster, home.instance.environment, home.tenant, tree)
            release = tree == "app"
            yield Fence(name, f"rendered/{path}", own, home, release, frozenset() if release else namespace)
    spaces = state.promises.platform.namespaces
    platform = frozenset({spaces.argocd, spaces.kyverno, spaces.monitoring, spaces.traefik, spaces.velero})
    kinds = frozenset({
        ("cert-manager.io", "ClusterIssuer", ""), ("policies.kyverno.io", "ValidatingPolicy", ""),
        ("postgresql.cnpg.io", "ClusterImageCatalog", ""), ("rbac.authorization.k8s.io", "ClusterRole", "tenantry-support"),
        ("scheduling.k8s.io", "PriorityClass", "tenantry-*"),
    })  # fmt: skip
    yield Fence(
        names.platform_application(cluster), f"rendered/{cluster}/platform", platform, None, cluster_kinds=kinds
    )


@proof("IAM-05", "IAM-06", "SUP-06")
def projects(state: State) -> Iterator[Breach]:
    """IAM-05 and IAM-06."""
    fences = {fence.name: fence for fence in _fences(state)}
    space, charts = state.promises.platform.namespaces.argocd, known_names(state)
    for manifest in state.of(_ARGO, "AppProject"):
        fence = fences.get(manifest.identity.name)
        if manifest.identity.name == "default":
            yield from _default(manifest)
        elif manifest.identity.name in charts:
            yield from _labelled(manifest, Fence(manifest.identity.name, "", frozenset(), None))
        elif fence is None:
            yield breach(
                manifest,
                "IAM-05",
                ("metadata", "name"),
                "this project belongs to no instance, cell or platform",
                "remove it",
            )
        else:
            yield from _project(state, manifest, fence)
            yield from _labelled(manifest, fence)
    for manifest in state.of(_ARGO, "Application"):
        fence = fences.get(manifest.identity.name)
        if manifest.identity.name in charts:
            unfenced = Fence(manifest.identity.name, "", frozenset(), None)
            yield from (*_labelled(manifest, unfenced), *_kept(manifest, unfenced))
        elif fence is None:
            yield breach(
                manifest,
                "IAM-05",
                ("metadata", "name"),
                "this Application belongs to no instance, cell or platform",
                "remove it",
            )
        else:
            yield from _application(state, manifest, fence)
            yield from _labelled(manifest, fence)
            yield from _kept(manifest, fence)
    for manifest in state.of(_ARGO, "ApplicationSet"):
        yield breach(
            manifest,
            "IAM-05",
            ("kind",),
            "an ApplicationSet generates Applications that nobody has reviewed",
            "write Applications",
        )
    yield from _missing(state, fences.values(), space)


def _labelled(manifest: Manifest, fence: Fence) -> Iterator[Breach]:
    """Alerts, lists and the platform's own tools tell by this label whose a project is."""
    given = text(manifest.labels.get("tenantry.io/tenant"))
    if given != fence.tenant:
        message = f"the label says that it is {given or 'nobody'}'s; it is {fence.tenant or 'of no tenant'}"
        path: Path = ("metadata", "labels", "tenantry.io/tenant")
        yield breach(manifest, "IAM-05", path, message, "run 'tenantry render'", tenant=fence.tenant)


def _kept(manifest: Manifest, fence: Fence) -> Iterator[Breach]:
    """What people change in the cluster goes back to what was reviewed, and what leaves git leaves the cluster."""
    automated = mapping(mapping(manifest.spec.get("syncPolicy")).get("automated"))
    for field, why in (
        ("selfHeal", "a change that somebody makes in the cluster stays there"),
        ("prune", "what leaves git stays in the cluster"),
    ):
        if automated.get(field) is not True:
            path: Path = ("spec", "syncPolicy", "automated", field)
            yield breach(manifest, "SUP-06", path, f"{field} is off: {why}", f"{field}: true", tenant=fence.tenant)


def _missing(state: State, fences: Iterable[Fence], space: str) -> Iterator[Breach]:
    for fence in fences:
        for kind in ("AppProject", "Application"):
            if state.get(_ARGO, kind, space, fence.name) is None:
                anchor = state.anchor(fence.home) if fence.home else _phantom(state)
                message = f"{kind} {space}/{fence.name} is missing, so nothing restricts what is synced"
                yield breach(anchor, "IAM-05", (), message, "run 'tenantry render'", tenant=fence.tenant)
    if state.get(_ARGO, "AppProject", space, "default") is None:
        message = "the project 'default' is not closed: as created by Argo CD, it allows everything"
        yield breach(_phantom(state), "IAM-05", (), message, "render the empty project 'default'", tenant="")


def _phantom(state: State) -> Manifest:
    found = state.of(_ARGO, "AppProject") or list(state.manifests)
    return found[0]


def _default(manifest: Manifest) -> Iterator[Breach]:
    for field in ("sourceRepos", "destinations", "namespaceResourceWhitelist", "clusterResourceWhitelist"):
        if manifest.spec.get(field) != []:
            message = f"the project 'default' is open by {field}: an Application that names no project would use it"
            yield breach(manifest, "IAM-05", ("spec", field), message, "set it to an empty list", tenant="")


def _project(state: State, manifest: Manifest, fence: Fence) -> Iterator[Breach]:
    spec, tenant = manifest.spec, fence.tenant
    repository = state.promises.platform.git.repository

    def wrong(path: Path, message: str, hint: str, control: str = "IAM-05") -> Breach:
        return breach(manifest, control, path, message, hint, tenant=tenant)

    if items(spec.get("sourceRepos")) != [repository]:
        yield wrong(
            ("spec", "sourceRepos"), f"takes manifests from {_list(spec.get('sourceRepos'))}", f"only {repository}"
        )
    for number, destination in entries(spec.get("destinations")):
        name, space = text(destination.get("name")), text(destination.get("namespace"))
        if "server" in destination or name != state.cluster.name or space not in fence.namespaces:
            message = f"lets objects into {space or 'every namespace'} of {name or destination.get('server') or 'every cluster'}"
            yield wrong(
                ("spec", "destinations", number),
                message,
                f"only {', '.join(sorted(fence.namespaces))} of {state.cluster.name}",
            )
    for field in ("sourceNamespaces", "signatureKeys", "destinationServiceAccounts"):
        if field == "sourceNamespaces" and items(spec.get(field)):
            yield wrong(
                ("spec", field), "accepts Applications from other namespaces, where others can write", "remove it"
            )
    yield from _kinds(manifest, fence)
    for number, kind in entries(spec.get("clusterResourceWhitelist")):
        key = (text(kind.get("group")), text(kind.get("kind")), text(kind.get("name")))
        if key not in fence.cluster_kinds:
            message = f"allows the cluster-wide kind {key[1]}{f' {key[2]}' if key[2] else ', whatever its name'}"
            yield wrong(
                ("spec", "clusterResourceWhitelist", number),
                message,
                "an instance may only create its own Namespace",
            )
    yield from _windows(manifest, fence)


def _kinds(manifest: Manifest, fence: Fence) -> Iterator[Breach]:
    if "namespaceResourceWhitelist" not in manifest.spec:
        message = "lists no kinds, which allows every kind"
        yield breach(manifest, "IAM-05", ("spec",), message, "list the kinds in the tree", tenant=fence.tenant)
    for number, kind in entries(manifest.spec.get("namespaceResourceWhitelist")):
        key = (text(kind.get("group")), text(kind.get("kind")))
        path: Path = ("spec", "namespaceResourceWhitelist", number)
        if "*" in key:
            yield breach(
                manifest, "IAM-05", path, "a wildcard allows every kind", "list the kinds", tenant=fence.tenant
            )
        elif fence.release and key not in RELEASE_KINDS:
            message = f"a release could bring a {key[1]}: what guards or holds data changes with 'infra' only"
            yield breach(manifest, "IAM-06", path, message, "remove the kind", tenant=fence.tenant)
        elif fence.home is not None and key in _FORBIDDEN:
            yield breach(
                manifest,
                "IAM-05",
                path,
                f"lets in {key[1]}, which is the platform's alone",
                "remove the kind",
                tenant=fence.tenant,
            )


def _windows(manifest: Manifest, fence: Fence) -> Iterator[Breach]:
    """Production changes only in its windows; without one it could change at any time."""
    home = fence.home
    if home is None or home.instance is None or home.instance.environment != "production":
        return
    if home.role == "standby" or home.instance.failover is not None:
        if manifest.spec.get("syncWindows"):
            message = "has sync windows, so a failover may have to wait for one"
            path: Path = ("spec", "syncWindows")
            yield breach(manifest, "IAM-05", path, message, "remove them", tenant=fence.tenant)
        return
    wanted = {schedule.window_cron(w): w for w in home.instance.settings.windows}
    allowed = [(n, w) for n, w in entries(manifest.spec.get("syncWindows")) if w.get("kind") == "allow"]
    if not allowed:
        message = "has no sync window, so production can change at any time"
        yield breach(
            manifest, "IAM-05", ("spec", "syncWindows"), message, "allow the promised windows only", tenant=fence.tenant
        )
    for number, window in allowed:
        promised = wanted.get(text(window.get("schedule")))
        if (
            promised is None
            or window.get("timeZone") != promised.time_zone
            or window.get("duration") != f"{promised.hours}h"
        ):
            message = f"allows changes at '{window.get('schedule')}' for {window.get('duration')} ({window.get('timeZone')}), which is not promised"
            yield breach(
                manifest,
                "IAM-05",
                ("spec", "syncWindows", number),
                message,
                "allow the promised windows only",
                tenant=fence.tenant,
            )


def _application(state: State, manifest: Manifest, fence: Fence) -> Iterator[Breach]:
    spec, git = manifest.spec, state.promises.platform.git
    source, destination = mapping(spec.get("source")), mapping(spec.get("destination"))
    namespace = text(destination.get("namespace"))
    faults: tuple[tuple[bool, Path, str, str], ...] = (
        (spec.get("project") != fence.name, ("spec", "project"), f"is in the project '{spec.get('project')}'", f"its own is '{fence.name}'"),
        ("sources" in spec, ("spec", "sources"), "has several sources", "one path of one repository"),
        (source.get("repoURL") != git.repository, ("spec", "source", "repoURL"), f"syncs from {source.get('repoURL')}", git.repository),
        (source.get("targetRevision") != git.revision, ("spec", "source", "targetRevision"),
         f"syncs the revision '{source.get('targetRevision')}', which was not reviewed", f"'{git.revision}' is reviewed"),
        (source.get("path") != fence.path, ("spec", "source", "path"), f"syncs {source.get('path')}", f"its own tree is {fence.path}"),
        (destination.get("name") != state.cluster.name or "server" in destination, ("spec", "destination"),
         f"syncs into cluster {destination.get('name') or destination.get('server')}", f"its own is {state.cluster.name}"),
        (namespace not in fence.namespaces, ("spec", "destination", "namespace"), f"syncs into {namespace}",
         f"its own is {', '.join(sorted(fence.namespaces))}"),
    )  # fmt: skip
    for fault, path, message, hint in faults:
        if fault:
            yield breach(manifest, "IAM-05", path, f"the Application {message}", hint, tenant=fence.tenant)
    if not mapping(source.get("directory")):
        message = (
            "names no directory, so Argo CD looks for files of Helm or Kustomize, and a tree that holds one starts it"
        )
        yield breach(manifest, "SUP-06", ("spec", "source"), message, "directory: {recurse: true}", tenant=fence.tenant)


def _list(value: object) -> str:
    return ", ".join(map(text, items(value))) or "every repository"
