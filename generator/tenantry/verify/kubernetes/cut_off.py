"""Who can't reach Pods that NetworkPolicies isolate, though an object says that they must: Prometheus, the API server, ACME servers.

A webhook is called by the API server, which is in no namespace (docs/reference/access-authn-authz/extensible-admission-controllers);
a challenge by HTTP is answered by a Pod beside the Certificate, on port 8089 (cert-manager v1.21.2, pkg/issuer/acme/http).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, items, mapping, text
from tenantry.verify.index import Index, pod_specs
from tenantry.verify.kubernetes.isolation import OTHER_KINDS, isolating
from tenantry.verify.kubernetes.policy_ports import lets_in
from tenantry.verify.kubernetes.workloads import selects
from tenantry.verify.registration import MadePods, references_of
from tenantry.verify.selection import selected

_MONITORING = "monitoring.coreos.com"
_SOLVER = {"acme.cert-manager.io/http01-solver": "true"}
_SOLVER_PORTS = frozenset({"8089"})


def _unread(index: Index) -> bool:
    """Other policies may allow more, and a part of a cluster may lack the policy that does."""
    return index.partial or any(index.of(*kind) for kind in OTHER_KINDS)


def _closed(index: Index, pods: MadePods, ports: frozenset[str], who: str = "") -> list[Manifest]:
    """The policies by which nobody from another namespace, and no Pod called like `who`, reaches these ports."""
    policies = isolating(index, pods, "Ingress")
    near = [one for one in index.pods.get(pods.namespace, ()) if who and who in " ".join(map(str, one.labels.values()))]
    rules = [rule for policy in policies for _, rule in entries(policy.spec.get("ingress"))]
    return [] if any(lets_in(rule, near) and _opens(rule, ports) for rule in rules) else policies


def _opens(rule: Value, ports: frozenset[str]) -> bool:
    """Whether a rule opens one of the ports, which are names or numbers; all of them where none is known."""
    for _, port in entries(rule.get("ports")):
        first, last = port.get("port"), port.get("endPort")
        if not ports or first is None or str(first) in ports:
            return True
        if (
            isinstance(first, int)
            and isinstance(last, int)
            and any(p.isdigit() and first <= int(p) <= last for p in ports)
        ):
            return True
    return not items(rule.get("ports"))


def _names(policies: Sequence[Manifest]) -> str:
    return ", ".join(sorted({policy.identity.name for policy in policies}))


def _with_numbers(pods: MadePods, port: object) -> frozenset[str]:
    """A port's name and number, as far as the template tells."""
    found = {str(port)} if isinstance(port, (str, int)) else set()
    for _, _, spec in pod_specs(pods.maker):
        for part in ("containers", "initContainers"):
            for _, container in entries(spec.get(part)):
                for _, given in entries(container.get("ports")):
                    own = {str(given.get("name")), str(given.get("containerPort"))}
                    found |= own if found & own else set()
    return frozenset(found) if any(one.isdigit() for one in found) else frozenset()


@references_of(_MONITORING, "PodMonitor", "ServiceMonitor")
def measured(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Pods that a monitor selects and Prometheus can't reach: they look as if they were down."""
    chosen = mapping(manifest.spec.get("namespaceSelector"))
    if _unread(index) or chosen.get("any"):
        return
    spaces = [str(name) for name in items(chosen.get("matchNames"))] or [manifest.identity.namespace]
    field = "podMetricsEndpoints" if manifest.identity.kind == "PodMonitor" else "endpoints"
    for number, endpoint in entries(manifest.spec.get(field)):
        for pods, port in _endpoints(index, manifest, spaces, endpoint):
            if policies := _closed(index, pods, _with_numbers(pods, port), "prometheus"):
                message = (
                    f"nothing lets Prometheus reach this port of the Pods of {pods.maker.identity} from another namespace "
                    f"(NetworkPolicy {_names(policies)}), so nothing is measured"
                )
                path: Path = ("spec", field, number)
                yield Problem("V055", path, message, "allow the port from the namespace of Prometheus", "warning")
                break


def _endpoints(
    index: Index, monitor: Manifest, spaces: Sequence[str], endpoint: Value
) -> Iterator[tuple[MadePods, object]]:
    """(Pods, port) that an endpoint of a monitor measures."""
    selector = mapping(monitor.spec.get("selector"))
    if monitor.identity.kind == "PodMonitor":
        port = endpoint.get("port", endpoint.get("portNumber", endpoint.get("targetPort")))
        yield from ((pods, port) for space in spaces for pods in selected(index, space, selector))
        return
    for service in index.of("", "Service"):
        space = service.identity.namespace
        wanted = mapping(service.spec.get("selector"))
        if space not in spaces or not wanted or not selects(selector, service.labels):
            continue
        for _, port in entries(service.spec.get("ports")):
            if port.get("name") == endpoint.get("port"):
                target = port.get("targetPort", port.get("port"))
                yield from ((pods, target) for pods in selected(index, space, {"matchLabels": wanted}))


@references_of("admissionregistration.k8s.io", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
def asked(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A webhook behind a policy that lets no one in but its own namespace: each request that it is asked about fails."""
    if _unread(index):
        return
    for number, webhook in entries(manifest.value.get("webhooks")):
        reference = mapping(mapping(webhook.get("clientConfig")).get("service"))
        space, name = text(reference.get("namespace")), text(reference.get("name"))
        service = index.get("", "Service", space, name)
        wanted = mapping(service.spec.get("selector")) if service is not None else {}
        for pods in selected(index, space, {"matchLabels": wanted})[:1] if wanted else []:
            if policies := _closed(index, pods, frozenset()):
                message = (
                    f"nothing lets the API server reach the Pods behind the Service '{name}' (NetworkPolicy "
                    f"{_names(policies)}), so the webhook is never answered"
                )
                path: Path = ("webhooks", number, "clientConfig", "service")
                yield Problem(
                    "V055", path, message, "allow the port from everywhere, or from the API server", "warning"
                )


@references_of("cert-manager.io", "Certificate")
def challenged(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A Certificate whose challenge is answered by a Pod that nobody reaches: it is never issued."""
    reference = mapping(manifest.spec.get("issuerRef"))
    kind, space = text(reference.get("kind")) or "Issuer", manifest.identity.namespace
    issuer = index.get("cert-manager.io", kind, space if kind == "Issuer" else "", text(reference.get("name")))
    solvers = [s for _, s in entries(mapping(issuer.spec.get("acme")).get("solvers"))] if issuer is not None else []
    if _unread(index) or not solvers or not all("http01" in solver for solver in solvers):
        return
    pods = MadePods(space, _SOLVER, frozenset(), manifest)
    if policies := _closed(index, pods, _SOLVER_PORTS):
        message = (
            f"its challenge is answered by a Pod in '{space}' that nobody from outside of the namespace may reach "
            f"(NetworkPolicy {_names(policies)}), so it is never issued"
        )
        hint = "allow port 8089 to Pods with the label acme.cert-manager.io/http01-solver"
        yield Problem("V055", ("spec", "issuerRef"), message, hint, "warning")
