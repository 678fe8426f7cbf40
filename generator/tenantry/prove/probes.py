"""RUN-08: Odoo's probes test what users need, and don't restart Pods that are merely busy."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Path, dig, entries, how_many, items, mapping, text
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof
from tenantry.prove.workloads import Container, Workload, workloads

CONTROL = "RUN-08"
LONGEST_REQUEST = 240
"""Longest request of Odoo in seconds: limit_time_real in odoo.conf."""
_READY = ["python3", "/etc/odoo-config/ready.py"]
_BUS = "8072"


@proof("RUN-08")
def probes(state: State) -> Iterator[Breach]:
    """RUN-08: readiness covers web, bus and sessions; liveness allows for the longest request."""
    for home in state.homes_at("instance"):
        assert home.instance is not None
        for work in workloads(state, home.namespace):
            migration = work.container("migration") if work.name == "odoo-migration" else None
            if migration is not None:
                yield from _prints(work, migration, home)
            odoo = work.container("odoo")
            if odoo is None:
                continue
            if work.name == "odoo-web":
                yield from _patient(work, odoo, home)
                yield from _starts(work, odoo, home)
                yield from _lenient(work, odoo, home)
                yield from _sees(work, odoo, home, ("8069",) if home.instance.split else ("8069", _BUS))
            elif (
                work.name == "odoo-websocket"
                and dig(odoo.value, "readinessProbe", "httpGet", "path") != "/websocket/health"
            ):
                message = "readiness does not check the bus: Pods without their database would get new connections"
                path: Path = (*odoo.path, "readinessProbe")
                yield breach(work.manifest, CONTROL, path, message, "GET /websocket/health", tenant=home.tenant)


def _patient(work: Workload, odoo: Container, home: Home) -> Iterator[Breach]:
    probe = mapping(odoo.value.get("livenessProbe"))
    lasts = how_many(probe.get("periodSeconds"), 10) * how_many(probe.get("failureThreshold"), 3)
    path: Path = (*odoo.path, "livenessProbe")
    if lasts <= LONGEST_REQUEST:
        message = f"a Pod whose workers are busy for {lasts} seconds is restarted; a request may take {LONGEST_REQUEST}"
        yield breach(work.manifest, CONTROL, path, message, "periodSeconds 30, failureThreshold 10", tenant=home.tenant)
    if how_many(probe.get("timeoutSeconds"), 1) < ANSWER:
        message = f"liveness waits {how_many(probe.get('timeoutSeconds'), 1)} seconds, and busy workers answer later"
        yield breach(work.manifest, CONTROL, path, message, "timeoutSeconds: 10", tenant=home.tenant)
    grace = how_many(
        probe.get("terminationGracePeriodSeconds"), how_many(work.spec.get("terminationGracePeriodSeconds"), 30)
    )
    if grace > 60:
        message = f"a Pod that hangs keeps running for {grace} seconds after the probe failed"
        yield breach(work.manifest, CONTROL, path, message, "terminationGracePeriodSeconds: 30", tenant=home.tenant)


REPORTS = "http://odoo-web:8069"
"""Where the program that prints reports fetches their styles: all Pods that serve pages."""


def _prints(work: Workload, migration: Container, home: Home) -> Iterator[Breach]:
    """From its own Pod a report waits for a worker beside the one that prints it, and from cron's there is none at all."""
    given = text(mapping(migration.environment.get("MIGRATION_REPORT_URL")).get("value"))
    if given != REPORTS:
        message = (
            f"reports fetch their styles from '{given}': busy workers would wait for themselves, and cron prints none"
        )
        path: Path = (*migration.path, "env")
        yield breach(work.manifest, CONTROL, path, message, f"MIGRATION_REPORT_URL={REPORTS}", tenant=home.tenant)


_LOADS = 240
"""Seconds that Odoo may need to load its modules beside busy neighbours; liveness counts afterwards."""
ANSWER = 8
"""Seconds that ready.py waits for one answer."""
_LEAVES = 60
"""Seconds for which all workers may be busy before a Pod leaves the service."""


def _lenient(work: Workload, odoo: Container, home: Home) -> Iterator[Breach]:
    """Busy workers answer late, and where all Pods leave the service at once nobody gets an answer."""
    probe = mapping(odoo.value.get("readinessProbe"))
    waits = how_many(probe.get("timeoutSeconds"), 1)
    lasts = how_many(probe.get("periodSeconds"), 10) * how_many(probe.get("failureThreshold"), 3)
    path: Path = (*odoo.path, "readinessProbe")
    hint = "periodSeconds 15, timeoutSeconds 20, failureThreshold 6"
    if waits < 2 * ANSWER:
        message = f"readiness waits {waits} seconds; the pages and the session store may take {ANSWER} each"
        yield breach(work.manifest, CONTROL, path, message, hint, tenant=home.tenant)
    if lasts < _LEAVES:
        message = f"a Pod whose workers are busy for {lasts} seconds leaves the service"
        yield breach(work.manifest, CONTROL, path, message, hint, tenant=home.tenant)


def _starts(work: Workload, odoo: Container, home: Home) -> Iterator[Breach]:
    """Odoo loads its modules before it answers; until then liveness must not count."""
    probe = mapping(odoo.value.get("startupProbe"))
    lasts = how_many(probe.get("periodSeconds"), 10) * how_many(probe.get("failureThreshold"), 3) if probe else 0
    if lasts < _LOADS:
        message = f"Odoo has {lasts} seconds to load its modules: a slow start is restarted again and again"
        path: Path = (*odoo.path, "startupProbe")
        yield breach(work.manifest, CONTROL, path, message, "GET /web/health, failureThreshold 60", tenant=home.tenant)


def _sees(work: Workload, odoo: Container, home: Home, ports: tuple[str, ...]) -> Iterator[Breach]:
    """Pages, the bus where this Pod serves it, and by ready.py the session store."""
    command = list(map(text, items(dig(odoo.value, "readinessProbe", "exec", "command"))))
    if command[:2] != _READY or sorted(command[2:]) != sorted(ports):
        message = (
            f"readiness does not check {' and '.join(ports)} and the session store: what fails there stays in service"
        )
        path: Path = (*odoo.path, "readinessProbe")
        yield breach(work.manifest, CONTROL, path, message, " ".join((*_READY, *ports)), tenant=home.tenant)
    mounts = {text(m.get("mountPath")) for _, m in entries(odoo.value.get("volumeMounts"))}
    if "/etc/odoo-config" not in mounts:
        message = "ready.py is not mounted, so the Pod is never ready"
        yield breach(
            work.manifest, CONTROL, (*odoo.path, "volumeMounts"), message, "mount odoo-config", tenant=home.tenant
        )
