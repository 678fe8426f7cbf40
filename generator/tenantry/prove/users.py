"""RUN-09: user namespaces where a tier asks for them and its cluster has them."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.registration import proof
from tenantry.prove.workloads import workloads


@proof("RUN-09")
def remapped(state: State) -> Iterator[Breach]:
    """RUN-09: a Pod's users are mapped to IDs of their own on the node, which no other Pod has.

    Without that, Odoo's user of one tenant is the same user as that of each neighbour on the node.
    """
    for work in workloads(state):
        wanted = work.home.tier.isolation.remaps_users(state.cluster.user_namespaces)
        given = work.spec.get("hostUsers") is False
        if given == wanted:
            continue
        path = (*work.path, "hostUsers")
        if wanted:
            message = f"the Pod's users are the node's: a process that gets out is the same user as others' on {state.cluster.name}"
            yield breach(work.manifest, "RUN-09", path, message, "hostUsers: false")
        else:
            why = (
                f"tier '{work.home.tier.name}' does without"
                if state.cluster.user_namespaces
                else f"cluster '{state.cluster.name}' doesn't declare them"
            )
            message = (
                f"asks for a user namespace, but {why}: a runtime without them refuses the Pod, or ignores it silently"
            )
            yield breach(work.manifest, "RUN-09", path, message, "remove hostUsers")
