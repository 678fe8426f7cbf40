"""IAM-10 while an internal authority takes the place of another: every Pod knows servers by both."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Path, dig, entries, text
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.registration import proof
from tenantry.prove.rotation.following import CONTROL
from tenantry.prove.workloads import Workload, workloads

BUNDLE = "trusted-authorities"
_SIGNED = "internal-client"
_HINT = "run 'tenantry render'"


@proof(CONTROL)
def both(state: State) -> Iterator[Breach]:
    """IAM-10: the bundle is what the cluster's file says, and no Pod reads the authority of one certificate instead."""
    wanted = [line for pem in state.cluster.trusted_authorities for line in pem.split("\n") if line]
    if not wanted:
        return
    for home in state.homes_at("instance"):
        bundle = state.get("", "ConfigMap", home.namespace, BUNDLE)
        path: Path = ("data", "ca.crt")
        if bundle is not None and text(dig(bundle.value, *path)).split("\n") != [*wanted, ""]:
            message = "the authorities that Pods trust are not those of the cluster's file"
            yield breach(bundle, CONTROL, path, message, _HINT, tenant=home.tenant)
        for work in workloads(state, home.namespace):
            yield from _one(work)


def _one(work: Workload) -> Iterator[Breach]:
    for number, volume in entries(work.spec.get("volumes")):
        sources = [dig(volume, "secret", "secretName")]
        sources += [dig(source, "secret", "name") for _, source in entries(dig(volume, "projected", "sources"))]
        if _SIGNED in sources:
            message = f"'{volume.get('name')}' trusts the authority of one certificate; the cluster's file says which are trusted"
            path = (*work.path, "volumes", number)
            yield breach(
                work.manifest, CONTROL, path, message, f"configMap: {{name: {BUNDLE}}}", tenant=work.home.tenant
            )
