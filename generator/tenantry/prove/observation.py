"""OBS-01 (metrics and logs stay with the tenant, for as long as promised) and OBS-02 (a spent error budget pages somebody)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, digits, entries, items, mapping, text
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof

_MONITORS = ("PodMonitor", "ServiceMonitor", "Probe")
_ANNOTATION = "tenantry.io/"
BURN_RATES = frozenset({(14.4, "1h", "5m", "page"), (6.0, "6h", "30m", "page"), (1.0, "3d", "6h", "ticket")})
"""(rate, long window, short window, severity) for a budget of 30 days (SRE workbook, alerting on SLOs)."""
_WINDOW = re.compile(r"\[(\d+[a-z]):")
_LIMIT = re.compile(r"> ([0-9]{1,9}(?:\.[0-9]{1,9})?) \* ([0-9]{1,9}(?:\.[0-9]{1,18})?(?:e-[0-9]{1,2})?)")


@proof("OBS-01")
def monitors(state: State) -> Iterator[Breach]:
    """OBS-01: monitors read metrics of their own namespace only, from one workload each."""
    for kind in _MONITORS:
        for manifest in state.of("monitoring.coreos.com", kind):
            home = state.home(manifest)
            if home is None:
                continue
            if mapping(manifest.spec.get("namespaceSelector")):
                message = f"the {kind} reads metrics of other namespaces into this tenant's series"
                yield breach(
                    manifest, "OBS-01", ("spec", "namespaceSelector"), message, "remove it", tenant=home.tenant
                )
            selector = mapping(manifest.spec.get("selector"))
            if kind != "Probe" and not selector.get("matchLabels") and not selector.get("matchExpressions"):
                message = f"the {kind} scrapes every Pod of the namespace, whatever its metrics contain"
                yield breach(
                    manifest, "OBS-01", ("spec", "selector"), message, "select one workload", tenant=home.tenant
                )
    for manifest in state.of("postgresql.cnpg.io", "Cluster"):
        home = state.home(manifest)
        monitoring = mapping(manifest.spec.get("monitoring"))
        for field in ("customQueriesConfigMap", "customQueriesSecret"):
            if home is not None and items(monitoring.get(field)):
                message = f"{field}: unreviewed queries run as pg_monitor, in every database"
                yield breach(
                    manifest, "OBS-01", ("spec", "monitoring", field), message, "remove it", tenant=home.tenant
                )


@proof("OBS-01")
def retention(state: State) -> Iterator[Breach]:
    """What the namespace tells the log and metric stores."""
    for home in state.homes_at("instance", "standby"):
        manifest = state.get("", "Namespace", "", home.namespace)
        if manifest is None or home.instance is None:
            continue
        promised = home.tier.retention
        wanted = {"log-retention": home.instance.settings.logs_days, "metric-retention": promised.metrics_days}
        for name, days in wanted.items():
            given = text(manifest.annotations.get(f"{_ANNOTATION}{name}")).removesuffix("d")
            if (digits(given) or 0) < days:
                message = f"{name.replace('-', ' ')} is {given or 'not set'}; {days} days are promised"
                path: Path = ("metadata", "annotations", f"{_ANNOTATION}{name}")
                yield breach(manifest, "OBS-01", path, message, f"{_ANNOTATION}{name}: {days}d", tenant=home.tenant)
        if promised.own_log_tenant and manifest.annotations.get(f"{_ANNOTATION}log-tenant") != home.namespace:
            path = ("metadata", "annotations", f"{_ANNOTATION}log-tenant")
            message = "logs go into a tenant of the log store that others read; an own one is promised"
            yield breach(manifest, "OBS-01", path, message, home.namespace, tenant=home.tenant)
        if promised.log_masking and manifest.annotations.get(f"{_ANNOTATION}log-masking") != "on":
            path = ("metadata", "annotations", f"{_ANNOTATION}log-masking")
            yield breach(
                manifest, "OBS-01", path, "logs are kept unmasked; masking is promised", "on", tenant=home.tenant
            )


@proof("OBS-02")
def alerts(state: State) -> Iterator[Breach]:
    """OBS-02."""
    for home, _ in state.productions():
        rules = [r for m in state.of("monitoring.coreos.com", "PrometheusRule", home.namespace) for r in rules_of(m)]
        manifest = rules_about(state, home, "kube_deployment_status")
        budget = (100 - home.tier.objectives.availability_percent) / 100
        found = {watched for rule in rules if (watched := _burn_rate(rule, home, budget)) is not None}
        for rate, long, short, severity in sorted(BURN_RATES - found):
            message = f"no alert says that the budget of {home.tier.objectives.availability_percent:g} % goes {rate:g} times too fast ({long} and {short}, {severity})"
            yield breach(
                manifest,
                "OBS-02",
                ("spec", "groups"),
                message,
                "the alert must name this namespace and both windows",
                tenant=home.tenant,
            )


def rules_of(manifest: Manifest) -> Iterator[dict[str, object]]:
    """The rules of a PrometheusRule."""
    for _, group in entries(manifest.spec.get("groups")):
        for _, rule in entries(group.get("rules")):
            yield dict(rule)


def rules_about(state: State, home: Home, metric: str) -> Manifest:
    """The PrometheusRule to tell of when an alert on a metric is missed: one of such metrics, else what stands for the home."""
    for manifest in state.of("monitoring.coreos.com", "PrometheusRule", home.namespace):
        found = [text(rule.get("expr")) for rule in rules_of(manifest)]
        if not found or any(metric in expression for expression in found):
            return manifest
    return state.anchor(home)


def _burn_rate(rule: dict[str, object], home: Home, budget: float) -> tuple[float, str, str, str] | None:
    """The burn rate that an alert watches; None when it watches another namespace, budget or severity."""
    expression, labels = text(rule.get("expr")), mapping(rule.get("labels"))
    windows, limits = _WINDOW.findall(expression), _LIMIT.findall(expression)
    own = expression.count(f'namespace="{home.namespace}"') == len(windows) == len(limits) == 2
    if not own or " and " not in expression or labels.get("namespace") != home.namespace:
        return None
    rates = {float(rate) for rate, _ in limits}
    if len(rates) != 1 or any(abs(float(given) - budget) > 1e-9 for _, given in limits):
        return None
    return rates.pop(), windows[0], windows[1], text(labels.get("severity"))
