"""From inside each Pod: what connects is what the proof says of the rendered objects, with all policies and without each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from acceptance.harness.process import wait_for
from cluster.base import Manifest
from cluster.elsewhere import servers
from cluster.plugin import Show
from cluster.reachability import ELSEWHERE, Difference, Matrix
from cluster.service import NAMESPACES, Service
from cluster.trees import CELL, TENANTS
from tenantry.prove.network.policies import NetworkPolicy

pytestmark = pytest.mark.usefixtures("installed")
CONTROLLER = ("-n", "argocd", "scale", "statefulset/argocd-application-controller")
SETTLES = 90
"""Seconds within which each node has changed its rules."""


@pytest.fixture
def outside(service: Service) -> Iterator[None]:
    with servers(ELSEWHERE.values(), service.cluster.addresses.device):
        yield


@pytest.fixture
def resting(service: Service) -> Iterator[None]:
    """Argo CD would put back what is taken out."""
    service.cluster.kubectl(*CONTROLLER, "--replicas=0")
    service.cluster.kubectl(
        "-n", "argocd", "wait", "--for=delete", "pod/argocd-application-controller-0", "--timeout=90s"
    )
    yield
    service.cluster.kubectl(*CONTROLLER, "--replicas=1")


def kept(service: Service, policy: NetworkPolicy) -> Manifest:
    """The policy as it is in the cluster, for putting it back."""
    identity = {"name": policy.name, "namespace": policy.namespace}
    manifest = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": identity}
    there = service.cluster.api.get(manifest).body
    marks = {key: there["metadata"].get(key, {}) for key in ("labels", "annotations")}
    return {**manifest, "metadata": {**identity, **marks}, "spec": there["spec"]}


def differences(matrix: Matrix, policies: list[NetworkPolicy], *namespaces: str) -> tuple[int, int]:
    """Pairs that connect, and all that were tried, once both answers are the same. Raises NotReadyError with the difference."""
    found = (0, 0)

    def same() -> bool:
        nonlocal found
        live = matrix.tried(namespaces)
        difference: Difference = matrix.compare(live, policies)
        found = sum(live.values()), len(live)
        assert not difference, str(difference)
        return True

    wait_for("the network does what the proof says", same, SETTLES, every=1)
    return found


@pytest.mark.usefixtures("outside")
def test_each_pair_of_pods_connects_as_the_proof_says(service: Service, show: Show) -> None:
    matrix = Matrix(service.cluster, service.trees.folder)
    assert not matrix.unknown(), "Pods that the proof does not know"
    live = matrix.tried(NAMESPACES)
    own, other = (next(caller for caller in matrix.callers if caller.end.namespace == tenant) for tenant in TENANTS)
    neighbours = [
        opens for (caller, place), opens in live.items() if caller == own.name and place.startswith(other.name)
    ]
    assert neighbours
    assert not any(neighbours)
    free = matrix.tried(["traefik"])
    for name in ELSEWHERE:
        assert any(opens for (_, place), opens in free.items() if place.startswith(name)), "nothing answers there"
        assert not any(opens for (_, place), opens in live.items() if place.startswith(name))
    opened, tried = differences(matrix, matrix.rendered, *NAMESPACES)
    show(
        f"{len(matrix.callers)} Pods, {len(matrix.places)} places: of {tried} pairs {opened} connect, as the proof says"
    )


@pytest.mark.usefixtures("outside", "resting")
def test_without_each_policy_opens_what_the_proof_says(service: Service, show: Show) -> None:
    matrix = Matrix(service.cluster, service.trees.folder)
    shut, _ = differences(matrix, matrix.rendered, TENANTS[0], CELL)
    opened = {}
    for policy in matrix.rendered:
        if policy.namespace in (TENANTS[0], CELL):
            manifest = kept(service, policy)
            service.cluster.api.delete(manifest)
            try:
                rest = [one for one in matrix.rendered if one is not policy]
                now, _ = differences(matrix, rest, policy.namespace)
            finally:
                service.cluster.apply([manifest])
            opened[f"{policy.namespace}/{policy.name}"] = now
    again, _ = differences(matrix, matrix.rendered, TENANTS[0], CELL)
    assert again == shut
    show(f"{len(opened)} policies taken out one by one: each time the network opened and shut what the proof said")
