"""OBS-03: each alert says whose it is, and reaches who answers for it, at the hours that its tier is sold with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.core.manifest import Manifest, Path, entries, items, mapping, text
from tenantry.model.alerting import WAKING
from tenantry.prove.alertmanager import ALWAYS, Notified, bits, notified, of_namespace
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof
from tenantry.resolve import on_call
from tenantry.resolve.on_call import OnCall

_GROUP, _CONFIG = "monitoring.coreos.com", "AlertmanagerConfig"
_SEVERITIES = ("page", "ticket")
Labels = Mapping[str, str]
"""Of an alert, with its name."""


@dataclass(frozen=True, slots=True)
class _Owner:
    """Whose alerts those of a namespace are."""

    namespace: str
    tenant: str
    labels: Mapping[str, str]
    call: OnCall | None
    config: str
    """Name of its AlertmanagerConfig."""
    server_cell: str = ""
    """During a move, the cell of the server that a namespace still has of its own."""


def _owners(state: State) -> Iterator[_Owner]:
    platform, cluster = state.promises.platform, state.cluster.name
    space = platform.namespaces.monitoring
    yield _Owner(
        space,
        "",
        {"namespace": space, "cluster": cluster, "scope": "platform"},
        on_call.of_platform(platform),
        "platform",
    )
    for home in state.homes_at():
        shared = {"namespace": home.namespace, "cluster": cluster, "cell": home.site.cell.name, "tier": home.tier.name}
        if home.instance is None:
            call = on_call.of_cell(platform)
            yield _Owner(home.namespace, "", {**shared, "scope": "cell"}, call, home.namespace)
        elif _is_watched(home):
            call = on_call.of_instance(home.instance, home.site)
            labels = {**shared, "scope": "tenant", "tenant": home.tenant}
            yield _Owner(home.namespace, home.tenant, labels, call, home.instance.name, home.database_site.cell.name)


def _is_watched(home: Home) -> bool:
    return home.instance is not None and home.instance.environment == "production" and home.instance.running


@proof("OBS-03")
def routes(state: State) -> Iterator[Breach]:
    """OBS-03."""
    owners = {owner.namespace: owner for owner in _owners(state)}
    space = state.promises.platform.namespaces.monitoring
    configs: dict[str, Manifest] = {}
    wrong: set[str] = set()
    for config in state.of(_GROUP, _CONFIG):
        faults = list(_config(config, owners, space))
        yield from faults
        configs[config.identity.name] = config
        wrong |= {config.identity.name} if faults else set()
    for owner in owners.values():
        alerts: list[Labels] = []
        for manifest in state.of(_GROUP, "PrometheusRule", owner.namespace):
            yield from _labelled(manifest, owner, alerts)
        if owner.call is not None and alerts and owner.config not in wrong:
            yield from _heard(state, owner, owner.call, alerts, configs.get(owner.config))
    if owners[space].call is not None:
        yield from _inhibitions(state, space)


def _labelled(manifest: Manifest, owner: _Owner, sound: list[Labels]) -> Iterator[Breach]:
    """Labels by which alerts are found and silenced; those of alerts without a fault are added to `sound`."""
    for number, group in entries(manifest.spec.get("groups")):
        for index, rule in entries(group.get("rules")):
            if not rule.get("alert"):
                continue
            path: Path = ("spec", "groups", number, "rules", index, "labels")
            labels = {name: text(value) for name, value in mapping(rule.get("labels")).items()}
            name = next((name for name, value in owner.labels.items() if labels.get(name) != value), "")
            if name and not (name == "cell" and labels.get(name) == owner.server_cell):
                message = f"{rule['alert']} says {name} '{labels.get(name, '')}': it is found and silenced with others' alerts"
                yield breach(manifest, "OBS-03", (*path, name), message, f"'{owner.labels[name]}'", tenant=owner.tenant)
            elif labels.get("severity") not in _SEVERITIES:
                message = f"{rule['alert']} has the severity '{labels.get('severity', '')}', which no route knows"
                hint = f"one of {', '.join(_SEVERITIES)}"
                yield breach(manifest, "OBS-03", (*path, "severity"), message, hint, tenant=owner.tenant)
            else:
                sound.append({**labels, "alertname": text(rule["alert"])})


def _heard(
    state: State, owner: _Owner, call: OnCall, alerts: list[Labels], config: Manifest | None
) -> Iterator[Breach]:
    """The first alert that does not reach whom it should."""
    if config is None:
        found = state.of(_GROUP, "PrometheusRule", owner.namespace)[0]
        message = f"no AlertmanagerConfig takes the alerts of {owner.namespace}, so nobody is notified"
        yield breach(found, "OBS-03", ("metadata", "namespace"), message, "run 'tenantry render'", tenant=owner.tenant)
        return
    fault = next((fault for labels in alerts if (fault := _unheard(labels, call, config))), "")
    if fault:
        yield breach(config, "OBS-03", ("spec", "route"), fault, "run 'tenantry render'", tenant=owner.tenant)


def _unheard(labels: Labels, call: OnCall, config: Manifest) -> str:
    """Why an alert does not reach whom it should, when it should; empty if it does."""
    alert, found = labels["alertname"], list(notified(config, labels))
    promised = {call.page.name: call.page.kind, call.ticket.name: call.ticket.kind}
    stranger = next(
        (one for one in found if one.receiver not in promised or one.kinds != {promised[one.receiver]}), None
    )
    if stranger is not None:
        return f"{alert} reaches '{stranger.receiver}', which is not who is promised to be notified"
    silent = _bits(call.muted) if labels.get("symptom") == "true" else 0
    heard = _minutes(found)
    if ~heard & ALWAYS & ~silent:
        return f"{alert} reaches nobody {_share(~heard & ALWAYS & ~silent)} of the week"
    waking = _minutes([one for one in found if one.kinds & WAKING])
    hours = _bits(call.hours) if call.hours is not None else ALWAYS
    if labels["severity"] == "page" and hours & ~silent & ~waking:
        return f"{alert} wakes nobody {_share(hours & ~silent & ~waking)} of the week, within the hours of support"
    return ""


def _bits(spans: tuple[tuple[int, int], ...]) -> int:
    return sum(bits(span) for span in spans)


def _minutes(found: list[Notified]) -> int:
    minutes = 0
    for one in found:
        minutes |= one.minutes
    return minutes


def _share(minutes: int) -> str:
    return f"for {minutes.bit_count() / 60:g} hours"


def _config(config: Manifest, owners: Mapping[str, _Owner], space: str) -> Iterator[Breach]:
    """An AlertmanagerConfig takes alerts of its own home only, and only the platform's has a say in what is silenced."""
    where, name = of_namespace(config), config.identity.name
    owner = next((owner for owner in owners.values() if owner.config == name), None)
    path: Path = ("spec", "route", "matchers")
    if config.identity.namespace != space or owner is None:
        whose = owners[config.identity.namespace].tenant if config.identity.namespace in owners else ""
        message = f"this AlertmanagerConfig belongs to no instance, cell or platform of {space}"
        yield breach(config, "OBS-03", ("metadata",), message, "remove it", tenant=whose)
        return
    platform = any(
        dict(matcher) == {"name": "scope", "matchType": "=", "value": "platform"}
        for _, matcher in entries(mapping(config.spec.get("route")).get("matchers"))
    )
    if where != owner.namespace and not (name == "platform" and platform):
        message = f"takes alerts of {where or 'every namespace'}; its own is {owner.namespace}"
        yield breach(config, "OBS-03", path, message, "match the own namespace", tenant=owner.tenant)
    if name != "platform" and items(config.spec.get("inhibitRules")):
        message = "silences alerts; only the platform's AlertmanagerConfig does"
        yield breach(config, "OBS-03", ("spec", "inhibitRules"), message, "remove it", tenant=owner.tenant)


_EQUAL = {"platform": {"cluster"}, "cell": {"cluster", "cell"}, "tenant": {"cluster", "namespace"}}
"""Scope of the alert that silences -> labels in which the silenced one must equal it; every alert has them."""


def _inhibitions(state: State, space: str) -> Iterator[Breach]:
    """What is down silences its own symptoms: all of them, and nobody else's."""
    config = state.get(_GROUP, _CONFIG, space, "platform")
    if config is None:
        others = state.of("argoproj.io", "AppProject") or list(state.manifests)
        message = f"AlertmanagerConfig {space}/platform is missing: nobody hears the platform's alerts"
        yield breach(others[0], "OBS-03", (), message, "run 'tenantry render'", tenant="")
        return
    left = set(_EQUAL)
    for index, rule in entries(config.spec.get("inhibitRules")):
        path: Path = ("spec", "inhibitRules", index)
        source, target = _said(rule.get("sourceMatch")), _said(rule.get("targetMatch"))
        scope, equal = source.get("scope", ""), set(map(text, items(rule.get("equal"))))
        if target != {"scope": "tenant", "symptom": "true"}:
            message = "silences more than the symptoms of tenants"
            yield breach(
                config, "OBS-03", (*path, "targetMatch"), message, "only scope tenant and symptom true", tenant=""
            )
        elif not _EQUAL.get(scope, {""}) <= equal:
            message = f"an alert of scope '{scope}' silences those of others: it needn't be of the same {' and '.join(sorted(_EQUAL.get(scope, {'scope'}) - equal))}"
            yield breach(config, "OBS-03", (*path, "equal"), message, "name the label in equal", tenant="")
        else:
            left.discard(scope)
    for scope in sorted(left):
        message = f"an outage of a {scope} is announced once for each of its symptoms"
        yield breach(config, "OBS-03", ("spec", "inhibitRules"), message, "run 'tenantry render'", tenant="")


def _said(matchers: Any) -> dict[str, str]:
    """Labels that matchers ask for; a matcher of another type asks for nothing that could be relied on."""
    return {
        text(one.get("name")): text(one.get("value")) if one.get("matchType") == "=" else ""
        for _, one in entries(matchers)
    }
