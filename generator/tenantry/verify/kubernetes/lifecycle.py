"""What holds Pods up as they start, stop, move or scale: probes, hooks, volumes, budgets, autoscalers (Kubernetes 1.37)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, how_many, items, mapping, text
from tenantry.verify.index import Index, pod_specs
from tenantry.verify.kubernetes.disruption import scaler_of
from tenantry.verify.registration import references_of
from tenantry.verify.selection import selected

_WORKLOADS = ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")
_GRACE = 30
_SLEEP = re.compile(r"^\s*(?:/bin/)?sleep\s+([0-9]{1,6})s?\s*$")


@references_of("apps", *_WORKLOADS)
@references_of("", "Pod", "ReplicationController")
def probed(manifest: Manifest, _: Index) -> Iterator[Problem]:
    """Probes of ports that the container does not name, and hooks that outlast the Pod (pkg/probe, pkg/kubelet/lifecycle)."""
    for path, __, spec in pod_specs(manifest):
        grace = how_many(spec.get("terminationGracePeriodSeconds"), _GRACE)
        for part in ("initContainers", "containers"):
            for number, container in entries(spec.get(part)):
                yield from _named_ports(container, (*path, part, number))
                yield from _outlasts(container, (*path, part, number), grace)


def _named_ports(container: Value, path: Path) -> Iterator[Problem]:
    names = {text(port.get("name")) for _, port in entries(container.get("ports"))} - {""}
    numbers = {how_many(port.get("containerPort")) for _, port in entries(container.get("ports"))}
    for kind in ("livenessProbe", "readinessProbe", "startupProbe"):
        for way in ("httpGet", "tcpSocket"):
            port = mapping(mapping(container.get(kind)).get(way)).get("port")
            if isinstance(port, str) and not port.isdigit() and port not in names:
                there = f"it names {', '.join(sorted(names)) or 'none'}"
                message = f"the container has no port '{port}', so the probe fails each time"
                yield Problem("V062", (*path, kind, way, "port"), message, there)
            elif isinstance(port, int) and numbers and port not in numbers:
                message = f"the container names no port {port}: the probe fails, unless the program listens there all the same"
                there = f"it names {', '.join(sorted(map(str, numbers)))}"
                yield Problem("V062", (*path, kind, way, "port"), message, there, "warning")


def _outlasts(container: Value, path: Path, grace: int) -> Iterator[Problem]:
    hook = mapping(mapping(container.get("lifecycle")).get("preStop"))
    seconds = mapping(hook.get("sleep")).get("seconds")
    command = [str(word) for word in items(mapping(hook.get("exec")).get("command"))]
    if command and (
        found := _SLEEP.fullmatch(command[-1] if len(command) == 3 and command[1] == "-c" else " ".join(command))
    ):
        seconds = int(found[1])
    if isinstance(seconds, int) and seconds >= grace:
        message = f"preStop waits {seconds} s, but the Pod is killed after terminationGracePeriodSeconds ({grace})"
        yield Problem("V053", (*path, "lifecycle", "preStop"), message, f"allow more than {seconds} s", "warning")


@references_of("apps", "Deployment")
def volume_moves(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A volume of one node: the new Pod waits for the old one to let go of it, and the old one for the new."""
    spec = manifest.spec
    rolling = mapping(spec.get("strategy")).get("type", "RollingUpdate") == "RollingUpdate"
    update = mapping(mapping(spec.get("strategy")).get("rollingUpdate"))
    if update.get("maxSurge") in (0, "0%"):
        rolling = False  # the old Pod goes first
    scaler = scaler_of(index, manifest)
    several = how_many(spec.get("replicas"), 1) > 1 or (
        scaler is not None and how_many(scaler.spec.get("maxReplicas", scaler.spec.get("maxReplicaCount")), 1) > 1
    )
    if not rolling and not several:
        return
    for path, _, pod in pod_specs(manifest):
        for number, volume in entries(pod.get("volumes")):
            name = text(mapping(volume.get("persistentVolumeClaim")).get("claimName"))
            claim = index.get("", "PersistentVolumeClaim", manifest.identity.namespace, name) if name else None
            modes = items(claim.spec.get("accessModes")) if claim is not None else []
            if modes and set(map(str, modes)) <= {"ReadWriteOnce", "ReadWriteOncePod"}:
                why = "several Pods share" if several else "during a rollout the old and the new Pod share"
                message = f"{why} the claim '{name}', which one node can mount ({modes[0]}): on another node a Pod waits for ever"
                hint = "use a StatefulSet, or ReadWriteMany" if several else "set strategy.type: Recreate"
                yield Problem("V053", (*path, "volumes", number, "persistentVolumeClaim"), message, hint, "warning")


def _budgets(index: Index) -> dict[str, list[Manifest]]:
    found: dict[str, list[Manifest]] = defaultdict(list)
    for budget in index.of("policy", "PodDisruptionBudget"):
        found[budget.identity.namespace].append(budget)
    return found


@references_of("policy", "PodDisruptionBudget")
def one_budget(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A Pod with two budgets is never evicted (pkg/registry/core/pod/storage/eviction.go)."""
    namespace = manifest.identity.namespace
    mine = {id(pods) for pods in selected(index, namespace, mapping(manifest.spec.get("selector")))}
    for other in index.once(_budgets)[namespace]:
        if other.identity < manifest.identity and mine:
            theirs = selected(index, namespace, mapping(other.spec.get("selector")))
            if both := next((pods for pods in theirs if id(pods) in mine), None):
                message = f"{other.identity} holds for the Pods of {both.maker.identity} too: the API server evicts none that has two budgets"
                yield Problem("V053", ("spec", "selector"), message, "one budget for each Pod", "warning")
                return


_GROUPS = {"DaemonSet": "apps", "Deployment": "apps", "ReplicaSet": "apps", "StatefulSet": "apps"}


@references_of("autoscaling", "HorizontalPodAutoscaler")
@references_of("keda.sh", "ScaledObject")
def of_group(manifest: Manifest, _: Index) -> Iterator[Problem]:
    """An autoscaler finds its target by kind and apiVersion."""
    target = mapping(manifest.spec.get("scaleTargetRef"))
    kind, version = text(target.get("kind")), target.get("apiVersion")
    wanted = _GROUPS.get(kind)
    if wanted and isinstance(version, str) and version and version != f"{wanted}/v1":
        message = f"the kind {kind} is served as {wanted}/v1, not as {version}, so the autoscaler finds nothing"
        yield Problem("V047", ("spec", "scaleTargetRef", "apiVersion"), message, f"write {wanted}/v1")
    if kind == "DaemonSet":
        yield Problem("V047", ("spec", "scaleTargetRef", "kind"), "a DaemonSet has no replicas to scale")


@references_of("apps", "StatefulSet")
def stateful(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Names of a StatefulSet's Pods, and rollouts that stop before they begin."""
    spec, namespace = manifest.spec, manifest.identity.namespace
    service = index.get("", "Service", namespace, text(spec.get("serviceName"))) if spec.get("serviceName") else None
    if service is not None and service.spec.get("clusterIP") != "None" and service.spec.get("type") != "ExternalName":
        message = f"the Service '{service.identity.name}' is not headless, so the Pods get no names in DNS"
        yield Problem("V058", ("spec", "serviceName"), message, "give it clusterIP: None", "warning")
    update = mapping(mapping(spec.get("updateStrategy")).get("rollingUpdate"))
    partition, replicas = how_many(update.get("partition")), how_many(spec.get("replicas"), 1)
    if partition and partition >= replicas and scaler_of(index, manifest) is None:
        message = f"partition {partition} of {replicas} Pods: a new template reaches none of them"
        yield Problem("V058", ("spec", "updateStrategy", "rollingUpdate", "partition"), message, "lower it", "warning")
