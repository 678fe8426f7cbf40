"""One cluster of the fleet with its Nodes and everything that Argo CD would bring, played until its Pods run."""

from __future__ import annotations

from typing import Any

from acceptance.harness import fleet
from acceptance.harness.api import Api
from acceptance.harness.control_plane import ControlPlane, ControlPlanes, add_namespaces, add_nodes, nodes_of
from acceptance.harness.process import wait_for

Objects = list[dict[str, Any]]
_EARLY = {"PriorityClass", "ServiceAccount", "ResourceQuota", "LimitRange"}


def running(control_planes: ControlPlanes, name: str, groups: tuple[str, ...] = ()) -> ControlPlane:
    """The cluster; without Jobs, which Argo CD makes and removes, and without Argo CD's own objects."""
    plane = control_planes.start(name, groups=groups)
    control_planes.add_controllers(plane)
    control_planes.add_scheduler(plane)
    control_planes.add_kubelets(plane)
    add_namespaces(plane)
    add_nodes(plane, nodes_of(fleet.cluster_input(name)))
    for storage_class in fleet.cluster_input(name)["spec"]["storageClasses"].values():
        answer = plane.api.create(
            {
                "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": storage_class},
                "provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "Immediate",
            }
        )  # fmt: skip
        assert answer.accepted, answer.message
    items = [item for item in fleet.tree(name) if not item.is_hook and "argoproj.io" not in item.manifest["apiVersion"]]
    waves = (
        [item for item in items if item.kind == "Namespace"],
        [item for item in items if item.kind in _EARLY],
        [item for item in items if item.kind not in _EARLY | {"Namespace"}],
    )
    for wave in waves:
        for item, answer in zip(wave, plane.api.apply_all((item.manifest, item.content) for item in wave), strict=True):
            assert answer.accepted, f"{item}: {answer.message}"
    return plane


def holding(control_planes: ControlPlanes, kinds: set[str]) -> dict[str, ControlPlane]:
    """Every cluster of the fleet with its objects of some kinds, Namespaces first, and no controllers."""
    found = {name: control_planes.start(name) for name in fleet.clusters()}
    for name, plane in found.items():
        add_namespaces(plane)
        items = [item for item in fleet.tree(name) if item.kind in kinds]
        for wave in ({"Namespace"}, kinds - {"Namespace"}):
            for answer in plane.api.apply_all((item.manifest, item.content) for item in items if item.kind in wave):
                assert answer.accepted, answer.message
    return found


def workloads(api: Api, kind: str) -> Objects:
    return api.list("apps/v1", kind)


def settle(api: Api, seconds: float = 120) -> None:
    """Wait until all workloads are complete, and as large as their autoscalers ask. Raises NotReadyError with the rest."""

    def question() -> bool:
        _provide_volumes(api)
        deployments = workloads(api, "Deployment")
        return _scaled(api, deployments) and _complete(deployments + workloads(api, "StatefulSet"))

    wait_for("workloads complete", question, seconds, every=0.5)


def _provide_volumes(api: Api) -> None:
    """What a storage provisioner does: a volume for each claim that waits for one."""
    for claim in api.list("v1", "PersistentVolumeClaim"):
        if claim["status"]["phase"] == "Pending":
            metadata, spec = claim["metadata"], claim["spec"]
            reference = {"namespace": metadata["namespace"], "name": metadata["name"]}
            volume = {
                "capacity": spec["resources"]["requests"], "accessModes": spec["accessModes"], "claimRef": reference,
                "storageClassName": spec["storageClassName"], "hostPath": {"path": "/nowhere"},
            }  # fmt: skip
            name = f"{metadata['namespace']}-{metadata['name']}"
            api.create({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": volume})


def _scaled(api: Api, deployments: Objects) -> bool:
    """Each autoscaler has brought its Deployment to its least number; before that, more Pods come at any time."""
    replicas = {(d["metadata"]["namespace"], d["metadata"]["name"]): d["spec"]["replicas"] for d in deployments}
    waiting = []
    for autoscaler in api.list("autoscaling/v2", "HorizontalPodAutoscaler"):
        namespace, spec = autoscaler["metadata"]["namespace"], autoscaler["spec"]
        name = spec["scaleTargetRef"]["name"]
        if replicas[namespace, name] < spec["minReplicas"]:
            waiting.append(f"{namespace}/{name}: {replicas[namespace, name]} of {spec['minReplicas']}")
    assert not waiting, f"{len(waiting)} autoscalers have not begun: {waiting[:5]}"
    return True


def _complete(found: Objects) -> bool:
    """All replicas of the present template run and are available, and no old one is left."""
    waiting = []
    for workload in found:
        wanted, status = workload["spec"]["replicas"], workload.get("status", {})
        counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
        if counts != [wanted] * 3 or status.get("observedGeneration") != workload["metadata"]["generation"]:
            metadata = workload["metadata"]
            waiting.append(f"{metadata['namespace']}/{metadata['name']}: {counts} of {wanted}")
    assert not waiting, f"{len(waiting)} of {len(found)} wait: {waiting[:5]}"
    return True
