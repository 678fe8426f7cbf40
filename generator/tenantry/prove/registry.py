"""The proofs. A new one is one function and one line here; what it proves stands in controls.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tenantry.prove import (
    access,
    backups,
    budgets,
    cost,
    database,
    delivery,
    gate,
    labels,
    objectives,
    observation,
    odoo,
    pods,
    probes,
    redis,
    secrets,
    services,
    storage,
    stores,
    supply,
)
from tenantry.prove.cluster_state import Breach, State
from tenantry.prove.edge import routes, served, tls
from tenantry.prove.network import proof as network

Proof = Callable[[State], Iterator[Breach]]

PROOFS: tuple[Proof, ...] = (
    network.isolation,
    network.reachability,
    pods.host_access,
    services.services,
    labels.truth,
    labels.unread_policies,
    labels.region,
    pods.accounts,
    access.cluster_wide,
    access.rules,
    access.groups,
    delivery.projects,
    stores.stores,
    secrets.keys,
    secrets.in_git,
    database.ownership,
    database.host_based_access,
    database.powers,
    database.public,
    database.own_servers,
    odoo.bound,
    gate.gated,
    probes.probes,
    redis.access_lists,
    redis.sessions,
    routes.hosts,
    routes.references,
    routes.guards,
    served.served,
    tls.certificates,
    tls.options,
    tls.switches,
    pods.restricted,
    pods.placement,
    pods.volumes,
    storage.prefixes,
    storage.residency,
    budgets.quotas,
    budgets.shares,
    budgets.connections,
    budgets.disruptions,
    backups.databases,
    backups.credentials,
    backups.namespaces,
    backups.restores,
    backups.kept,
    objectives.objectives,
    observation.monitors,
    observation.retention,
    observation.alerts,
    observation.archives,
    supply.images,
    supply.policies,
    supply.exceptions,
    cost.envelopes,
)


def prove(state: State) -> Iterator[Breach]:
    """All breaches in one cluster."""
    for proof in PROOFS:
        yield from proof(state)
