"""Platform components that Argo CD installs from Helm charts: which chart each is, and where it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from tenantry.model.convert import to_camel_case
from tenantry.model.platform import Chart, Charts, Platform

IN_CLUSTER = "https://kubernetes.default.svc"
"""The server under which each Argo CD knows its own cluster before anything is registered."""


@dataclass(frozen=True, slots=True)
class PlatformComponent:
    """One component; `field` is that of Charts and ComponentVersions. `space` is a field of PlatformNamespaces, empty for
    kube-system. `numbered` says how its chart's version follows from its own, where upstream gives both the same one."""

    field: str
    chart: str
    space: str
    numbered: str = ""

    @property
    def key(self) -> str:
        """As platform.yaml calls it."""
        return to_camel_case(self.field)


_C = PlatformComponent
COMPONENTS: Mapping[str, PlatformComponent] = {
    component.field: component
    for component in (
        _C("barman_cloud_plugin", "plugin-barman-cloud", "cloudnative_pg"),
        _C("cert_manager", "cert-manager", "cert_manager", "v{}"),
        _C("cloudnative_pg", "cloudnative-pg", "cloudnative_pg"),
        _C("external_secrets", "external-secrets", "external_secrets", "{}"),
        _C("keda", "keda", "keda", "{}"),
        _C("kyverno", "kyverno", "kyverno"),
        _C("metrics_server", "metrics-server", ""),
        _C("prometheus_operator", "kube-prometheus-stack", "monitoring"),
        _C("traefik", "traefik", "traefik"),
        _C("velero", "velero", "velero"),
    )
}
"""By field."""
assert set(COMPONENTS) == {field.name for field in fields(Charts)}


@dataclass(frozen=True, slots=True)
class Managed:
    """A component that Argo CD installs. `version` is the component's own, not its chart's."""

    component: PlatformComponent
    source: Chart
    namespace: str
    version: str

    @property
    def application(self) -> str:
        """Name of the Argo CD application; no other's ends like this."""
        return f"{self.component.chart}-chart"


def managed_components(platform: Platform) -> dict[str, Managed]:
    """Those that the platform's charts install, by field."""
    found: dict[str, Managed] = {}
    for field, component in COMPONENTS.items():
        source: Chart | None = getattr(platform.charts, field)
        if source is not None and source.managed:
            space = getattr(platform.namespaces, component.space) if component.space else "kube-system"
            found[field] = Managed(component, source, space, getattr(platform.components, field))
    return found
