"""NET-10, EDGE-01, EDGE-02 and EDGE-05 on any tree: Services, and who serves which host, by what, and with which certificate."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, entries, items, mapping, text
from tenantry.engine.languages import Refusal
from tenantry.prove.edge.rules import UnreadableRuleError, alternatives, hosts
from tenantry.prove.unpromised.evidence import Evidence, fact
from tenantry.verify.index import Index

_ROUTES = (("networking.k8s.io", "Ingress"), ("traefik.io", "IngressRoute"))
_PLAIN = frozenset({"web", "http"})
"""Entry points that people call so serve without TLS, and mostly redirect."""
_SNI = re.compile(r"[`\"]([^`\"*]+)[`\"]")


def services(index: Index) -> Iterator[Evidence]:
    """NET-10: Services that lead out, or that are reached past the edge."""
    found = index.of("", "Service")
    facts = [fact(m, what) for m in found if (what := _special(m))]
    for kind in (("", "Endpoints"), ("discovery.k8s.io", "EndpointSlice")):
        facts += (fact(m, "addresses that somebody wrote") for m in index.of(*kind))
    yield Evidence(
        ("NET-10",), len(found), "each of {all} Services selects Pods of its namespace, and is reached inside of the cluster only",
        "some Services lead out of their namespace, or are reached from outside of the cluster", tuple(facts),
    )  # fmt: skip


def _special(service: Manifest) -> str:
    kind = service.spec.get("type", "ClusterIP")
    if kind != "ClusterIP":
        return f"type {kind}"
    if items(service.spec.get("externalIPs")):
        return "externalIPs"
    return "" if mapping(service.spec.get("selector")) else "selects no Pods"


def routes(index: Index) -> Iterator[Evidence]:
    """EDGE-01: hosts and the namespaces that serve them. EDGE-02: references into other namespaces. EDGE-05: TLS."""
    found = [m for kind in _ROUTES for m in index.of(*kind)]
    owners: dict[str, dict[str, Manifest]] = defaultdict(dict)
    facts = []
    for manifest in found:
        named, anything = _hosts(manifest, index)
        for host in named:
            owners[host].setdefault(manifest.identity.namespace, manifest)
        if anything:
            facts.append(fact(manifest, "takes requests for any host"))
    for host, there in sorted(owners.items()):
        if len(there) > 1:
            facts += (
                fact(manifest, f"serves '{host}', as {len(there) - 1} other namespaces do")
                for manifest in there.values()
            )
    yield Evidence(
        ("EDGE-01",), len(owners) + len(facts), "each of {all} hosts is served from one namespace; whose it is, nobody says here",
        "hosts are served from several namespaces, or every request is taken", tuple(facts),
    )  # fmt: skip
    across = [fact(m, what) for m in index.of("traefik.io", "IngressRoute") for what in _across(m)]
    yield Evidence(
        ("EDGE-02",), len(found), "every route refers to objects of its own namespace",
        "routes refer to objects of other namespaces, or of other providers", tuple(across),
    )  # fmt: skip
    bare = [fact(m) for m in found if not _is_encrypted(m)]
    yield Evidence(
        ("EDGE-05",), len(found), "each of {all} routes has TLS, or is for entry points without it",
        "{bad} of {all} routes answer without TLS", tuple(bare),
    )  # fmt: skip


def _hosts(manifest: Manifest, index: Index) -> tuple[set[str], bool]:
    """Hosts that are named, and whether any request is taken."""
    if manifest.identity.kind == "Ingress":
        named = {text(rule.get("host")) for _, rule in entries(manifest.spec.get("rules"))}
        return named - {""}, "" in named or bool(manifest.spec.get("defaultBackend"))
    if items(manifest.spec.get("parentRefs")):
        return set(), False  # it takes a part of what its parent takes
    found: set[str] = set()
    anything = False
    for _, route in entries(manifest.spec.get("routes")):
        rule = index.readings.rules.get(text(route.get("match")))
        if rule is None or isinstance(rule, Refusal):
            continue
        try:
            for conjunct in alternatives(rule):
                own = hosts(conjunct)
                anything = anything or own is None
                found |= own or set()
        except UnreadableRuleError:
            anything = True
    return found, anything


def _across(manifest: Manifest) -> Iterator[str]:
    own = manifest.identity.namespace
    for _, route in entries(manifest.spec.get("routes")):
        for field in ("middlewares", "services"):
            for _, reference in entries(route.get(field)):
                name, space = text(reference.get("name")), text(reference.get("namespace"))
                if "@" in name or (space and space != own):
                    yield f"'{name}' of {space or 'another provider'}"


def _is_encrypted(manifest: Manifest) -> bool:
    if manifest.identity.kind == "Ingress":
        return bool(items(manifest.spec.get("tls")))
    points = set(map(text, items(manifest.spec.get("entryPoints"))))
    return isinstance(manifest.spec.get("tls"), dict) or (bool(points) and points <= _PLAIN)
