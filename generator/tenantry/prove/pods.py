"""What Pods may be and where they may run: NET-09, IAM-01, RUN-01, RUN-02, and volumes for DATA-07."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from tenantry.core.manifest import Manifest, Path, Value, dig, entries, items, mapping, text
from tenantry.model.cluster import NodePool
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof
from tenantry.prove.workloads import Workload, workloads
from tenantry.resolve.instance import Site
from tenantry.verify.index import pod_specs

POOL = "tenantry.io/pool"
_VOLUMES = frozenset(
    {"configMap", "secret", "emptyDir", "projected", "downwardAPI", "persistentVolumeClaim", "ephemeral"}
)
"""Kinds of volumes of Pod Security's level `restricted`, without csi, which nothing here needs."""


@proof("NET-09")
def host_access(state: State) -> Iterator[Breach]:
    """NET-09."""
    for work in workloads(state):
        for name in ("hostNetwork", "hostPID", "hostIPC"):
            if work.spec.get(name):
                message = f"{name}: the Pod would be in its node's {name.removeprefix('host').lower()} namespace, where no policy applies"
                yield breach(work.manifest, "NET-09", (*work.path, name), message, "remove it")
        for container in work.containers:
            for number, port in entries(container.value.get("ports")):
                if port.get("hostPort"):
                    message = f"hostPort {port['hostPort']}: the container is reachable at its node's address, bypassing policies"
                    yield breach(
                        work.manifest, "NET-09", (*container.path, "ports", number, "hostPort"), message, "remove it"
                    )


@proof("IAM-01")
def accounts(state: State) -> Iterator[Breach]:
    """IAM-01."""
    for work in workloads(state):
        name = text(work.spec.get("serviceAccountName")) or "default"
        path = (*work.path, "serviceAccountName")
        if name == "default":
            yield breach(
                work.manifest,
                "IAM-01",
                path,
                "the Pod uses the namespace's ServiceAccount 'default'",
                "give the workload its own",
            )
        elif name != work.name:
            message = f"uses the ServiceAccount '{name}'; its own is '{work.name}', so both would share their rights"
            yield breach(work.manifest, "IAM-01", path, message, "give the workload its own")
        mounted = work.spec.get("automountServiceAccountToken")
        if mounted is None:
            account = state.get("", "ServiceAccount", work.home.namespace, name)
            mounted = account.value.get("automountServiceAccountToken", True) if account else True
        if mounted is not False:
            message = "a token of the API server is mounted into the Pod, which needs none"
            yield breach(
                work.manifest, "IAM-01", (*work.path, "automountServiceAccountToken"), message, "set it to false"
            )
        yield from _projected_tokens(work)
    for account in state.of("", "ServiceAccount"):
        if state.home(account) and account.value.get("automountServiceAccountToken") is not False:
            message = f"Pods with the ServiceAccount '{account.identity.name}' get a token of the API server by default"
            yield breach(account, "IAM-01", ("automountServiceAccountToken",), message, "set it to false")


def _projected_tokens(work: Workload) -> Iterator[Breach]:
    for number, volume in entries(work.spec.get("volumes")):
        for index, source in entries(dig(volume, "projected", "sources")):
            if "serviceAccountToken" in source:
                path = (*work.path, "volumes", number, "projected", "sources", index)
                yield breach(
                    work.manifest, "IAM-01", path, "a token of the API server is projected into the Pod", "remove it"
                )


@proof("RUN-01")
def restricted(state: State) -> Iterator[Breach]:
    """RUN-01: Pod Security's level `restricted` (kubernetes/website, pod-security-standards), and namespaces that enforce it."""
    for home in state.homes_at():
        manifest = state.get("", "Namespace", "", home.namespace)
        if manifest is None:
            message = "this namespace is not in the tree, so nothing about this home can be proved"
            yield breach(
                state.anchor(home), "RUN-01", ("metadata",), message, "run 'tenantry render'", tenant=home.tenant
            )
        elif manifest.labels.get("pod-security.kubernetes.io/enforce") != "restricted":
            message = "the namespace does not enforce restricted Pods, so a privileged one could start"
            path: Path = ("metadata", "labels", "pod-security.kubernetes.io/enforce")
            yield breach(manifest, "RUN-01", path, message, "set pod-security.kubernetes.io/enforce: restricted")
    for work in workloads(state):
        yield from _unrestricted_containers(work)
        for number, volume in entries(work.spec.get("volumes")):
            kinds = sorted(set(volume) - {"name"} - _VOLUMES)
            if kinds:
                message = (
                    f"volume '{volume.get('name')}' is of kind {', '.join(kinds)}, which gives access beyond the Pod"
                )
                yield breach(
                    work.manifest,
                    "RUN-01",
                    (*work.path, "volumes", number),
                    message,
                    f"allowed: {', '.join(sorted(_VOLUMES))}",
                )


def _unrestricted_containers(work: Workload) -> Iterator[Breach]:
    pod = work.security
    for container in work.containers:
        own = mapping(container.value.get("securityContext"))
        capabilities = mapping(own.get("capabilities"))
        seccomp = mapping(own.get("seccompProfile", pod.get("seccompProfile"))).get("type")
        faults = (
            (own.get("privileged"), "privileged", "is privileged"),
            (own.get("allowPrivilegeEscalation") is not False, "allowPrivilegeEscalation", "may escalate privileges"),
            ("ALL" not in items(capabilities.get("drop")), "capabilities", "keeps capabilities"),
            (set(items(capabilities.get("add"))) - {"NET_BIND_SERVICE"}, "capabilities", "adds capabilities"),
            (not own.get("runAsNonRoot", pod.get("runAsNonRoot")), "runAsNonRoot", "may run as root"),
            (own.get("runAsUser", pod.get("runAsUser")) == 0, "runAsUser", "runs as root"),
            (seccomp not in ("RuntimeDefault", "Localhost"), "seccompProfile", "has no seccomp profile"),
            (own.get("procMount") not in (None, "Default"), "procMount", "sees more of /proc"),
        )
        for fault, field, what in faults:
            if fault:
                path = (
                    (*container.path, "securityContext", field)
                    if field in own
                    else (*work.path, "securityContext", field)
                )
                message = f"container '{container.name}' {what}"
                yield breach(work.manifest, "RUN-01", path, message, "Pod Security's level restricted forbids it")
                break


# --- placement


@proof("RUN-02")
def placement(state: State) -> Iterator[Breach]:
    """RUN-02: each Pod names the pool of its cell, tolerates that pool's taint and no other."""
    for work in workloads(state):
        # An instance's own Redis runs in Odoo's pool, a cell's in that of PostgreSQL.
        cell = work.home.site.cell
        own = work.home.role == "instance"
        pool = _named(work.home.site, cell.node_pool if own else cell.database_node_pool)
        selector = work.spec.get("nodeSelector")
        yield from _placed(work.manifest, work.path, selector, work.spec.get("tolerations"), pool, work.home)
        if work.spec.get("nodeName"):
            message = "nodeName bypasses the scheduler, and so pools and taints"
            yield breach(
                work.manifest, "RUN-02", (*work.path, "nodeName"), message, "remove it", tenant=work.home.tenant
            )
    for manifest in chain(state.of("postgresql.cnpg.io", "Cluster"), state.of("postgresql.cnpg.io", "Pooler")):
        home = state.home(manifest)
        if home is None:
            continue
        pooler = manifest.identity.kind == "Pooler"
        path: Path = ("spec", "template", "spec") if pooler else ("spec", "affinity")
        where = mapping(dig(manifest.spec, "template", "spec")) if pooler else mapping(manifest.spec.get("affinity"))
        pool = _named(home.database_site, home.database_site.cell.database_node_pool)
        yield from _placed(manifest, path, where.get("nodeSelector"), where.get("tolerations"), pool, home)


def _named(site: Site, name: str) -> NodePool:
    return next(pool for pool in site.cluster.node_pools if pool.name == name)


def _placed(
    manifest: Manifest, path: Path, selector: object, tolerations: object, pool: NodePool, home: Home
) -> Iterator[Breach]:
    chosen = text(mapping(selector).get(POOL))
    if chosen != pool.name:
        message = f"Pods would run on {f'pool {chosen}' if chosen else 'any node'}; {home} is promised pool {pool.name}"
        yield breach(
            manifest,
            "RUN-02",
            (*path, "nodeSelector"),
            message,
            f"nodeSelector: {{{POOL}: {pool.name}}}",
            tenant=home.tenant,
        )
        return
    for number, toleration in entries(tolerations):
        if not _tolerates_only(toleration, pool):
            message = f"tolerates {_shown(toleration)}: Pods could land on nodes that are promised to others"
            where = (*path, "tolerations", number)
            yield breach(
                manifest,
                "RUN-02",
                where,
                message,
                "tolerate the own pool's taint by value, and nothing else",
                tenant=home.tenant,
            )
    if pool.taint and not any(_tolerates_only(t, pool) for _, t in entries(tolerations)):
        message = f"does not tolerate the taint {POOL}={pool.taint} of its own pool, so no Pod can start"
        yield breach(manifest, "RUN-02", (*path, "tolerations"), message, "add the toleration", tenant=home.tenant)


def _tolerates_only(toleration: Value, pool: NodePool) -> bool:
    return (
        pool.taint is not None
        and toleration.get("key") == POOL
        and toleration.get("operator", "Equal") == "Equal"
        and toleration.get("value") == pool.taint
    )


def _shown(toleration: Value) -> str:
    if not toleration.get("key"):
        return "every taint"
    if toleration.get("operator") == "Exists":
        return f"every taint {toleration['key']}"
    return f"the taint {toleration['key']}={toleration.get('value')}"


# --- volumes


@proof("DATA-07")
def volumes(state: State) -> Iterator[Breach]:
    """DATA-07: volumes are newly provisioned, and belong to the namespace that claims them."""
    for manifest in state.of("", "PersistentVolume"):
        message = "a PersistentVolume of the tree could be claimed by, or hold data of, another tenant"
        yield breach(manifest, "DATA-07", ("spec",), message, "let the storage class provision volumes")
    for manifest, path, claim in _claims(state):
        for field in ("volumeName", "dataSource", "dataSourceRef", "selector"):
            if claim.get(field):
                message = f"{field}: the volume is reused instead of newly provisioned, so it can contain another tenant's data"
                yield breach(manifest, "DATA-07", (*path, field), message, "remove it")
    for work in workloads(state):
        yield from _foreign_volumes(state, work)


def _claims(state: State) -> Iterator[tuple[Manifest, Path, Value]]:
    for manifest in state.manifests:
        if state.home(manifest) is None:
            continue
        if manifest.kind == ("", "PersistentVolumeClaim"):
            yield manifest, ("spec",), manifest.spec
        for number, template in entries(manifest.spec.get("volumeClaimTemplates")):
            yield manifest, ("spec", "volumeClaimTemplates", number, "spec"), mapping(template.get("spec"))
        for where, _, spec in pod_specs(manifest):
            for number, volume in entries(spec.get("volumes")):
                path = (*where, "volumes", number, "ephemeral", "volumeClaimTemplate", "spec")
                yield manifest, path, mapping(dig(volume, "ephemeral", "volumeClaimTemplate", "spec"))
        if manifest.kind == ("postgresql.cnpg.io", "Cluster"):
            for part in ("storage", "walStorage"):
                yield (
                    manifest,
                    ("spec", part, "pvcTemplate"),
                    mapping(dig(manifest.spec, part, "pvcTemplate")),
                )
            recovery = mapping(dig(manifest.spec, "bootstrap", "recovery"))
            snapshots = mapping(recovery.get("volumeSnapshots"))
            if snapshots:
                yield manifest, ("spec", "bootstrap", "recovery", "volumeSnapshots"), {"dataSource": snapshots}


def _foreign_volumes(state: State, work: Workload) -> Iterator[Breach]:
    for number, volume in entries(work.spec.get("volumes")):
        claim = text(dig(volume, "persistentVolumeClaim", "claimName"))
        if claim and state.get("", "PersistentVolumeClaim", work.home.namespace, claim) is None:
            path = (*work.path, "volumes", number)
            message = f"mounts the claim '{claim}', which is not in the tree: whose data it holds is unknown"
            yield breach(work.manifest, "DATA-07", path, message, "add the claim to the instance's own tree")
