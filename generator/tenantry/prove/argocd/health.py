"""SUP-06, order: Argo CD goes on to the next sync wave when it takes what it applied for healthy.

It takes an object of a kind that it knows nothing of for healthy at once (gitops-engine/pkg/sync/sync_context.go, v3.6).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tenantry.core.manifest import Manifest, dig, mapping, text, whole_number
from tenantry.core.paths import folder_of
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.registration import proof

_WAVE, _HOOK = "argocd.argoproj.io/sync-wave", "argocd.argoproj.io/hook"
_Kind = tuple[str, str]

BUILT_IN: frozenset[_Kind] = frozenset({
    ("", "PersistentVolumeClaim"), ("", "Pod"), ("", "Service"), ("apps", "DaemonSet"), ("apps", "Deployment"), ("apps", "StatefulSet"),
    ("autoscaling", "HorizontalPodAutoscaler"), ("batch", "CronJob"), ("batch", "Job"), ("cert-manager.io", "Certificate"), ("cert-manager.io", "ClusterIssuer"),
    ("cert-manager.io", "Issuer"), ("external-secrets.io", "ClusterSecretStore"), ("external-secrets.io", "ExternalSecret"),
    ("external-secrets.io", "SecretStore"), ("keda.sh", "ScaledObject"), ("policies.kyverno.io", "ValidatingPolicy"),
    ("policy", "PodDisruptionBudget"), ("postgresql.cnpg.io", "Cluster"), ("velero.io", "Schedule"),
})  # fmt: skip
"""Kinds whose health Argo CD 3.6 knows by itself: gitops-engine/pkg/health/health.go, resource_customizations/."""

COMPLETE: frozenset[_Kind] = frozenset({
    ("", "ConfigMap"), ("", "LimitRange"), ("", "Namespace"), ("", "ResourceQuota"), ("", "ServiceAccount"), ("argoproj.io", "AppProject"),
    ("barmancloud.cnpg.io", "ObjectStore"), ("monitoring.coreos.com", "AlertmanagerConfig"),
    ("monitoring.coreos.com", "PodMonitor"), ("monitoring.coreos.com", "Probe"), ("monitoring.coreos.com", "PrometheusRule"),
    ("networking.k8s.io", "NetworkPolicy"), ("policies.kyverno.io", "PolicyException"),
    ("postgresql.cnpg.io", "ClusterImageCatalog"), ("postgresql.cnpg.io", "Pooler"),
    ("postgresql.cnpg.io", "ScheduledBackup"), ("rbac.authorization.k8s.io", "ClusterRole"), ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"), ("scheduling.k8s.io", "PriorityClass"), ("traefik.io", "IngressRoute"),
    ("traefik.io", "Middleware"), ("traefik.io", "TLSOption"), ("traefik.io", "TLSStore"), ("velero.io", "BackupStorageLocation"),
})  # fmt: skip
"""Kinds that are read when they are there: what comes later needs no controller to have finished with them."""

_STATES: Mapping[_Kind, tuple[str, ...]] = {
    ("argoproj.io", "Application"): ("status.health", "status.sync", "tenantry.io/tenant"),
    ("postgresql.cnpg.io", "Database"): ("status.applied", "status.observedGeneration"),
    ("postgresql.cnpg.io", "DatabaseRole"): ("status.applied", "status.observedGeneration"),
}
"""What a script must look at, to say when an object of the kind is ready. Databases and roles: CloudNativePG's
api/v1/database_types.go and databaserole_types.go, v1.30; a status of an older generation says nothing of this one."""


@proof("SUP-06")
def gates(state: State) -> Iterator[Breach]:
    """SUP-06: every kind that a later wave waits for has a health that Argo CD can tell, and none waits for Velero."""
    waves = _waves(state)
    yield from _schedules(state, waves)
    settings = state.get("", "ConfigMap", state.promises.platform.namespaces.argocd, "argocd-cm")
    if settings is None:
        return  # reported with the settings
    data = mapping(settings.value.get("data"))
    for kind, manifest in sorted(_waited_for(waves).items()):
        if kind in BUILT_IN or kind in COMPLETE:
            continue
        key = f"resource.customizations.health.{kind[0]}_{kind[1]}"
        script = text(data.get(key))
        if not script:
            message = f"Argo CD doesn't know the health of a {kind[1]}, so waves after {manifest.identity} come at once"
            hint = f"set {key}, or list the kind in prove/argocd/health.py if nothing waits for its controller"
            yield breach(settings, "SUP-06", ("data",), message, hint, tenant="")
            continue
        lacking = [words for words in _STATES.get(kind, ()) if words not in script]
        if lacking or "health.status" not in script:
            message = f"the health of a {kind[1]} doesn't depend on {lacking[0] if lacking else 'anything'}"
            yield breach(settings, "SUP-06", ("data", key), message, "a later wave would not wait for it", tenant="")


FOUNDATIONS: frozenset[_Kind] = frozenset({
    ("cert-manager.io", "ClusterIssuer"), ("policies.kyverno.io", "ValidatingPolicy"), ("postgresql.cnpg.io", "ClusterImageCatalog"),
    ("scheduling.k8s.io", "PriorityClass"),
})  # fmt: skip
"""What objects of cells and instances name, or are judged by."""


@proof("SUP-06")
def foundations(state: State) -> Iterator[Breach]:
    """SUP-06: what cells and instances stand on is applied before the first of them, since the sync waits for cells.

    On an empty cluster a cell that comes first never gets ready: its certificates wait for an issuer of a later wave.
    """
    argocd = state.promises.platform.namespaces.argocd
    needed = [manifest for kind in sorted(FOUNDATIONS) for manifest in state.of(*kind)]
    last = max(needed, key=_wave, default=None)
    for manifest in state.of("argoproj.io", "Application"):
        if last is not None and _delivers(manifest, argocd) and _wave(manifest) <= _wave(last):
            message = f"comes in wave {_wave(manifest)}, and {last.identity} that it may stand on in wave {_wave(last)}"
            path = ("metadata", "annotations", _WAVE)
            yield breach(manifest, "SUP-06", path, message, f"a wave after {_wave(last)}", tenant="")


_VELERO = ("velero.io", "Schedule")


def _schedules(state: State, waves: Mapping[str, Sequence[Manifest]]) -> Iterator[Breach]:
    """Velero comes in the last wave, and its Schedules are healthy when it has read them."""
    for manifest in state.of(*_VELERO):
        last = max(map(_wave, waves[_application(manifest)]))
        if _wave(manifest) < last:
            message = f"is applied in wave {_wave(manifest)}, so Argo CD waits for Velero before it goes on"
            path = ("metadata", "annotations", _WAVE)
            yield breach(manifest, "SUP-06", path, message, f"wave {last}", tenant="")


def _delivers(application: Manifest, argocd: str) -> bool:
    """A cell or an instance of this repository, neither a chart nor the platform itself."""
    chart = dig(application.spec, "source", "chart")
    return not chart and dig(application.spec, "destination", "namespace") != argocd


def _waves(state: State) -> Mapping[str, Sequence[Manifest]]:
    """What each Application applies in waves: all but its hooks."""
    applications: dict[str, list[Manifest]] = defaultdict(list)
    for manifest in state.manifests:
        if _HOOK not in manifest.annotations:
            applications[_application(manifest)].append(manifest)
    return applications


def _waited_for(applications: Mapping[str, Sequence[Manifest]]) -> Mapping[_Kind, Manifest]:
    """Kinds with an object in some wave that is not the last of its Application, and one such object."""
    found: dict[_Kind, Manifest] = {}
    for members in applications.values():
        last = max(map(_wave, members))
        for manifest in members:
            if _wave(manifest) < last:
                found.setdefault(manifest.kind, manifest)
    return found


def _application(manifest: Manifest) -> str:
    """The folder that an Application delivers; that of a cluster's platform has a folder for each instance."""
    folder = folder_of(manifest.file)
    start, platform, _ = folder.rpartition("/platform/")
    return start + platform if platform else folder


def _wave(manifest: Manifest) -> int:
    return whole_number(str(manifest.annotations.get(_WAVE, "0"))) or 0
