"""RUN-03: what bounds one process, one volume and one container that says nothing itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from tenantry.core.manifest import Path, Value, dig, entries, items, mapping, text
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import Home
from tenantry.prove.workloads import Container, Workload
from tenantry.verify.values import quantity

SCRATCH = "ephemeral-storage"
"""Of a node's disk: emptyDir volumes, logs and the containers' own layers."""
_MEBIBYTE = Decimal(1 << 20)
_ARGUMENT = re.compile(r"--([a-z-]{1,40})=(-?[0-9]{1,12})")
_SOFT, _HARD = "limit-memory-soft", "limit-memory-hard"


def numbers_of(container: Value) -> dict[str, str]:
    """The arguments of a container that are numbers; the last one of a name counts."""
    words = " ".join(map(text, items(container.get("args")))).split()
    return {found[1]: found[2] for word in words if (found := _ARGUMENT.match(word))}


def processes(state: State, work: Workload) -> Iterator[Breach]:
    """Odoo's own limits hold for each process; the container's for all, and with cgroup v2 the kernel ends all of them."""
    odoo = work.container("odoo")
    if odoo is None:
        return
    arguments = numbers_of(odoo.value)
    limit = quantity(dig(odoo.value, "resources", "limits", "memory")) or Decimal(0)
    soft, each = (Decimal(arguments.get(name, 0)) for name in (_SOFT, _HARD))
    yield from _one(work, odoo, soft, each, limit)
    if state.cluster.single_process_oom_kill:
        return
    workers, cron = max(int(arguments.get("workers", 0)), 0), int(arguments.get("max-cron-threads", 0))
    count = workers + cron + (1 if workers else 0)  # the one for the bus comes with the workers
    if count > 1 and count * each > limit:
        message = (
            f"{count} processes may take {each / _MEBIBYTE:.0f} MiB each, and the container {limit / _MEBIBYTE:.0f}: "
            "the kernel would end all of them"
        )
        hint = "run the kubelets with singleProcessOOMKill, and say so in the cluster's file"
        yield breach(work.manifest, "RUN-03", (*odoo.path, "resources"), message, hint, tenant=work.home.tenant)


def _one(work: Workload, odoo: Container, soft: Decimal, hard: Decimal, limit: Decimal) -> Iterator[Breach]:
    """A process ends after its request above the soft limit, and at once at the hard one; both before the kernel ends it."""
    path: Path = (*odoo.path, "args")
    for name, given in ((_SOFT, soft), (_HARD, hard)):
        if given <= 0:
            message = f"--{name} is not set: Odoo takes its own default, whatever the container has"
            hint = "both limits, below the container's"
            yield breach(work.manifest, "RUN-03", path, message, hint, tenant=work.home.tenant)
    if soft > 0 and hard > 0 and not soft < hard <= limit:
        message = (
            f"a process may take {soft / _MEBIBYTE:.0f} MiB after its request and {hard / _MEBIBYTE:.0f} in it, and the "
            f"container {limit / _MEBIBYTE:.0f}: it is ended in the middle of its work"
        )
        hint = "the soft limit below the hard one, and that within the container's"
        yield breach(work.manifest, "RUN-03", path, message, hint, tenant=work.home.tenant)


def unbounded_volumes(work: Workload) -> Iterator[Breach]:
    """An emptyDir without a size grows until the Pod's limit, and takes the logs' room with it."""
    for number, volume in entries(work.spec.get("volumes")):
        if "emptyDir" in volume and quantity(mapping(volume["emptyDir"]).get("sizeLimit")) is None:
            message = f"the volume '{text(volume.get('name'))}' may fill the node's disk, or its memory"
            path: Path = (*work.path, "volumes", number, "emptyDir")
            yield breach(work.manifest, "RUN-03", path, message, "give it a sizeLimit", tenant=work.home.tenant)


def defaults(state: State, home: Home) -> Iterator[Breach]:
    """What a container gets that says nothing itself; operators add such ones."""
    ranges = state.of("", "LimitRange", home.namespace)
    if not ranges:
        message = "no LimitRange gives limits to containers that have none"
        yield breach(state.anchor(home), "RUN-03", (), message, "a LimitRange is needed", tenant=home.tenant)
        return
    given = [one for m in ranges for _, one in entries(m.spec.get("limits")) if one.get("type") == "Container"]
    for field, keys in (("defaultRequest", ("cpu", "memory", SCRATCH)), ("default", ("memory", SCRATCH))):
        for key in keys:
            if not any(quantity(mapping(one.get(field)).get(key)) is not None for one in given):
                message = f"a container that says nothing itself gets no {key} ({field}), and the quota refuses its Pod"
                yield breach(ranges[0], "RUN-03", ("spec", "limits"), message, f"{field}: {key}", tenant=home.tenant)
