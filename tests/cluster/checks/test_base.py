"""What a cluster is: nodes, names, Services, volumes, refusals."""

from __future__ import annotations

import httpx
import pytest

from acceptance.harness.process import wait_for
from cluster.base import RESTRICTED, Cluster, pod
from cluster.plugin import Show

CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
"""Label of a node that kubeadm keeps for itself."""
SERVE = ("httpd", "-f", "-p", "8080", "-h", "/tmp")


def service(namespace: str, name: str) -> dict[str, object]:
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]},
    }  # fmt: skip


def test_every_node_is_ready_with_its_pool_zone_and_taint(cluster: Cluster, show: Show) -> None:
    found = {
        node["metadata"]["name"]: node
        for node in cluster.api.list("v1", "Node")
        if CONTROL_PLANE not in node["metadata"]["labels"]
    }
    assert found.keys() == {node.name for node in cluster.nodes}
    for node in cluster.nodes:
        manifest = found[node.name]
        assert manifest["metadata"]["labels"]["tenantry.io/pool"] == node.pool
        assert manifest["metadata"]["labels"]["topology.kubernetes.io/zone"] == node.zone
        taints = [taint["value"] for taint in manifest["spec"].get("taints", ()) if taint["key"] == "tenantry.io/pool"]
        assert taints == ([node.taint] if node.taint else [])
    show(", ".join(f"{node.name} in {node.zone}" for node in cluster.nodes))


def test_a_name_leads_to_a_service_on_another_node(cluster: Cluster, namespace: str, show: Show) -> None:
    cluster.apply([service(namespace, "server")])
    one, other = cluster.in_pool("shared")
    cluster.run(namespace, "server", node=one, command=SERVE)
    cluster.run(namespace, "client", node=other)
    name = f"server.{namespace}.svc.cluster.local"
    wait_for("an answer", lambda: cluster.answers(namespace, "client", name, 80), 30)
    assert not cluster.answers(namespace, "client", "no-such-service", 80)
    show(f"{name}: answered across nodes; a name that does not exist: no answer")


def test_a_network_policy_is_enforced_in_both_directions(cluster: Cluster, namespace: str, show: Show) -> None:
    one, other = cluster.in_pool("shared")
    address = cluster.run(namespace, "server", node=one, command=SERVE)
    clients = {name: cluster.run(namespace, name, node=node) for name, node in (("allowed", other), ("denied", one))}

    def reaches(client: str) -> bool:
        return cluster.answers(namespace, client, address, 8080)

    assert {client: reaches(client) for client in clients} == {"allowed": True, "denied": True}, "without a policy"
    ingress = {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "server", "namespace": namespace},
        "spec": {"podSelector": {"matchLabels": {"app": "server"}}, "policyTypes": ["Ingress"],
                 "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "allowed"}}}]}]},
    }  # fmt: skip
    cluster.apply([ingress])
    wait_for("the policy of the server", lambda: reaches("allowed") and not reaches("denied"), 30)
    egress = {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "client", "namespace": namespace},
        "spec": {"podSelector": {"matchLabels": {"app": "allowed"}}, "policyTypes": ["Egress"], "egress": []},
    }  # fmt: skip
    cluster.apply([egress])
    wait_for("the policy of the client", lambda: not reaches("allowed"), 30)
    cluster.api.delete(egress)
    cluster.api.delete(ingress)
    wait_for("no policy", lambda: reaches("allowed") and reaches("denied"), 30)
    show("ingress by label, egress closed; without the policies all pass")


def test_a_volume_is_made_on_first_use_and_keeps_its_data(cluster: Cluster, namespace: str, show: Show) -> None:
    claim = {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": namespace},
        "spec": {"storageClassName": "fast-encrypted", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }  # fmt: skip
    cluster.apply([claim])
    assert cluster.api.get(claim).body["status"]["phase"] == "Pending"
    mounted = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
    mount = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    cluster.run(namespace, "writer", container=mount, **mounted)
    cluster.inside(namespace, "writer", "sh", "-c", "echo kept > /data/file")
    cluster.kubectl("-n", namespace, "delete", "pod", "writer", "--wait=true")
    cluster.run(namespace, "reader", container=mount, **mounted)
    assert cluster.inside(namespace, "reader", "cat", "/data/file") == "kept\n"
    assert cluster.api.get(claim).body["status"]["phase"] == "Bound"
    show("Pending without a Pod, Bound with one; the next Pod reads what the first wrote")


@pytest.mark.parametrize(
    "changed",
    [
        {"privileged": True, "allowPrivilegeEscalation": True},
        {"runAsUser": 0, "runAsNonRoot": False},
        {"seccompProfile": {"type": "Unconfined"}},
    ],
    ids=["privileged", "root", "seccomp"],
)
def test_pod_security_refuses_what_is_not_restricted(
    cluster: Cluster, namespace: str, changed: dict[str, object], show: Show
) -> None:
    cluster.run(namespace, "restricted")
    answer = cluster.api.create(pod(namespace, "wrong", container={"securityContext": {**RESTRICTED, **changed}}))
    assert answer.status == 403
    assert 'violates PodSecurity "restricted' in answer.message
    show(answer.message.partition(": ")[2][:120])


def test_a_container_over_its_memory_is_ended(cluster: Cluster, namespace: str, show: Show) -> None:
    limited = {"resources": {"limits": {"memory": "32Mi"}}}
    eats = pod(
        namespace,
        "eats",
        command=("dd", "if=/dev/zero", "of=/dev/null", "bs=100M"),
        container=limited,
        restartPolicy="Never",
    )
    cluster.run(namespace, "modest", container=limited)
    cluster.apply([eats])

    def reason() -> str:
        status = cluster.api.get(eats).body["status"]
        return (
            str(status["containerStatuses"][0]["state"]["terminated"]["reason"])
            if status.get("phase") == "Failed"
            else ""
        )

    assert wait_for("the end of the container", reason, 60) == "OOMKilled"
    show("OOMKilled at 32 MiB; one that stays below runs")


def test_a_kubelet_answers_nobody_without_a_certificate(cluster: Cluster, show: Show) -> None:
    node = cluster.nodes[0]
    url = f"https://{cluster.addresses.nodes[node.number]}:10250/pods"
    answer = httpx.get(url, verify=False, timeout=5, trust_env=False)
    assert answer.status_code == 401
    assert node.name in cluster.kubectl("get", "--raw", f"/api/v1/nodes/{node.name}/proxy/pods")
    show("401 for a stranger; the API server is answered")
