"""OBS-02 of what serves people and of what is kept for them, besides PostgreSQL; and of the components that tell it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tenantry.core.manifest import Manifest, dig, entries, items, mapping, text
from tenantry.model import names
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.observation import BURN_RATES, rules_about, rules_of
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof
from tenantry.resolve.edge import routers
from tenantry.resolve.instance import Instance

_GROUP, _RULE = "monitoring.coreos.com", "PrometheusRule"
_LIMIT = re.compile(r"> ([0-9]{1,9}(?:\.[0-9]{1,9})?) \* ([0-9]{1,9}(?:\.[0-9]{1,18})?(?:e-[0-9]{1,2})?)")
_WINDOW = re.compile(r"\[(\d+[a-z])\]")
_LONGER_THAN = re.compile(r"\) > (\d+) or absent\(")
_CERTIFICATES = "certmanager_certificate_expiration_timestamp_seconds"
_SOURCES = ("argocd", "cert-manager", "cloudnative-pg", "external-secrets", "traefik", "velero")
"""Components whose own metrics alerts are on."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An alert that must be there: all selectors of its metric hold `own`; `hours`: it rings when older than that at most."""

    metric: str
    own: tuple[str, ...]
    hours: int = 0

    def met_by(self, expression: str) -> bool:
        selectors = re.findall(rf"{self.metric}(?:_[a-z]+)?{{([^}}]*)}}", expression)
        if not selectors or any(own not in selector for own in self.own for selector in selectors):
            return False
        limit = _LONGER_THAN.search(expression)
        return not self.hours or (limit is not None and int(limit[1]) <= self.hours * 3600)


@proof("OBS-02")
def services(state: State) -> Iterator[Breach]:
    """OBS-02: of requests, certificates, secrets, delivery, quota and Velero's backups of production somebody hears."""
    for home, instance in state.productions():
        yield from _missed(state, home, [*_of_instance(state, home, instance), *_of_namespace(home)])
        yield from _requests(state, home, instance)
    for home in state.homes_at("cell"):
        application = names.cell_application(home.site.cell.name)
        yield from _missed(state, home, [*_of_namespace(home), *_of_delivery(state, f'name=~"{application}"')])


def _missed(state: State, home: Home, wanted: list[_Wanted]) -> Iterator[Breach]:
    rules = [rule for manifest in state.of(_GROUP, _RULE, home.namespace) for rule in rules_of(manifest)]
    expressions = [text(rule.get("expr")) for rule in rules if rule.get("alert")]
    for want in wanted:
        if not any(want.met_by(expression) for expression in expressions):
            own = ",".join(want.own)
            late = f", and that it is older than {want.hours} h or not there" if want.hours else ""
            message = f"no alert says what {want.metric} tells of {own}{late}"
            fix = f"an alert on {want.metric}{{{own}}}"
            anchor = rules_about(state, home, "argocd_app")
            yield breach(anchor, "OBS-02", ("spec", "groups"), message, fix, tenant=home.tenant)


def _of_instance(state: State, home: Home, instance: Instance) -> Iterator[_Wanted]:
    called, backup = instance.names, home.tier.backup
    yield _Wanted("traefik_router_request_duration_seconds", (_job(state, "traefik"), _public(home)))
    alerting = state.promises.platform.alerting
    if alerting is not None and alerting.prober:
        yield _Wanted("probe_success", (f'namespace="{home.namespace}"',))
    if instance.release.counts_attachments:
        yield _Wanted("odoo_attachments_unreadable", (f'namespace="{home.namespace}"',))
    yield from _of_delivery(state, f'name=~"{called.infra_application}|{called.app_application}"')
    for end in ("", *(("-dr",) if backup.velero_in_dr_region else ())):
        own = (_job(state, "velero"), f'schedule="{called.instance}{end}"')
        yield _Wanted("velero_backup_last_successful_timestamp", own, 2 * backup.velero_every_hours)


def _of_namespace(home: Home) -> Iterator[_Wanted]:
    here = f'namespace="{home.namespace}"'
    yield _Wanted(_CERTIFICATES, (here,))
    yield _Wanted("externalsecret_status_condition", (here, 'condition="Ready"'))
    yield _Wanted("kube_resourcequota", (here,))


def _of_delivery(state: State, applications: str) -> Iterator[_Wanted]:
    here = _job(state, "argocd")
    yield _Wanted("argocd_app_sync_total", (here, applications))
    yield _Wanted("argocd_app_info", (here, applications, "sync_status"))
    yield _Wanted("argocd_app_info", (here, applications, "health_status"))


def _job(state: State, component: str) -> str:
    return f'job="{state.promises.platform.namespaces.monitoring}/{component}"'


def _public(home: Home) -> str:
    return f'router=~"{routers(home.namespace, "odoo-public", home.tier, home.cluster)}"'


def _requests(state: State, home: Home, instance: Instance) -> Iterator[Breach]:
    """The promised availability in requests: at the same burn rates as in time."""
    percent = home.tier.objectives.availability_percent
    budget = (100 - percent) / 100
    want = _Wanted("traefik_router_requests_total", (_job(state, "traefik"), _public(home)))
    found = set()
    for manifest in state.of(_GROUP, _RULE, home.namespace):
        for rule in rules_of(manifest):
            expression, severity = text(rule.get("expr")), text(mapping(rule.get("labels")).get("severity"))
            limits, windows = _LIMIT.findall(expression), list(dict.fromkeys(_WINDOW.findall(expression)))
            rates = {
                float(rate) for rate, _ in limits if all(abs(float(given) - budget) <= 1e-9 for _, given in limits)
            }
            whole = want.met_by(expression) and len(windows) == len(limits) == 2 and " and " in expression
            if whole and len(rates) == 1 and expression.count('code=~"5.."') == 2:
                found.add((rates.pop(), windows[0], windows[1], severity))
    for rate, long, short, severity in sorted(BURN_RATES - found):
        message = f"no alert says that failing requests use the budget of {percent:g} % {rate:g} times too fast ({long} and {short}, {severity})"
        fix = f"an alert on traefik_router_requests_total{{{_public(home)}}}"
        anchor = rules_about(state, home, "argocd_app")
        yield breach(anchor, "OBS-02", ("spec", "groups"), message, fix, tenant=instance.tenant.name)


@proof("OBS-02")
def probed(state: State) -> Iterator[Breach]:
    """OBS-02: a prober outside opens the login page and the websocket of each host as people do."""
    alerting = state.promises.platform.alerting
    for home, instance in state.productions() if alerting is not None and alerting.prober else ():
        found = state.of(_GROUP, "Probe", home.namespace)
        opened = {
            (text(probe.spec.get("module")), text(address))
            for probe in found
            for address in items(dig(probe.value, "spec", "targets", "staticConfig", "static"))
            if dig(probe.value, "spec", "prober", "url") == (alerting.prober if alerting else "")
        }
        for host in instance.hosts:
            for path, module in (("/web/login", "odoo-login"), ("/websocket", "odoo-websocket")):
                module = "odoo-closed" if instance.tenant.access.sources else module
                if (module, f"https://{host}{path}") not in opened:
                    message = f"nobody outside opens https://{host}{path} ({module})"
                    same = state.get(_GROUP, "Probe", home.namespace, path.rpartition("/")[2])
                    anchor = same or next(iter(found), state.anchor(home))
                    yield breach(
                        anchor, "OBS-02", ("spec", "targets"), message, "run 'tenantry render'", tenant=home.tenant
                    )


@proof("OBS-02")
def components(state: State) -> Iterator[Breach]:
    """OBS-02: what the components tell is read with their own labels, and it is heard when one tells nothing any more."""
    space = state.promises.platform.namespaces.monitoring
    rules = state.of(_GROUP, _RULE, space)
    said = [text(rule.get("expr")) for manifest in rules for rule in rules_of(manifest)]
    others = rules or state.of("argoproj.io", "AppProject") or list(state.manifests)
    for name in _SOURCES:
        want = f"(sum(up{{{_job(state, name)}}}) or vector(0)) < 1"
        if want not in said and others:
            message = f"no alert rings when {name} tells nothing"
            yield breach(others[0], "OBS-02", ("spec", "groups"), message, f"an alert on {want}", tenant="")
        monitor = state.get(_GROUP, "PodMonitor", space, name)
        if monitor is None or not _reads(monitor):
            message = f"the metrics of {name} are not read, or without the namespace that they tell of"
            anchor = monitor or (others[0] if others else None)
            if anchor is not None:
                yield breach(anchor, "OBS-02", ("spec",), message, "a PodMonitor with honorLabels: true", tenant="")


def _reads(monitor: Manifest) -> bool:
    """One namespace, by name, and labels that are kept."""
    endpoints = [dict(endpoint) for _, endpoint in entries(monitor.spec.get("podMetricsEndpoints"))]
    spaces = items(dig(monitor.value, "spec", "namespaceSelector", "matchNames"))
    return bool(endpoints) and all(one.get("honorLabels") is True for one in endpoints) and len(spaces) == 1
