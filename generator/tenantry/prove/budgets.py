"""RUN-03 (no tenant starves another), RUN-04 (connections suffice) and RUN-05 (updates and drains can proceed), from the objects alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from tenantry.core.manifest import Manifest, Path, Value, dig, digits, entries, how_many, items, mapping, text
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.database import servers
from tenantry.prove.network.selectors import selector
from tenantry.prove.odoo import sections
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof
from tenantry.prove.shares import SCRATCH as _SCRATCH
from tenantry.prove.shares import defaults, numbers_of, processes, unbounded_volumes
from tenantry.prove.workloads import Workload, workloads
from tenantry.verify.values import quantity

MEBIBYTE = Decimal(1 << 20)
GIBIBYTE = Decimal(1 << 30)
_KEYS = (
    "pods", "requests.cpu", "requests.memory", "limits.memory", "requests.ephemeral-storage", "limits.ephemeral-storage",
    "requests.storage", "persistentvolumeclaims",
)  # fmt: skip
_SLACK = Decimal("1.10")
"""A quota more than a tenth above what the objects can ever use would let them starve others."""
RESERVED_CONNECTIONS = 30
"""Connections that operator, backup, monitoring and people need besides the tenants' roles (service catalog)."""
CELL_SHARE = Decimal("0.85")
"""Share of a shared server's connections that roles may claim."""


@dataclass(frozen=True, slots=True)
class Need:
    """What workloads ask for at one time: cores, bytes, counts."""

    pods: Decimal = Decimal(0)
    cpu: Decimal = Decimal(0)
    memory: Decimal = Decimal(0)
    memory_limit: Decimal = Decimal(0)
    scratch: Decimal = Decimal(0)
    scratch_limit: Decimal = Decimal(0)
    storage: Decimal = Decimal(0)
    volumes: Decimal = Decimal(0)

    def __add__(self, other: Need) -> Need:
        return Need(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    def times(self, count: int) -> Need:
        """What `count` workloads of this need require."""
        return Need(*(getattr(self, name) * count for name in self.__slots__))

    def by_key(self) -> dict[str, Decimal]:
        """Amounts by the keys of a ResourceQuota."""
        return dict(zip(_KEYS, (getattr(self, name) for name in self.__slots__), strict=True))


def most_replicas(state: State, manifest: Manifest) -> int:
    """Replicas of a workload at its autoscaler's most."""
    for group, kind, field, default in (
        ("autoscaling", "HorizontalPodAutoscaler", "maxReplicas", 1),
        ("keda.sh", "ScaledObject", "maxReplicaCount", 100),
    ):
        scaler = _scaler(state, group, kind, manifest)
        if scaler is not None:
            return how_many(scaler.spec.get(field), default)
    return how_many(manifest.spec.get("replicas"), 1)


def least_replicas(state: State, manifest: Manifest) -> int:
    """Replicas that an autoscaler leaves at the least."""
    scaler = _scaler(state, "autoscaling", "HorizontalPodAutoscaler", manifest)
    if scaler is not None:
        return how_many(scaler.spec.get("minReplicas"), 1)
    return how_many(manifest.spec.get("replicas"), 1)


def _scaler(state: State, group: str, kind: str, manifest: Manifest) -> Manifest | None:
    there = state.of(group, kind, manifest.identity.namespace)
    return next((s for s in there if dig(s.spec, "scaleTargetRef", "name") == manifest.identity.name), None)


def pod_need(spec: Value) -> Need:
    """One Pod: its containers and sidecars together, or its largest init container with the sidecars that started before it
    (kubernetes, component-helpers/resource)."""
    running, largest, beside = Need(pods=Decimal(1)), Need(), Need(pods=Decimal(1))
    for part in ("containers", "initContainers"):
        for _, container in entries(spec.get(part)):
            one = _container(container)
            if part == "containers":
                running += one
            elif container.get("restartPolicy") == "Always":
                running, beside = running + one, beside + one
            else:
                largest = _most(largest, beside + one)
    return _most(running, largest)


def _most(one: Need, other: Need) -> Need:
    return Need(*(max(getattr(one, name), getattr(other, name)) for name in Need.__slots__))


def _container(container: Value) -> Need:
    resources = mapping(container.get("resources"))
    requests, limits = mapping(resources.get("requests")), mapping(resources.get("limits"))
    limit = quantity(limits.get("memory")) or Decimal(0)
    scratch = quantity(limits.get(_SCRATCH)) or Decimal(0)
    return Need(
        cpu=quantity(requests.get("cpu", limits.get("cpu"))) or Decimal(0),
        memory=quantity(requests.get("memory")) or limit, memory_limit=limit,
        scratch=quantity(requests.get(_SCRATCH)) or scratch, scratch_limit=scratch,
    )  # fmt: skip


def need(state: State, home: Home, *, updating: bool) -> Need:
    """A home's workloads at their most. `updating` counts old Pods that still end beside new ones, as a quota does;
    without it, one surging Pod a workload."""
    total = Need()
    for work in workloads(state, home.namespace):
        count = most_replicas(state, work.manifest)
        if work.manifest.identity.kind == "Deployment":
            count = (max(2 * count, count + 1) if updating else count + 1) if count else 0
        total += pod_need(work.spec).times(count)
        for _, claim in entries(work.manifest.spec.get("volumeClaimTemplates")):
            size = quantity(dig(claim, "spec", "resources", "requests", "storage"))
            total += Need(storage=size or Decimal(0), volumes=Decimal(1)).times(count)
        for _, volume in entries(work.spec.get("volumes")):
            claim = dig(volume, "ephemeral", "volumeClaimTemplate", "spec", "resources", "requests", "storage")
            if claim is not None:
                total += Need(storage=quantity(claim) or Decimal(0), volumes=Decimal(1)).times(count)
    for cluster in state.of("postgresql.cnpg.io", "Cluster", home.namespace):
        # One more instance: the operator replaces before it removes.
        total += server_need(state, cluster).times(how_many(cluster.spec.get("instances"), 1) + 1)
    for pooler in state.of("postgresql.cnpg.io", "Pooler", home.namespace):
        template = mapping(dig(pooler.spec, "template", "spec"))
        total += pod_need(template).times(how_many(pooler.spec.get("instances"), 1) + 1)
    return total


def server_need(state: State, cluster: Manifest) -> Need:
    """One instance of a PostgreSQL server, with the backup plugin's sidecar."""
    spec = cluster.spec
    sidecars = [
        _container({"resources": dig(store.spec, "instanceSidecarConfiguration", "resources")})
        for store in state.of("barmancloud.cnpg.io", "ObjectStore", cluster.identity.namespace)
        if store.identity.name == "postgresql"
    ]
    one = Need(pods=Decimal(1)) + _container({"resources": spec.get("resources")})
    for sidecar in sidecars:
        one += sidecar
    for part in ("storage", "walStorage"):
        size = quantity(dig(spec, part, "size"))
        if size:
            one += Need(storage=size, volumes=Decimal(1))
    return one


# --- quotas


@proof("RUN-03", "RUN-05")
def quotas(state: State) -> Iterator[Breach]:
    """RUN-03 and RUN-05: each home with workloads is bounded, tightly, and has room for its own updates."""
    for home in state.homes_at():
        needs = need(state, home, updating=True)
        manifests = state.of("", "ResourceQuota", home.namespace)
        if not manifests:
            if needs.pods:
                message = "no quota limits what the namespace can use of its node pool"
                yield breach(state.anchor(home), "RUN-03", (), message, "a ResourceQuota is needed", tenant=home.tenant)
            continue
        hard = mapping(manifests[0].spec.get("hard"))
        yield from _bounded(manifests[0], home, hard)
        # The DR site keeps room for a failover, and what is stopped keeps room to start again.
        running = home.role == "cell" or (
            home.role == "instance" and home.instance is not None and home.instance.running
        )
        for key, wanted in needs.by_key().items():
            given = quantity(hard.get(key))
            path: Path = ("spec", "hard", key)
            if given is None:
                message = f"does not limit {key}"
                yield breach(
                    manifests[0],
                    "RUN-03",
                    path,
                    message,
                    "without a limit it can take its neighbours' share",
                    tenant=home.tenant,
                )
            elif given < wanted:
                message = f"allows {_shown(key, given)}; a rolling update at the most replicas, with both Jobs, needs {_shown(key, wanted)}"
                yield breach(manifests[0], "RUN-05", path, message, "an update would get stuck", tenant=home.tenant)
            elif running and given > wanted * _SLACK and given - wanted > _least(key):
                message = f"allows {_shown(key, given)}; all that the namespace can run needs {_shown(key, wanted)}"
                yield breach(
                    manifests[0], "RUN-03", path, message, "the rest belongs to its neighbours", tenant=home.tenant
                )
        if needs.pods:
            yield from defaults(state, home)
        if manifests[0].spec.get("scopes") or manifests[0].spec.get("scopeSelector"):
            message = "the quota counts some Pods only"
            yield breach(manifests[0], "RUN-03", ("spec",), message, "remove its scopes", tenant=home.tenant)


def _bounded(manifest: Manifest, home: Home, hard: Value) -> Iterator[Breach]:
    for key in ("services.loadbalancers", "services.nodeports"):
        if hard.get(key) != "0":
            message = f"allows {hard.get(key, 'any number of')} {key.partition('.')[2]}, which bypass the edge"
            yield breach(manifest, "RUN-03", ("spec", "hard", key), message, f'{key}: "0"', tenant=home.tenant)


def _least(key: str) -> Decimal:
    """Differences that can be ignored."""
    return {"pods": Decimal(1), "requests.cpu": Decimal("0.1"), "persistentvolumeclaims": Decimal(1)}.get(
        key, 256 * MEBIBYTE
    )


def _shown(key: str, amount: Decimal) -> str:
    if key in ("pods", "persistentvolumeclaims"):
        return f"{amount:f} {key}"
    if key == "requests.cpu":
        return f"{amount:g} cores"
    if key == "requests.storage":
        return f"{amount / GIBIBYTE:.0f} GiB of storage"
    return f"{amount / MEBIBYTE:.0f} MiB of {'disk' if _SCRATCH in key else 'memory'} ({key})"


@proof("RUN-03")
def shares(state: State) -> Iterator[Breach]:
    """RUN-03: requests and limits of containers, priorities, and the sum of a cell against its capacity."""
    for work in workloads(state):
        production = work.home.instance is None or work.home.instance.environment == "production"
        if work.home.role == "cell":
            production = "production" in work.home.site.cell.environments
        wanted = "tenantry-production" if production else "tenantry-nonproduction"
        given = text(work.spec.get("priorityClassName"))
        if given != wanted:
            message = f"the Pods' priority is {given or 'that of nothing'}; {wanted} is promised"
            yield breach(
                work.manifest, "RUN-03", (*work.path, "priorityClassName"), message, wanted, tenant=work.home.tenant
            )
        for container in work.containers:
            resources = mapping(container.value.get("resources"))
            requests, limits = mapping(resources.get("requests")), mapping(resources.get("limits"))
            lacking = [f"requests.{n}" for n in ("cpu", "memory", _SCRATCH) if n not in requests]
            lacking += [f"limits.{n}" for n in ("memory", _SCRATCH) if n not in limits]
            if lacking:
                message = f"container '{container.name}' has no {' and no '.join(lacking)}"
                yield breach(
                    work.manifest,
                    "RUN-03",
                    (*container.path, "resources"),
                    message,
                    "set requests and limits",
                    tenant=work.home.tenant,
                )
        yield from unbounded_volumes(work)
        yield from processes(state, work)
    for manifest in state.of("scheduling.k8s.io", "PriorityClass"):
        if manifest.value.get("preemptionPolicy") != "Never":
            message = "Pods of this priority preempt others: one tenant's load would evict another's Pods"
            yield breach(manifest, "RUN-03", ("preemptionPolicy",), message, "preemptionPolicy: Never", tenant="")
    for home in state.homes_at("cell"):
        yield from _cell(state, home)


def _cell(state: State, home: Home) -> Iterator[Breach]:
    cell = home.site.cell
    total = Need()
    for member in home.members:
        there = state.homes.get(member.names.namespace)
        if there is not None:
            total += need(state, there, updating=False)
    for used, most, what in (
        (total.cpu * 1000, cell.capacity.cpu_millicores, "millicores"),
        (total.memory / MEBIBYTE, cell.capacity.memory_mib, "MiB of memory"),
    ):
        if used > most:
            message = f"the instances of {home} ask for {used:.0f} {what}; it has {most}"
            yield breach(state.anchor(home), "RUN-03", (), message, "place a tenant elsewhere", tenant="")


# --- connections


@proof("RUN-04")
def connections(state: State) -> Iterator[Breach]:
    """RUN-04."""
    for home in state.homes_at("instance"):
        yield from _pods(state, home)
    for server in servers(state):
        if server.home.role == "standby":
            continue
        limits = 0
        for manifest in server.roles:
            limit = manifest.spec.get("connectionLimit", -1)
            member = server.owner(text(manifest.spec.get("name")))
            tenant = member.tenant.name if member else server.home.tenant
            if not isinstance(limit, int) or limit < 1:
                message = f"the role '{manifest.spec.get('name')}' may use every connection of the server"
                yield breach(manifest, "RUN-04", ("spec", "connectionLimit"), message, "give it a limit", tenant=tenant)
                continue
            limits += limit
            if member and server.serves(member) and member.names.database == manifest.spec.get("name"):
                wanted = _claimed(state, member.names.namespace)
                if wanted > limit:
                    message = f"{member.name} can open {wanted} connections (all Pods at their most); its role is limited to {limit}"
                    yield breach(
                        manifest,
                        "RUN-04",
                        ("spec", "connectionLimit"),
                        message,
                        f"connectionLimit: {wanted}",
                        tenant=tenant,
                    )
        yield from _slots(server.manifest, server.home, limits)


def _slots(manifest: Manifest, home: Home, limits: int) -> Iterator[Breach]:
    given = text(dig(manifest.spec, "postgresql", "parameters", "max_connections"))
    most = 100 if (number := digits(given)) is None else number
    usable = int(most * CELL_SHARE) if home.role == "cell" else most - RESERVED_CONNECTIONS
    if limits > usable:
        path: Path = ("spec", "postgresql", "parameters", "max_connections")
        message = f"roles may open {limits} connections; of {most}, {usable} are theirs"
        yield breach(
            manifest, "RUN-04", path, message, "raise max_connections, or lower the roles' limits", tenant=home.tenant
        )


def _claimed(state: State, namespace: str) -> int:
    """Connections that an instance's Pods can hold at their most; the backup and the migration are never there together."""
    total = 0
    for work in workloads(state, namespace):
        pool = _pool(state, work)
        if pool is not None and work.name != "odoo-backup":
            total += pool * most_replicas(state, work.manifest)
    return total


def _pool(state: State, work: Workload) -> int | None:
    """What the PgBouncer beside a Pod's containers lets through to the server."""
    settings = _settings(state, work)
    sizes = [settings.get(key, "") for key in ("max_user_connections", "default_pool_size")]
    numbers = [number for size in sizes if (number := digits(size)) is not None]
    return min(numbers) if numbers else None


def _settings(state: State, work: Workload) -> dict[str, str]:
    container = work.container("pgbouncer")
    manifest = state.get("", "ConfigMap", work.home.namespace, "pgbouncer")
    if container is None or manifest is None:
        return {}
    file = text(next(iter(items(container.value.get("args"))), "")).rpartition("/")[2]
    return dict(sections(text(dig(manifest.value, "data", file))).get("pgbouncer", {}))


def _pods(state: State, home: Home) -> Iterator[Breach]:
    configuration = state.get("", "ConfigMap", home.namespace, "odoo-config")
    if configuration is None:
        return
    options = sections(text(dig(configuration.value, "data", "options.conf"))).get("options", {})
    for work in workloads(state, home.namespace):
        odoo = work.container("odoo")
        pool = _pool(state, work)
        if odoo is None:
            continue
        if pool is None:
            message = "no PgBouncer sidecar limits Odoo's connections"
            yield breach(work.manifest, "RUN-04", work.path, message, "add the sidecar pgbouncer", tenant=home.tenant)
            continue
        yield from _handshakes(configuration, options, home)
        wanted = _wanted(work.name, odoo.value, options)
        if wanted > pool:
            message = f"Odoo's processes can open {wanted} connections; the PgBouncer beside them lets {pool} through, and requests would wait and fail"
            yield breach(
                work.manifest,
                "RUN-04",
                (*odoo.path, "args"),
                message,
                "raise the pool with the workers",
                tenant=home.tenant,
            )
        clients = _settings(state, work).get("max_client_conn", "")
        most = digits(clients)
        if most is not None and most < wanted:
            manifest = state.get("", "ConfigMap", home.namespace, "pgbouncer")
            assert manifest is not None
            message = f"PgBouncer takes {clients} clients; Odoo's processes open {wanted}"
            yield breach(manifest, "RUN-04", ("data",), message, "raise max_client_conn", tenant=home.tenant)


HANDSHAKES = 32
"""Websockets that an office opens at the same moment; each needs a connection, and one that gets none answers 500."""


def _handshakes(manifest: Manifest, options: Value, home: Home) -> Iterator[Breach]:
    # Without a number of its own the bus has that of a worker.
    given = digits(text(options.get("db_maxconn_gevent"))) or digits(text(options.get("db_maxconn"))) or 64
    if given < HANDSHAKES:
        message = (
            f"the bus has {given} connections: of {HANDSHAKES} websockets that open at once the others get an error"
        )
        path: Path = ("data", "options.conf")
        yield breach(manifest, "RUN-04", path, message, f"db_maxconn_gevent = {HANDSHAKES}", tenant=home.tenant)


def _wanted(name: str, container: Value, options: object) -> int:
    """Processes x db_maxconn (odoo/documentation, deploy.rst: workers, cron workers and the parent each have a pool)."""
    arguments = numbers_of(container)
    given = mapping(options)
    each = digits(text(given.get("db_maxconn"))) or 64
    evented = digits(text(given.get("db_maxconn_gevent"))) or each
    if name == "odoo-websocket":
        return evented
    workers, cron = max(int(arguments.get("workers", 0)), 0), int(arguments.get("max-cron-threads", 2))
    combined = workers > 0 and cron > 0
    return (workers + cron + 1) * each + (evented if combined else 0)


# --- disruption


@proof("RUN-05")
def disruptions(state: State) -> Iterator[Breach]:
    """RUN-05: no PodDisruptionBudget keeps a node from being drained."""
    for manifest in state.of("policy", "PodDisruptionBudget"):
        home = state.home(manifest)
        if home is None:
            continue
        taken = selector(manifest.spec.get("selector"))
        counts = [
            most_replicas(state, w.manifest)
            if w.manifest.identity.kind != "Deployment"
            else least_replicas(state, w.manifest)
            for w in workloads(state, home.namespace)
            if taken.matches({str(k): str(v) for k, v in w.labels.items()})
        ]
        pods = sum(counts)
        left = _disruptions(manifest.spec, pods)
        if left < 1 and pods:
            message = f"of {pods} Pods none may go, so a node that holds one can't be emptied"
            yield breach(manifest, "RUN-05", ("spec",), message, "maxUnavailable: 1", tenant=home.tenant)
    for manifest in state.of("postgresql.cnpg.io", "Cluster"):
        home = state.home(manifest)
        if home is not None and manifest.spec.get("enablePDB") is False and manifest.spec.get("instances", 1) != 1:
            message = "no PodDisruptionBudget keeps the database's instances from being evicted at the same time"
            yield breach(manifest, "RUN-05", ("spec", "enablePDB"), message, "enablePDB: true", tenant=home.tenant)


def _disruptions(spec: Value, pods: int) -> int:
    most, least = spec.get("maxUnavailable"), spec.get("minAvailable")
    if most is not None:
        return _share(most, pods)
    return pods - _share(least, pods) if least is not None else pods


def _share(value: object, pods: int) -> int:
    if isinstance(value, int):
        return value
    percent = digits(text(value).removesuffix("%"))
    return -(-pods * percent // 100) if percent is not None else 0
