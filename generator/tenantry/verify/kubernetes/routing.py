"""What an Ingress leads to, and Services that can't lead anywhere: pkg/apis/{core,networking}/validation of Kubernetes 1.37."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, mapping, text
from tenantry.verify.index import Index, missing
from tenantry.verify.kubernetes.pods import secret
from tenantry.verify.registration import references_of, rule_for

_ADDRESS = re.compile(r"[0-9]+(?:\.[0-9]+){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*")


@references_of("networking.k8s.io", "Ingress")
def leads_to(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """An Ingress: Services, their ports, and certificates."""
    namespace, spec = manifest.identity.namespace, manifest.spec
    yield from _backend(index, namespace, mapping(spec.get("defaultBackend")), ("spec", "defaultBackend"))
    for number, rule in entries(spec.get("rules")):
        for place, path in entries(mapping(rule.get("http")).get("paths")):
            where: Path = ("spec", "rules", number, "http", "paths", place, "backend")
            yield from _backend(index, namespace, mapping(path.get("backend")), where)
    if any(str(key).startswith("cert-manager.io/") for key in manifest.annotations):
        return  # cert-manager makes the Secrets
    for number, tls in entries(spec.get("tls")):
        yield from secret(
            index,
            namespace,
            {"name": tls.get("secretName")},
            ("spec", "tls", number, "secretName"),
            ["tls.crt", "tls.key"],
        )


def _backend(index: Index, namespace: str, backend: Value, path: Path) -> Iterator[Problem]:
    service = mapping(backend.get("service"))
    name, port = text(service.get("name")), mapping(service.get("port"))
    if not name:
        return
    if (namespace, name) not in index.services:
        if not index.has("", "Service", namespace, name):
            yield missing(index, namespace, (*path, "service", "name"), f"Service '{name}' in '{namespace}'")
        return
    ports, wanted = index.services[namespace, name], port.get("number", port.get("name"))
    if ports is not None and isinstance(wanted, (str, int)) and wanted not in ports:
        there = f"it has {', '.join(map(str, sorted(ports, key=str)))}"
        yield Problem("V062", (*path, "service", "port"), f"the Service '{name}' has no port '{wanted}'", there)


@rule_for("", "Service")
def outside(manifest: Manifest) -> Iterator[Problem]:
    """Fields that go with some types of a Service only."""
    spec, kind = manifest.spec, manifest.spec.get("type", "ClusterIP")
    if kind == "ExternalName":
        name = text(spec.get("externalName"))
        if not name:
            yield Problem("V050", ("spec", "externalName"), "a Service of type ExternalName needs a name to lead to")
        elif _ADDRESS.fullmatch(name):
            message = f"'{name}' is an address, but is looked up as a name, so nobody gets there"
            hint = "use a Service without selector, and an EndpointSlice"
            yield Problem("V058", ("spec", "externalName"), message, hint, "warning")
    elif kind == "ClusterIP" and spec.get("externalTrafficPolicy") and not spec.get("externalIPs"):
        path = ("spec", "externalTrafficPolicy")
        yield Problem("V050", path, "externalTrafficPolicy needs type NodePort or LoadBalancer, or externalIPs")
    if kind != "LoadBalancer":
        for field in ("loadBalancerSourceRanges", "loadBalancerClass"):
            if spec.get(field):
                message = f"{field} has no effect on a Service of type {kind}: it may be used on LoadBalancers only"
                yield Problem("V050", ("spec", field), message, "set type: LoadBalancer")
