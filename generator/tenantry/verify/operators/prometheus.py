"""What the Prometheus operator's admission webhook refuses: pkg/admission and Prometheus' rulefmt, v0.95.1."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.core.codes import Code, declare
from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, mapping
from tenantry.verify.index import Index
from tenantry.verify.kubernetes.workloads import selects
from tenantry.verify.registration import MadePods, Ports, makes_pods, makes_services, references_of, rule_for
from tenantry.verify.selection import selected

declare(
    Code(
        "V045",
        "Prometheus rejects the rule",
        "Not exactly one of alert and record, or an invalid duration, name or group.",
    ),
    Code(
        "V090",
        "Alertmanager's routes name what is not there",
        "A receiver or time interval is missing or there twice; the operator drops all of the object.",
    ),
)

_DURATION = re.compile(r"0|(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


GROUP = "monitoring.coreos.com"


@rule_for(GROUP, "PrometheusRule")
def rules(manifest: Manifest) -> Iterator[Problem]:
    seen = set()
    for index, group in entries(manifest.spec.get("groups")):
        path: Path = ("spec", "groups", index)
        name = str(group.get("name"))
        if name in seen:
            yield Problem("V045", (*path, "name"), f"the group '{name}' is there twice")
        seen.add(name)
        for number, rule in entries(group.get("rules")):
            yield from _rule(rule, (*path, "rules", number))


def _rule(content: object, path: Path) -> Iterator[Problem]:
    rule = mapping(content)
    alert, record = rule.get("alert"), rule.get("record")
    if bool(alert) == bool(record):
        yield Problem("V045", path, "a rule has either alert or record")
    if record and not _METRIC.fullmatch(str(record)):
        yield Problem("V045", (*path, "record"), f"'{record}' is no metric name")
    for name in ("for", "keep_firing_for"):
        if name not in rule:
            continue
        if record:
            yield Problem("V045", (*path, name), f"a recording rule has no '{name}'")
        if not rule[name] or not _DURATION.fullmatch(str(rule[name])):
            yield Problem("V045", (*path, name), f"'{rule[name]}' is no duration", "write it like 5m or 1h30m")
    if record and rule.get("annotations"):
        yield Problem("V045", (*path, "annotations"), "a recording rule has no annotations")
    if rule.get("expr") in (None, ""):
        yield Problem("V045", (*path, "expr"), "an expression is needed")
    yield from _labels(rule, path)


def _labels(rule: Value, path: Path) -> Iterator[Problem]:
    for part in ("labels", "annotations"):
        for key in mapping(rule.get(part)):
            if not _LABEL.fullmatch(key) or key == "__name__":
                yield Problem("V045", (*path, part, key), f"'{key}' is no label name")


@rule_for(GROUP, "AlertmanagerConfig")
def routing(manifest: Manifest) -> Iterator[Problem]:
    """The operator leaves out an AlertmanagerConfig with a dangling name (pkg/alertmanager/validation), and says so in its log only."""
    spec = manifest.spec
    kinds = ("muteTimeIntervals", "timeIntervals")
    names = {"receiver": _names(spec, "receivers"), "time interval": [n for kind in kinds for n in _names(spec, kind)]}
    for what, there in names.items():
        for name in sorted({name for name in there if there.count(name) > 1}):
            yield Problem("V090", ("spec",), f"the {what} '{name}' is there twice")
    if not mapping(spec.get("route")).get("receiver"):
        yield Problem("V090", ("spec", "route"), "the first route names no receiver")
    yield from _route(mapping(spec.get("route")), ("spec", "route"), names)


def _names(spec: Value, field: str) -> list[str]:
    return [str(one.get("name")) for _, one in entries(spec.get(field))]


def _route(route: Value, path: Path, names: dict[str, list[str]]) -> Iterator[Problem]:
    receiver = route.get("receiver")
    if receiver and receiver not in names["receiver"]:
        yield Problem("V090", (*path, "receiver"), f"there is no receiver '{receiver}'")
    for field in ("activeTimeIntervals", "muteTimeIntervals"):
        given = route.get(field)
        for index, name in enumerate(given if isinstance(given, list) else []):
            if name not in names["time interval"]:
                yield Problem("V090", (*path, field, index), f"there is no time interval '{name}'")
    for index, child in entries(route.get("routes")):
        yield from _route(child, (*path, "routes", index), names)


_MADE: dict[str, tuple[str, Ports]] = {
    "Prometheus": ("prometheus", frozenset({"web", 9090, "reloader-web", 8080})),
    "PrometheusAgent": ("prometheus-agent", frozenset({"web", 9090, "reloader-web", 8080})),
    "Alertmanager": ("alertmanager", frozenset({"web", 9093, "mesh-tcp", "mesh-udp", 9094, "reloader-web", 8080})),
    "ThanosRuler": ("thanos-ruler", frozenset({"web", "http", 10902, "grpc", 10901, "reloader-web", 8080})),
}
"""What the operator names its Pods after, and their ports (pkg/prometheus, pkg/alertmanager, pkg/thanos)."""


@makes_pods(GROUP, *_MADE)
def servers(manifest: Manifest) -> Iterator[MadePods]:
    name, (program, ports) = manifest.identity.name, _MADE[manifest.identity.kind]
    own = {
        "app.kubernetes.io/name": program, "app.kubernetes.io/instance": name, program: name,
        "app.kubernetes.io/managed-by": "prometheus-operator", "operator.prometheus.io/name": name,
        "operator.prometheus.io/shard": "0",
    }  # fmt: skip
    labels = {**mapping(mapping(manifest.spec.get("podMetadata")).get("labels")), **own}
    yield MadePods(manifest.identity.namespace, labels, ports, manifest)


@makes_services(GROUP, *_MADE)
def governing_service(manifest: Manifest) -> Iterator[tuple[str, Ports]]:
    """The headless Service of the servers of a kind."""
    program, ports = _MADE[manifest.identity.kind]
    yield f"{program}-operated", ports


_SELECTORS = {"PodMonitor": "podMonitor", "PrometheusRule": "rule", "ServiceMonitor": "serviceMonitor"}
_READERS = {"PrometheusRule": ("Prometheus", "ThanosRuler")}


@references_of(GROUP, *_SELECTORS)
def taken(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A Prometheus reads what its selectors take; without a selector nothing (pkg/apis/monitoring/v1, PrometheusSpec)."""
    kind, namespace = manifest.identity.kind, manifest.identity.namespace
    servers = [m for one in _READERS.get(kind, ("Prometheus", "PrometheusAgent")) for m in index.of(GROUP, one)]
    home = index.get("", "Namespace", "", namespace)
    labels = {**(home.labels if home is not None else {}), "kubernetes.io/metadata.name": namespace}
    for server in servers:
        own, spaces = (server.spec.get(f"{_SELECTORS[kind]}{end}") for end in ("Selector", "NamespaceSelector"))
        here = server.identity.namespace == namespace
        within = (home is None or selects(spaces, labels)) if isinstance(spaces, dict) else here
        if isinstance(own, dict) and within and selects(own, manifest.labels):
            return
    if servers and not index.partial:
        message = f"no {servers[0].identity.kind} of the tree takes the {kind}: {servers[0].identity} asks for other labels or namespaces"
        yield Problem("V063", ("metadata", "labels"), message, f"see its {_SELECTORS[kind]}Selector", "warning")


@references_of("monitoring.coreos.com", "PodMonitor", "ServiceMonitor")
def monitor(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """PodMonitor and ServiceMonitor: a selector that takes something, and ports by their names."""
    pods = manifest.identity.kind == "PodMonitor"
    field = "podMetricsEndpoints" if pods else "endpoints"
    chosen = mapping(manifest.spec.get("namespaceSelector"))
    names = chosen.get("matchNames")
    spaces = [str(n) for n in names] if isinstance(names, list) and names else [manifest.identity.namespace]
    if chosen.get("any") or not all(index.makes_namespace(space) and index.pods.get(space) for space in spaces):
        return
    selector = mapping(manifest.spec.get("selector"))
    if pods:
        ports = [p.ports for space in spaces for p in selected(index, space, selector)]
    else:
        ports = [
            index.services.get((s.identity.namespace, s.identity.name)) or frozenset()
            for s in index.of("", "Service") if s.identity.namespace in spaces and selects(selector, s.labels)
        ]  # fmt: skip
    if not ports:
        what = "Pod" if pods else "Service"
        yield Problem("V063", ("spec", "selector"), f"the selector takes no {what}, so nothing is measured")
        return
    for number, endpoint in entries(manifest.spec.get(field)):
        port = endpoint.get("port")
        if isinstance(port, str) and not any(port in there for there in ports):
            known = sorted({p for there in ports for p in there if isinstance(p, str)})
            yield Problem(
                "V062",
                ("spec", field, number, "port"),
                f"nothing selected has a port '{port}'",
                f"there are {', '.join(known) or 'none'}",
            )
