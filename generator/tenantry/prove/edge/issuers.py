"""EDGE-05: the public issuer can answer the challenge of each host, customers' own domains included.

Which solver answers follows cert-manager's choice (pkg/util/solverpicker/solverpicker.go, v1.21): a named host wins over a
zone, a longer zone over a shorter one, the first over its equals. A solver that asks for labels is left out: an Order has
none that a Certificate could be sure of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tenantry.core.manifest import Manifest, Path, Value, dig, entries, items, mapping, text
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.registration import proof

_SOLVERS: Path = ("spec", "acme", "solvers")


@proof("EDGE-05")
def solvers(state: State) -> Iterator[Breach]:
    """EDGE-05: a solver for each host; by DNS, because the namespaces' policies let nobody reach solver Pods."""
    issuer = state.get("cert-manager.io", "ClusterIssuer", "", state.promises.platform.issuers.public)
    if issuer is None:
        return
    seen: set[tuple[Path, str]] = set()
    for host in _hosts(state):
        for path, message, hint in _faults(state, issuer, host):
            if (path, hint) not in seen:  # one fault of a solver, however many hosts it answers for
                seen.add((path, hint))
                yield breach(issuer, "EDGE-05", path, message, hint, tenant="")


def _hosts(state: State) -> Iterator[str]:
    for home in state.homes_at("instance"):
        if home.instance is not None:
            yield from home.instance.certificates.values()


def _faults(state: State, issuer: Manifest, host: str) -> Iterator[tuple[Path, str, str]]:
    platform = state.promises.platform
    found = _picked(issuer, host)
    if found is None:
        yield (
            _SOLVERS,
            f"no solver answers for '{host}', so it gets no certificate",
            "add a dns01 solver without a selector",
        )
        return
    number, solver = found
    path: Path = (*_SOLVERS, number)
    dns = mapping(solver.get("dns01"))
    if not dns:
        message = f"'{host}' is answered by HTTP: no NetworkPolicy lets anybody reach the solver's Pod in its namespace"
        yield path, message, "use dns01"
        return
    promised = platform.issuers.dns_solver
    webhook = mapping(dns.get("webhook"))
    if (webhook.get("groupName"), webhook.get("solverName")) != (promised.group, promised.name):
        message = f"'{host}' is answered by another DNS solver than {promised.group}/{promised.name}"
        yield (*path, "dns01"), message, "use the webhook of issuers.dnsSolver"
    if dns.get("cnameStrategy") != "Follow" and not host.endswith(f".{platform.domain}"):
        message = f"the challenge of '{host}' would be answered in its own zone, which the provider can't write"
        yield (*path, "dns01", "cnameStrategy"), message, "cnameStrategy: Follow"


def _picked(issuer: Manifest, host: str) -> tuple[int, Mapping[str, object]] | None:
    """The solver that cert-manager takes for a host, with its place in the list."""
    best: tuple[int, Mapping[str, object]] | None = None
    weight = (False, 0)
    for number, solver in entries(dig(issuer.value, *_SOLVERS)):
        given = _weight(mapping(solver.get("selector")), host)
        if given is not None and (best is None or given > weight):
            best, weight = (number, solver), given
    return best


def _weight(selector: Value, host: str) -> tuple[bool, int] | None:
    """How closely a selector fits a host; None when it doesn't."""
    if selector.get("matchLabels"):
        return None
    hosts, zones = ([text(one).rstrip(".") for one in items(selector.get(key))] for key in ("dnsNames", "dnsZones"))
    fitting = [zone for zone in zones if host == zone or host.endswith(f".{zone}")]
    if (hosts and host not in hosts) or (zones and not fitting):
        return None
    return bool(hosts), max((zone.count(".") + 1 for zone in fitting), default=0)
