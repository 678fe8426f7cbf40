"""SUP-07, Traefik: the configuration that is proved is the one that its Pods read, behind a balancer that keeps addresses.

Traefik takes the first of its sources that it finds: with a file in /etc/traefik none of the chart's arguments
(cmd/traefik/traefik.go, v3.7).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import yaml

from tenantry.core.manifest import Path, Value, dig, entries, items, mapping, text
from tenantry.prove.charts.values import VALUES, installed
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.registration import proof

_MOUNT = {"name": "traefik-static", "mountPath": "/etc/traefik", "type": "configMap"}
_LONGEST = 310
"""Seconds that the configuration gives requests when a Pod ends: requestAcceptGraceTimeout and graceTimeOut."""
Fault = tuple[Path, str, str]


@proof("SUP-07")
def edge(state: State) -> Iterator[Breach]:
    """SUP-07: Traefik's Deployment, Service and configuration."""
    for manifest, field, values in installed(state):
        if field == "traefik":
            for path, message, hint in _faults(state, values):
                yield breach(manifest, "SUP-07", (*VALUES, *path), message, hint, tenant="")


def _faults(state: State, values: Value) -> Iterator[Fault]:
    yield from _pods(values)
    yield from _outside(values)
    yield from _image(state, values)
    yield from _services(values)
    yield from _ports(state, values)


def _pods(values: Value) -> Iterator[Fault]:
    if [dict(volume) for _, volume in entries(values.get("volumes"))] != [_MOUNT]:
        message = "its Pods don't read the configuration that is proved, traefik-static, or read more than it"
        yield ("volumes",), message, f"volumes: [{_MOUNT}]"
    if not _at_least(dig(values, "deployment", "replicas"), 2):
        yield ("deployment", "replicas"), "while its only Pod moves, no tenant is served", "replicas: 3"
    if dig(values, "podDisruptionBudget", "enabled") is not True:
        yield ("podDisruptionBudget",), "nodes may be drained of all of its Pods at once", "enabled: true"
    if not _at_least(dig(values, "deployment", "terminationGracePeriodSeconds"), _LONGEST):
        path: Path = ("deployment", "terminationGracePeriodSeconds")
        yield path, "a rollout of the edge cuts requests that the configuration lets go on", f"at least {_LONGEST}"
    if not dig(values, "deployment", "podAnnotations", "tenantry.io/configuration"):
        yield (
            ("deployment", "podAnnotations"),
            "its Pods don't restart when the configuration changes",
            "run 'tenantry render'",
        )


def _outside(values: Value) -> Iterator[Fault]:
    """What leads past the configuration."""
    if values.get("hostNetwork"):
        yield ("hostNetwork",), "network policies don't know Pods in their node's network", "remove it"
    if dig(values, "providers", "kubernetesCRD", "allowCrossNamespace"):
        path = ("providers", "kubernetesCRD", "allowCrossNamespace")
        yield path, "without the file, routes would reach into other namespaces", "remove it"
    for name in ("additionalArguments", "env", "envFrom", "extraObjects"):
        if items(values.get(name)):
            yield (name,), f"{name} adds what no proof reads", "remove it"


def _image(state: State, values: Value) -> Iterator[Fault]:
    image, platform = mapping(values.get("image")), state.promises.platform
    own, tag = platform.images.traefik, f"v{platform.components.traefik}"
    right = image.get("digest") == own.partition("@")[2] if own else image.get("tag") == tag and "digest" not in image
    if not right:
        yield ("image",), f"runs {dict(image)}; platform.yaml says {own or tag}", "run 'tenantry render'"


def _services(values: Value) -> Iterator[Fault]:
    """Each Service keeps the address of its peer, which is the balancer or the client; a node in between is believed by nobody."""
    private = mapping(dig(values, "service", "additionalServices"))
    services: Mapping[Path, Value] = {
        ("service",): mapping(values.get("service")),
        **{("service", "additionalServices", name): mapping(service) for name, service in private.items()},
    }
    for path, service in services.items():
        if dig(service, "spec", "type") == "LoadBalancer" and dig(service, "spec", "externalTrafficPolicy") != "Local":
            message = (
                "limits and lists of addresses would see a node's address instead of the balancer's or the client's"
            )
            yield (*path, "spec"), message, "externalTrafficPolicy: Local"


def _ports(state: State, values: Value) -> Iterator[Fault]:
    """Ports are the entry points of the configuration; each is shown where it is meant to be."""
    space, cluster = state.promises.platform.namespaces.traefik, state.cluster.traefik
    static = state.get("", "ConfigMap", space, "traefik-static")
    try:
        points = mapping(
            mapping(yaml.safe_load(text(dig(static.value, "data", "traefik.yaml")) if static else "")).get(
                "entryPoints"
            )
        )
    except yaml.YAMLError:
        return  # reported with the configuration
    ports = {name: mapping(port) for name, port in mapping(values.get("ports")).items() if port is not None}
    for name, point in points.items():
        number = text(mapping(point).get("address")).rpartition(":")[2]
        if str(dig(ports, name, "port")) != number:
            yield (
                ("ports",),
                f"the entry point '{name}' listens on {number}, and the chart does not know it",
                f"{name}: {number}",
            )
    shown = {"web": {"default"}, cluster.public_entry_point: {"default"}, cluster.private_entry_point: {"private"}}
    for name, port in ports.items():
        where = {service for service, on in mapping(port.get("expose")).items() if on}
        if where - (shown.get(name, set()) if name in points else set()):
            message = f"'{name}' is reached through the Service {', '.join(sorted(where))}, and is not meant to be"
            yield ("ports", name), message, "run 'tenantry render'"
        if port.get("hostPort"):
            yield ("ports", name, "hostPort"), "is reached at every node", "remove it"


def _at_least(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
