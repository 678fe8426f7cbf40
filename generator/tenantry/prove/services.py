"""NET-10: a Service selects Pods of one workload in its own namespace, and has no external address."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, mapping
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.network.selectors import Selector, selector
from tenantry.prove.registration import proof

_FORGED = {("", "Endpoints"), ("discovery.k8s.io", "EndpointSlice")}


@proof("NET-10")
def services(state: State) -> Iterator[Breach]:
    """NET-10: type, selector and addresses of each Service."""
    for manifest in state.manifests:
        if manifest.kind in _FORGED and state.home(manifest):
            message = "manually written addresses can point a Service at any tenant's Pod (CVE-2021-25740)"
            yield breach(manifest, "NET-10", ("metadata",), message, "use a selector")
    for manifest in state.of("", "Service"):
        home = state.home(manifest)
        if home is None:
            continue
        kind = manifest.spec.get("type", "ClusterIP")
        if kind != "ClusterIP":
            message = f"a Service of type {kind} {'leads out by name' if kind == 'ExternalName' else 'is reached from outside, past Traefik'}"
            yield breach(manifest, "NET-10", ("spec", "type"), message, "use ClusterIP")
        for field in ("externalIPs", "externalName", "loadBalancerIP"):
            if manifest.spec.get(field):
                message = f"{field}: the Service could intercept traffic meant for others (CVE-2020-8554)"
                yield breach(manifest, "NET-10", ("spec", field), message, "remove it")
        taken = selector({"matchLabels": mapping(manifest.spec.get("selector"))})
        yield from _makers(state, manifest, taken, home.namespace)


def _makers(state: State, manifest: Manifest, taken: Selector, namespace: str) -> Iterator[Breach]:
    if not taken.requirements:
        message = "the Service selects no Pods, so whoever writes its Endpoints decides where it points"
        yield breach(manifest, "NET-10", ("spec", "selector"), message, "select the Pods of one workload")
        return
    pods = state.index.pods.get(namespace, [])
    makers = sorted(
        {p.maker.identity.name for p in pods if taken.matches({str(k): str(v) for k, v in p.labels.items()})}
    )
    if len(makers) > 1:
        message = f"the Service selects Pods of {' and '.join(makers)}; requests would reach the wrong ones"
        yield breach(manifest, "NET-10", ("spec", "selector"), message, "select the Pods of one workload")
