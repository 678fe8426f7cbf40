"""The declared flows: who may speak to whom, on which ports, and why. Whatever is open besides is a breach.

One row is one end of a flow. Both ends are declared, so that neither can be opened by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tenantry.model import names
from tenantry.prove.network.classes import ODOO
from tenantry.prove.network.policies import Direction
from tenantry.prove.network.ports import PortSet, of, tcp
from tenantry.prove.promises import Home

DNS = of(("TCP", 53, 53), ("UDP", 53, 53))


@dataclass(frozen=True, slots=True)
class PodGroup:
    """Pods of roles in a namespace of the same cluster."""

    namespace: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class PlatformServices:
    """Pods of a platform component."""

    role: str


@dataclass(frozen=True, slots=True)
class Outside:
    """Addresses outside the Pod network."""

    cidrs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """One end: Pods of `roles` in the home, and their peer."""

    roles: frozenset[str]
    direction: Direction
    peer: PodGroup | PlatformServices | Outside
    ports: PortSet
    control: str
    why: str


def flows(home: Home) -> Iterator[Flow]:
    """All that is declared for the Pods of a home."""
    yield from _everybody(home)
    if home.drill is not None:
        storage = Outside(home.cluster.object_storage.cidrs)
        yield _out("drill", storage, tcp(443), "NET-06", "the archive is restored for practice")
    if home.role == "cell":
        yield from _postgresql(home)
        yield from _redis(home, [member.names.namespace for member in home.members])
        for member in home.members:
            odoo = PodGroup(member.names.namespace, ODOO)
            yield _in("postgresql", odoo, tcp(5432), "NET-08", f"{member.name} uses the cell's PostgreSQL")
        for guest in home.guests:
            copy = PodGroup(guest.names.namespace, frozenset({"move"}))
            yield _in("postgresql", copy, tcp(5432), "NET-08", f"{guest.name} is copied here")
        for member in home.members:
            if member.filled_from is not None:
                copy = PodGroup(member.names.namespace, frozenset({"move"}))
                yield _in("unused postgresql", copy, tcp(5432), "NET-08", f"the database of {member.name} is taken out")
        return
    yield from _postgresql(home)
    if home.role == "standby":
        return
    yield from _odoo(home)
    yield from _redis(home, [home.namespace])
    yield _in("postgresql", PodGroup(home.namespace, ODOO), tcp(5432), "NET-08", "Odoo uses its own PostgreSQL")
    yield from _pooler(home)


def _in(role: str, peer: PodGroup | PlatformServices | Outside, ports: PortSet, control: str, why: str) -> Flow:
    return Flow(frozenset({role}), "ingress", peer, ports, control, why)


def _out(role: str, peer: PodGroup | PlatformServices | Outside, ports: PortSet, control: str, why: str) -> Flow:
    return Flow(frozenset({role}), "egress", peer, ports, control, why)


def _everybody(home: Home) -> Iterator[Flow]:
    roles = ODOO | {"redis", "postgresql", "unused postgresql", "pooler", "drill", ""}
    yield Flow(roles, "egress", PlatformServices("dns"), DNS, "NET-05", "names are looked up in the cluster")
    local = home.cluster.node_local_dns
    if local:
        yield Flow(roles, "egress", Outside((f"{local}/32",)), DNS, "NET-05", "the node's own DNS cache")


def _odoo(home: Home) -> Iterator[Flow]:
    instance = home.instance
    assert instance is not None
    own = PodGroup(home.namespace, ODOO)
    for role in ODOO:
        yield _in(role, PlatformServices("traefik"), tcp(8069, 8072), "NET-04", "Traefik brings requests")
        yield _in(role, PlatformServices("prometheus"), tcp(8069), "NET-04", "Prometheus reads metrics")
        yield _in(role, own, tcp(8069), "NET-04", "reports are fetched from the web Pods")
        yield _out(
            role,
            PodGroup(home.namespace, frozenset({"web"})),
            tcp(8069),
            "NET-04",
            "reports are fetched from the web Pods",
        )
        cell = names.cell_namespace(home.site.cell.name)
        database = PodGroup(home.namespace if home.own_postgresql else cell, frozenset({"postgresql"}))
        yield _out(role, database, tcp(5432), "NET-08", "Odoo uses its PostgreSQL")
        target = instance.copied_to
        if role == "move" and target is not None:
            own_server = target.settings.postgresql is not None
            space = home.namespace if own_server else names.cell_namespace(target.site.cell.name)
            yield _out(role, PodGroup(space, frozenset({"postgresql"})), tcp(5432), "NET-08", "the copy is written")
            if instance.filled_from is not None:
                yield _out(
                    role, PodGroup(space, frozenset({"unused postgresql"})), tcp(5432), "NET-08", "the copy is read"
                )
        if role == "move" and instance.transfers == "restore" and instance.move is not None:
            left = instance.move.other.site.cluster.object_storage
            yield _out(role, Outside(left.cidrs), tcp(443), "NET-06", "what was copied in the other cluster is read")
        sessions = PodGroup(home.namespace if home.own_redis else cell, frozenset({"redis"}))
        yield _out(role, sessions, tcp(6379), "NET-08", "Odoo uses its Redis")
        storage = Outside(home.cluster.object_storage.cidrs)
        yield _out(role, storage, tcp(443), "NET-06", "attachments lie in object storage")
        if instance.environment == "production":
            yield _out(
                role,
                PlatformServices("mail-relay"),
                tcp(home.site.platform.mail.port),
                "NET-04",
                "mail leaves by the relay",
            )
        if instance.environment != "recovery":
            for integration in instance.tenant.integrations:
                peer = Outside(integration.cidrs)
                yield _out(role, peer, tcp(integration.port), "NET-06", f"integration '{integration.name}'")


def _postgresql(home: Home) -> Iterator[Flow]:
    """Of the server that Odoo uses, and of one beside it that nobody does."""
    yield from _server(home, "postgresql")
    if home.servers.beside is not None:
        yield from _server(home, "unused postgresql")


def _server(home: Home, role: str) -> Iterator[Flow]:
    own = PodGroup(home.namespace, frozenset({role}))
    between = tcp(5432, 8000)
    yield _in(role, PlatformServices("cloudnative-pg"), between, "NET-08", "the operator asks for status")
    yield _in(role, own, between, "NET-08", "replication")
    yield _in(role, PlatformServices("prometheus"), tcp(9187), "NET-08", "Prometheus reads metrics")
    yield _out(role, own, between, "NET-08", "replication")
    yield _out(role, Outside(home.cluster.networks.api_server), tcp(home.cluster.api_server_port), "NET-07",
               "instances speak to the API server")  # fmt: skip
    stores = home.cluster.object_storage.cidrs
    if home.role == "standby" or home.replication is not None:
        stores += home.site.partner.object_storage.cidrs
    yield _out(role, Outside(stores), tcp(443), "NET-06", "WAL and base backups")


def _redis(home: Home, users: list[str]) -> Iterator[Flow]:
    own = PodGroup(home.namespace, frozenset({"redis"}))
    yield _in("redis", own, tcp(6379), "NET-08", "replication")
    yield _out("redis", own, tcp(6379), "NET-08", "replication")
    for namespace in users:
        yield _in("redis", PodGroup(namespace, ODOO), tcp(6379), "NET-08", "sessions of Odoo")


def _pooler(home: Home) -> Iterator[Flow]:
    own = PodGroup(home.namespace, frozenset({"postgresql"}))
    yield _in(
        "postgresql", PodGroup(home.namespace, frozenset({"pooler"})), tcp(5432), "NET-08", "reporting by the pooler"
    )
    yield _out("pooler", own, tcp(5432), "NET-08", "reporting by the pooler")
    yield _in("pooler", PlatformServices("prometheus"), tcp(9127), "NET-08", "Prometheus reads metrics")
    yield _out("pooler", Outside(home.cluster.networks.api_server), tcp(home.cluster.api_server_port), "NET-07",
               "the pooler speaks to the API server")  # fmt: skip
    link = home.cluster.private_connectivity
    if link is not None:
        yield _in("pooler", Outside(link.cidrs), tcp(5432), "NET-04", "reporting over the private link")
