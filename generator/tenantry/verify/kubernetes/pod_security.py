"""Pod Security admission: staging/src/k8s.io/pod-security-admission/policy of Kubernetes 1.34."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, items, mapping
from tenantry.verify.index import Index, pod_specs
from tenantry.verify.registration import references_of

_ADDABLE = frozenset(
    [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
)
_VOLUMES = frozenset(
    [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ]
)
_SELINUX_TYPES = ("", "container_engine_t", "container_init_t", "container_kvm_t", "container_t")
_SYSCTLS = frozenset(
    [
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    ]
)
_CONFINED = ("RuntimeDefault", "Localhost")
_Found = Iterator[tuple[Path, str]]


@references_of("apps", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")
@references_of("batch", "CronJob", "Job")
@references_of("", "Pod", "ReplicationController")
def admitted(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Pods that the level of their namespace refuses; the controller is taken, and its Pods are never made."""
    home = index.get("", "Namespace", "", manifest.identity.namespace)
    level = home.labels.get("pod-security.kubernetes.io/enforce") if home is not None else None
    if level not in ("baseline", "restricted"):
        return
    for path, _, spec in pod_specs(manifest):
        for end, why in refusals(spec, level):
            message = f"{why}, which the namespace's Pod Security level '{level}' refuses: no Pod is ever made"
            yield Problem("V052", (*path, *end), message)


def refusals(spec: Value, level: str) -> Iterator[tuple[Path, str]]:
    """(path, why) of what the level `baseline` or `restricted` refuses in the specification of a Pod."""
    yield from _baseline(spec)
    if level == "restricted":
        yield from _restricted(spec)


def _containers(spec: Value) -> Iterator[tuple[Path, Value, Value]]:
    for part in ("initContainers", "containers"):
        for number, container in entries(spec.get(part)):
            yield (part, number), container, mapping(container.get("securityContext"))


def _baseline(spec: Value) -> _Found:
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field) is True:
            yield (field,), f"the Pod uses {field}"
    for number, volume in entries(spec.get("volumes")):
        if "hostPath" in volume:
            yield ("volumes", number, "hostPath"), "the Pod mounts a folder of the node"
    for where, context in _contexts(spec):
        yield from _profiles(context, where)
    for number, setting in entries(mapping(spec.get("securityContext")).get("sysctls")):
        if str(setting.get("name")) not in _SYSCTLS:
            yield ("securityContext", "sysctls", number), f"the Pod sets the kernel parameter {setting.get('name')}"
    yield from _privileges(spec)


def _profiles(context: Value, where: Path) -> _Found:
    if mapping(context.get("seccompProfile")).get("type") == "Unconfined":
        yield (*where, "seccompProfile", "type"), "the seccomp profile is Unconfined"
    if mapping(context.get("appArmorProfile")).get("type") == "Unconfined":
        yield (*where, "appArmorProfile", "type"), "the AppArmor profile is Unconfined"
    if mapping(context.get("windowsOptions")).get("hostProcess") is True:
        yield (*where, "windowsOptions", "hostProcess"), "it is a process of the host"
    yield from _linux(mapping(context.get("seLinuxOptions")), (*where, "seLinuxOptions"))


def _linux(options: Value, where: Path) -> _Found:
    if options.get("type", "") not in _SELINUX_TYPES:
        yield (*where, "type"), f"the SELinux type is {options['type']}"
    for field in ("user", "role"):
        if options.get(field):
            yield (*where, field), f"an SELinux {field} is set"


def _privileges(spec: Value) -> _Found:
    for path, container, context in _containers(spec):
        where = (*path, "securityContext")
        if context.get("procMount", "Default") != "Default":
            yield (*where, "procMount"), f"procMount is {context['procMount']}"
        if context.get("privileged") is True:
            yield (*where, "privileged"), "the container is privileged"
        for name in map(str, items(mapping(context.get("capabilities")).get("add"))):
            if name not in _ADDABLE:
                yield (*where, "capabilities", "add"), f"the container has the capability {name}"
        for number, port in entries(container.get("ports")):
            if port.get("hostPort"):
                yield (*path, "ports", number, "hostPort"), "the container takes a port of the node"


def _contexts(spec: Value) -> Iterator[tuple[Path, Value]]:
    yield ("securityContext",), mapping(spec.get("securityContext"))
    for path, _, context in _containers(spec):
        yield (*path, "securityContext"), context


def _restricted(spec: Value) -> _Found:
    if mapping(spec.get("os")).get("name") == "windows":
        return
    for number, volume in entries(spec.get("volumes")):
        for kind in sorted(volume.keys() - _VOLUMES - {"name", "hostPath"}):
            yield ("volumes", number, kind), f"the Pod has a volume of the kind {kind}"
    for where, context in _contexts(spec):
        if context.get("runAsUser") == 0:
            yield (*where, "runAsUser"), "it runs as root"
    whole = mapping(spec.get("securityContext"))
    for path, _, context in _containers(spec):
        yield from _container(whole, context, (*path, "securityContext"))


def _container(whole: Value, context: Value, where: Path) -> _Found:
    if context.get("allowPrivilegeEscalation") is not False:
        yield (*where, "allowPrivilegeEscalation"), "allowPrivilegeEscalation is not false"
    capabilities = mapping(context.get("capabilities"))
    if "ALL" not in items(capabilities.get("drop")):
        yield (*where, "capabilities", "drop"), "the container does not drop ALL capabilities"
    for name in map(str, items(capabilities.get("add"))):
        if name in _ADDABLE and name != "NET_BIND_SERVICE":
            yield (*where, "capabilities", "add"), f"the container has the capability {name}"
    if context.get("runAsNonRoot", whole.get("runAsNonRoot")) is not True:
        yield (*where, "runAsNonRoot"), "runAsNonRoot is not true"
    profile = mapping(context.get("seccompProfile")) or mapping(whole.get("seccompProfile"))
    if profile.get("type") not in (*_CONFINED, "Unconfined"):
        yield (*where, "seccompProfile"), f"no seccomp profile is set ({' or '.join(_CONFINED)})"
