"""Pods and what makes them: pkg/apis/{core,apps,batch,policy}/validation of Kubernetes 1.37."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, items, mapping, text
from tenantry.verify import values
from tenantry.verify.registration import rule_for

_OBJECT_NAMES = ("priorityClassName", "runtimeClassName", "serviceAccountName", "nodeName")


@rule_for("", "Pod")
def pod(manifest: Manifest) -> Iterator[Problem]:
    yield from pod_spec(manifest.spec, ("spec",))


@rule_for("apps", "DaemonSet", "Deployment", "StatefulSet")
def controller(manifest: Manifest) -> Iterator[Problem]:
    """Deployment, StatefulSet or DaemonSet."""
    spec = manifest.spec
    template = mapping(spec.get("template"))
    labels = mapping(mapping(template.get("metadata")).get("labels"))
    selector = mapping(spec.get("selector"))
    if not selector:
        yield Problem("V050", ("spec", "selector"), "a selector is needed, and may not be empty")
    elif not selects(selector, labels):
        path = ("spec", "selector")
        yield Problem(
            "V050", path, "the selector does not select the Pods of its own template", "see the template's labels"
        )
    strategy = mapping(spec.get("strategy"))
    rolling = manifest.identity.kind == "Deployment" and strategy.get("type") != "Recreate"
    pods = mapping(template.get("spec"))
    yield from pod_spec(pods, ("spec", "template", "spec"), restart=("Always",), rolling=rolling)
    if strategy.get("type") == "Recreate" and strategy.get("rollingUpdate"):
        yield Problem("V050", ("spec", "strategy", "rollingUpdate"), "not with the strategy Recreate")
    update = mapping(strategy.get("rollingUpdate"))
    if update.get("maxUnavailable") in (0, "0%") and update.get("maxSurge") in (0, "0%"):
        yield Problem("V050", ("spec", "strategy", "rollingUpdate"), "maxUnavailable and maxSurge may not both be 0")
    yield from _not_negative(spec, ("spec",), "replicas", "minReadySeconds", "revisionHistoryLimit")
    deadline, ready = spec.get("progressDeadlineSeconds"), spec.get("minReadySeconds")
    if isinstance(deadline, int) and deadline <= (ready if isinstance(ready, int) else 0):
        yield Problem("V050", ("spec", "progressDeadlineSeconds"), "must be more than minReadySeconds")


@rule_for("apps", "StatefulSet")
def stateful_set(manifest: Manifest) -> Iterator[Problem]:
    for index, template in entries(manifest.spec.get("volumeClaimTemplates")):
        yield from _claim(mapping(template.get("spec")), ("spec", "volumeClaimTemplates", index, "spec"))


@rule_for("batch", "Job")
def job(manifest: Manifest) -> Iterator[Problem]:
    yield from _job_spec(manifest.spec, ("spec",))


@rule_for("batch", "CronJob")
def cron_job(manifest: Manifest) -> Iterator[Problem]:
    spec = manifest.spec
    zone = spec.get("timeZone")
    if isinstance(zone, str) and not values.is_time_zone(zone):
        yield Problem("V041", ("spec", "timeZone"), f"'{zone}' is no time zone")
    if "TZ" in str(spec.get("schedule", "")):
        yield Problem("V041", ("spec", "schedule"), "a schedule may not hold TZ or CRON_TZ", "use timeZone")
    deadline = spec.get("startingDeadlineSeconds")
    if isinstance(deadline, int) and 0 <= deadline < 10:
        message = f"the controller looks every 10 s, so with a deadline of {deadline} s the Job may never start"
        yield Problem("V041", ("spec", "startingDeadlineSeconds"), message, "allow 10 or more", "warning")
    template = mapping(mapping(spec.get("jobTemplate")).get("spec"))
    yield from _job_spec(template, ("spec", "jobTemplate", "spec"))


def _job_spec(spec: Value, path: Path) -> Iterator[Problem]:
    template = mapping(mapping(spec.get("template")).get("spec"))
    yield from pod_spec(template, (*path, "template", "spec"), restart=("OnFailure", "Never"))
    yield from _not_negative(
        spec, path, "backoffLimit", "parallelism", "completions", "activeDeadlineSeconds", "ttlSecondsAfterFinished"
    )


@rule_for("", "PersistentVolumeClaim")
def claim(manifest: Manifest) -> Iterator[Problem]:
    yield from _claim(manifest.spec, ("spec",))


def _claim(spec: Value, path: Path) -> Iterator[Problem]:
    if not items(spec.get("accessModes")):
        yield Problem("V050", (*path, "accessModes"), "at least one access mode is needed")
    requests = mapping(mapping(spec.get("resources")).get("requests"))
    if "storage" not in requests:
        yield Problem("V050", (*path, "resources", "requests"), "a claim needs resources.requests.storage")
    yield from _quantities(requests, (*path, "resources", "requests"), positive=True)


def pod_spec(
    spec: Value,
    path: Path,
    *,
    restart: tuple[str, ...] = ("Always", "OnFailure", "Never"),
    rolling: bool = False,
) -> Iterator[Problem]:
    """What the API server checks in a Pod's specification beyond its schema."""
    policy = spec.get("restartPolicy", "Always")
    if isinstance(policy, str) and policy not in restart:
        yield Problem(
            "V050", (*path, "restartPolicy"), f"restartPolicy is {policy}; here it must be {' or '.join(restart)}"
        )
    volumes = [volume.get("name") for _, volume in entries(spec.get("volumes"))]
    yield from _repeated(volumes, (*path, "volumes"), "volume")
    for index, volume in entries(spec.get("volumes")):
        sources = [key for key in volume if key != "name"]
        if len(sources) != 1:
            yield Problem("V050", (*path, "volumes", index), f"a volume has exactly one source, not {len(sources)}")
        if "gitRepo" in volume:
            where = (*path, "volumes", index, "gitRepo")
            message = "gitRepo is deprecated, and off by default since Kubernetes 1.33"
            yield Problem("V012", where, message, "clone in an init container, into an emptyDir", "warning")
        yield from _file_modes(volume, (*path, "volumes", index))
    containers = [
        (part, index, container)
        for part in ("initContainers", "containers")
        for index, container in entries(spec.get(part))
    ]
    yield from _repeated([c.get("name") for _, _, c in containers], (*path, "containers"), "container")
    if not items(spec.get("containers")):
        yield Problem("V050", (*path, "containers"), "at least one container is needed")
    for part, index, container in containers:
        yield from _container(container, (*path, part, index), part)
    for key in _OBJECT_NAMES:
        name = spec.get(key)
        if isinstance(name, str) and name and not values.is_dns_subdomain(name):
            yield Problem("V030", (*path, key), f"'{name}' can't be the name of an object: a-z, 0-9, '-' and '.'")
    yield from _spread(spec, path, rolling=rolling)
    yield from _not_negative(spec, path, "terminationGracePeriodSeconds", "activeDeadlineSeconds")


def _container(container: Value, path: Path, part: str) -> Iterator[Problem]:
    name = container.get("name")
    if isinstance(name, str) and not values.is_dns_label(name):
        yield Problem("V030", (*path, "name"), f"'{name}' is no DNS label: at most 63 of a-z, 0-9 and '-'")
    image = container.get("image")
    if not isinstance(image, str) or not image or image != image.strip():
        yield Problem("V050", (*path, "image"), "an image is needed, without spaces around it")
    yield from _resources(mapping(container.get("resources")), (*path, "resources"))
    yield from _ports(container, path)
    for index, variable in entries(container.get("env")):
        if variable.get("value") and variable.get("valueFrom"):
            yield Problem("V050", (*path, "env", index), "value and valueFrom exclude each other")
    mounts = [mount.get("mountPath") for _, mount in entries(container.get("volumeMounts"))]
    yield from _repeated(mounts, (*path, "volumeMounts"), "mountPath")
    for kind in ("livenessProbe", "readinessProbe", "startupProbe"):
        if kind in container:
            yield from _probe(mapping(container[kind]), (*path, kind), kind)
            if part == "initContainers" and container.get("restartPolicy") != "Always":
                yield Problem("V050", (*path, kind), "an init container has probes only with restartPolicy Always")


def _probe(probe: Value, path: Path, kind: str) -> Iterator[Problem]:
    handlers = [name for name in ("exec", "httpGet", "tcpSocket", "grpc") if name in probe]
    if len(handlers) != 1:
        yield Problem(
            "V050", path, f"a probe has exactly one of exec, httpGet, tcpSocket and grpc, not {len(handlers)}"
        )
    yield from _not_negative(probe, path, "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "failureThreshold")
    if kind != "readinessProbe" and probe.get("successThreshold", 1) != 1:
        yield Problem("V050", (*path, "successThreshold"), f"must be 1 for a {kind}")


def _ports(container: Value, path: Path) -> Iterator[Problem]:
    names: list[Any] = []
    for index, port in entries(container.get("ports")):
        number = port.get("containerPort")
        if isinstance(number, int) and not 1 <= number <= 65535:
            yield Problem("V050", (*path, "ports", index, "containerPort"), f"{number} is no port: 1 to 65535")
        name = port.get("name")
        if name is not None:
            names.append(name)
            yield from port_name(name, (*path, "ports", index, "name"))
    yield from _repeated(names, (*path, "ports"), "port name")


def port_name(name: object, path: Path) -> Iterator[Problem]:
    """IANA service name: at most 15, a-z, 0-9 and `-`, one letter at least."""
    if not isinstance(name, str):
        return
    good = len(name) <= 15 and values.is_dns_label(name) and any(c.isalpha() for c in name) and "--" not in name
    if not good:
        yield Problem("V030", path, f"'{name}' is no port name: at most 15 of a-z, 0-9 and '-', with a letter")


def _resources(resources: Value, path: Path) -> Iterator[Problem]:
    requests, limits = mapping(resources.get("requests")), mapping(resources.get("limits"))
    yield from _quantities(requests, (*path, "requests"))
    yield from _quantities(limits, (*path, "limits"))
    for name, request in requests.items():
        asked, allowed = values.quantity(request), values.quantity(limits.get(name))
        if asked is not None and allowed is not None and asked > allowed:
            yield Problem("V033", (*path, "requests", name), f"the request {request} is over the limit {limits[name]}")


def _quantities(found: object, path: Path, *, positive: bool = False) -> Iterator[Problem]:
    for name, value in mapping(found).items():
        number = values.quantity(value)
        if number is None:
            yield Problem("V033", (*path, name), f"'{value}' is no quantity", "write it like 500m, 2, 512Mi or 10Gi")
        elif number < 0 or (positive and number == 0):
            yield Problem("V033", (*path, name), f"{value} must be more than 0" if positive else f"{value} is negative")


def _file_modes(volume: Value, path: Path) -> Iterator[Problem]:
    for source, content in volume.items():
        yield from _file_mode(mapping(content).get("defaultMode"), (*path, source, "defaultMode"))
        for index, item in entries(mapping(content).get("items")):
            yield from _file_mode(item.get("mode"), (*path, source, "items", index, "mode"))


_MISTAKEN = (400, 440, 444, 500)
"""Modes that are written as if they were octal; a file would get 0620, 0670, 0674 or 0764."""


def _file_mode(mode: object, path: Path) -> Iterator[Problem]:
    if not isinstance(mode, int):
        return
    if not 0 <= mode <= 0o777:
        yield Problem("V050", path, f"{mode} is no file mode: 0 to 0777 (511)")
    elif mode in _MISTAKEN:
        message = f"{mode} is a decimal number, so the mode is 0{mode:o}"
        yield Problem("V050", path, message, f"write 0{mode}", "warning")


def _spread(spec: Value, path: Path, *, rolling: bool) -> Iterator[Problem]:
    for index, constraint in entries(spec.get("topologySpreadConstraints")):
        where = (*path, "topologySpreadConstraints", index)
        skew = constraint.get("maxSkew")
        if isinstance(skew, int) and skew < 1:
            yield Problem("V050", (*where, "maxSkew"), "maxSkew is at least 1")
        hard = constraint.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule"
        if rolling and hard and not items(constraint.get("matchLabelKeys")):
            message = "Pods of the old release count during a rollout, so the new ones may end up unevenly spread"
            hint = "add matchLabelKeys: [pod-template-hash]"
            yield Problem("V053", where, message, hint, "warning")
        if "minDomains" in constraint and constraint.get("whenUnsatisfiable") != "DoNotSchedule":
            yield Problem("V050", (*where, "minDomains"), "minDomains needs whenUnsatisfiable: DoNotSchedule")
        keys = items(constraint.get("matchLabelKeys"))
        if keys and not constraint.get("labelSelector"):
            yield Problem("V050", (*where, "matchLabelKeys"), "matchLabelKeys needs a labelSelector")


def _repeated(found: list[Any], path: Path, what: str) -> Iterator[Problem]:
    seen = set()
    for value in found:
        if isinstance(value, str) and value in seen:
            yield Problem("V050", path, f"the {what} '{value}' is there twice")
        seen.add(value if isinstance(value, str) else None)


def _not_negative(spec: Value, path: Path, *names: str) -> Iterator[Problem]:
    for name in names:
        number = spec.get(name)
        if isinstance(number, int) and number < 0:
            yield Problem("V050", (*path, name), f"{number} is negative")


def selects(selector: Value, labels: Value) -> bool:
    """Whether a label selector takes these labels. An empty selector takes all."""
    if any(labels.get(name) != value for name, value in mapping(selector.get("matchLabels")).items()):
        return False
    for _, term in entries(selector.get("matchExpressions")):
        key, wanted = text(term.get("key")), items(term.get("values"))
        there = key in labels
        match term.get("operator"):
            case "In" if not there or labels[key] not in wanted:
                return False
            case "NotIn" if there and labels[key] in wanted:
                return False
            case "Exists" if not there:
                return False
            case "DoesNotExist" if there:
                return False
    return True


@rule_for("policy", "PodDisruptionBudget")
def disruption_budget(manifest: Manifest) -> Iterator[Problem]:
    spec = manifest.spec
    if "minAvailable" in spec and "maxUnavailable" in spec:
        yield Problem("V050", ("spec", "maxUnavailable"), "minAvailable and maxUnavailable exclude each other")
    yield from _not_negative(spec, ("spec",), "minAvailable", "maxUnavailable")


@rule_for("", "ResourceQuota")
def quota(manifest: Manifest) -> Iterator[Problem]:
    yield from _quantities(manifest.spec.get("hard"), ("spec", "hard"))


@rule_for("", "LimitRange")
def limit_range(manifest: Manifest) -> Iterator[Problem]:
    for index, limit in entries(manifest.spec.get("limits")):
        path: Path = ("spec", "limits", index)
        parts = {name: mapping(limit.get(name)) for name in ("min", "defaultRequest", "default", "max")}
        for name, part in parts.items():
            yield from _quantities(part, (*path, name))
        order = list(parts)
        for low, high in pairwise(order):
            for resource, value in parts[low].items():
                less, more = values.quantity(value), values.quantity(parts[high].get(resource))
                if less is not None and more is not None and less > more:
                    yield Problem(
                        "V033", (*path, low, resource), f"{low} {value} is over {high} {parts[high][resource]}"
                    )


@rule_for("scheduling.k8s.io", "PriorityClass")
def priority_class(manifest: Manifest) -> Iterator[Problem]:
    value = manifest.value.get("value")
    if isinstance(value, int) and value > 1_000_000_000:
        yield Problem("V050", ("value",), f"{value} is over 1000000000, which is the system's")
    if manifest.identity.name.startswith("system-"):
        yield Problem("V030", ("metadata", "name"), "the prefix 'system-' is the system's")
