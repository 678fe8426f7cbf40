"""BKP-08: of an instance's two places, one writes, and Odoo is there alone."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, dig, how_many
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof
from tenantry.prove.replicas import fenced, follows, writes

_POSTGRESQL = ("postgresql.cnpg.io", "Cluster")


@proof("BKP-08")
def one_place_writes(state: State) -> Iterator[Breach]:
    """BKP-08 at one of the places; the other one is looked at with its own cluster."""
    for home in state.homes_at("instance", "standby"):
        if home.instance is None or home.instance.standby is None:
            continue
        servers = state.of(*_POSTGRESQL, home.namespace)
        for server in servers:
            yield from _server(home, server)
        if home.role == "standby":
            yield from _no_odoo(state, home)


def _server(home: Home, server: Manifest) -> Iterator[Breach]:
    replication = home.replication
    serves = home.role == "instance" and (replication is None or not replication.follows)
    path = ("spec", "replica")
    if not serves and writes(server):
        message = f"would take writes in cluster {home.cluster.name}, beside the server of the place that serves"
        yield breach(server, "BKP-08", path, message, "run 'tenantry render'", tenant=home.tenant)
    elif serves and not writes(server) and server.identity.name == home.servers.serving.name:
        message = "follows another server, or is fenced, at the place that serves: nobody could write"
        yield breach(server, "BKP-08", path, message, "run 'tenantry render'", tenant=home.tenant)
    if home.fenced and not fenced(server):
        message = "was lost while it served, and would run again when its place is back"
        fence = ("metadata", "annotations", "cnpg.io/fencedInstances")
        yield breach(server, "BKP-08", fence, message, """'["*"]'""", tenant=home.tenant)
    if replication is not None and follows(server) and dig(server.spec, "replica", "source") != replication.other:
        message = f"follows '{dig(server.spec, 'replica', 'source')}', and its other place is '{replication.other}'"
        yield breach(server, "BKP-08", (*path, "source"), message, f"source: {replication.other}", tenant=home.tenant)


def _no_odoo(state: State, home: Home) -> Iterator[Breach]:
    """At the place that does not serve."""
    for manifest in state.of("apps", "Deployment", home.namespace):
        if how_many(manifest.spec.get("replicas"), 1):
            message = f"runs in cluster {home.cluster.name}, where the instance does not serve"
            yield breach(manifest, "BKP-08", ("spec", "replicas"), message, "remove it", tenant=home.tenant)
    for manifest in state.of("traefik.io", "IngressRoute", home.namespace):
        message = f"leads people to cluster {home.cluster.name}, where the instance does not serve"
        yield breach(manifest, "BKP-08", ("spec", "routes"), message, "remove it", tenant=home.tenant)
