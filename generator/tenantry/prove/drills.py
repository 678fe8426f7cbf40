"""BKP-07: every promised restore drill is there, restores what would be needed, harms nobody, and is missed when it fails."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, dig, entries, items, text
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.observation import rules_of
from tenantry.prove.promises import Home
from tenantry.prove.recoveries import written
from tenantry.prove.registration import proof
from tenantry.prove.schedules import longest_hours
from tenantry.prove.workloads import Workload, workloads
from tenantry.resolve.drills import NAME, Drill

CONTROL = "BKP-07"
_STEPS = (("restore", "restore.sh"), ("postgresql", ""), ("login", "login.py"), ("check", "check.sh"))
"""Containers in their order, and the script that each runs; Odoo starts only on a server of the tenant's own."""
_SECRET = "drill-storage"  # noqa: S105 - a name
_OVERDUE = re.compile(r"\(time\(\) - max\(kube_cronjob_status_last_successful_time\{(.*?)\} or kube_cronjob_created\{\1\}\)\) > (\d+) or absent\(kube_cronjob_created\{\1\}\)")  # fmt: skip
_HINT = "run 'tenantry render'"


@proof(CONTROL)
def drills(state: State) -> Iterator[Breach]:
    """BKP-07."""
    for home in state.homes.values():
        drill = home.drill
        if drill is None:
            continue
        work = next((w for w in workloads(state, home.namespace) if _is_drill(w)), None)
        if work is None:
            message = f"nothing restores the backups of {home} for practice; one drill every {drill.every_days} days is promised"
            yield breach(state.anchor(home), CONTROL, (), message, _HINT, tenant=home.tenant)
            continue
        yield from _in_time(state, home, drill, work.manifest)
        yield from _steps(home, work)
        yield from _archive(state, home, drill, work)
        yield from _harmless(home, work)
        yield from _noticed(state, home, drill)


def _is_drill(work: Workload) -> bool:
    return work.name == NAME and work.manifest.kind == ("batch", "CronJob")


def _in_time(state: State, home: Home, drill: Drill, manifest: Manifest) -> Iterator[Breach]:
    hours, most = longest_hours(state, manifest), drill.every_days * 24
    if manifest.spec.get("suspend"):
        yield breach(
            manifest, CONTROL, ("spec", "suspend"), "drills are suspended", "suspend: false", tenant=home.tenant
        )
    if hours > most:
        message = f"up to {hours:,.4g} h pass between two drills; {most} h are promised"
        yield breach(manifest, CONTROL, ("spec", "schedule"), message, _HINT, tenant=home.tenant)
    path: Path = ("spec", "jobTemplate", "spec", "activeDeadlineSeconds")
    given = dig(manifest.value, *path)
    if not isinstance(given, int) or given > drill.deadline_seconds:
        message = f"a restore that takes longer than the promised RTO of {drill.deadline_seconds} s would pass"
        yield breach(
            manifest, CONTROL, path, message, f"activeDeadlineSeconds: {drill.deadline_seconds}", tenant=home.tenant
        )
    retries: Path = ("spec", "jobTemplate", "spec", "backoffLimit")
    if dig(manifest.value, *retries) != 0:
        message = "a drill that failed is repeated until it passes, and nobody hears of it"
        yield breach(manifest, CONTROL, retries, message, "backoffLimit: 0", tenant=home.tenant)


def _steps(home: Home, work: Workload) -> Iterator[Breach]:
    """What a step checks is in the scripts, which are held to the templates (SUP-05)."""
    wanted = [name for name, _ in _STEPS if name != "login" or home.role != "cell"]
    found = sorted(work.containers, key=lambda container: not container.first)
    if [container.name for container in found] != wanted:
        message = f"its steps are {', '.join(c.name for c in found) or 'none'}; a drill is {', '.join(wanted)}"
        yield breach(work.manifest, CONTROL, work.path, message, _HINT, tenant=home.tenant)
        return
    scripts = dict(_STEPS)
    for container in found:
        script, command = scripts[container.name], [text(c) for c in items(container.value.get("command"))]
        if script and (len(command) != 2 or not command[1].endswith(f"/{script}") or container.value.get("args")):
            message = f"the step '{container.name}' does not run {script}"
            yield breach(work.manifest, CONTROL, (*container.path, "command"), message, _HINT, tenant=home.tenant)


def _archive(state: State, home: Home, drill: Drill, work: Workload) -> Iterator[Breach]:
    """It reads what the server that serves writes, and expects every database on that."""
    server = state.get("postgresql.cnpg.io", "Cluster", home.namespace, home.servers.serving.name)
    archive = written(state, server) if server is not None else None
    for name in ("restore", "check"):
        container = work.container(name)
        if container is None:
            continue
        given = {key: text(entry.get("value")) for key, entry in container.environment.items()}
        read = f"s3://{given.get('ARCHIVE_PLACE', '')}/{given.get('ARCHIVE_SERVER', '')} of {given.get('ARCHIVE_ENDPOINT', '')}"
        wanted = f"{archive} of {archive.endpoint}" if archive is not None else "no archive"
        if read != wanted:
            message = f"the step '{name}' reads {read}, and {home}'s server archives to {wanted}"
            yield breach(work.manifest, CONTROL, (*container.path, "env"), message, _HINT, tenant=home.tenant)
        missing = sorted(set(drill.expected.split()) - set(given.get("DRILL_DATABASES", "").split()))
        if name == "check" and missing:
            message = f"nobody would notice that these did not come back: {', '.join(missing)}"
            yield breach(work.manifest, CONTROL, (*container.path, "env"), message, _HINT, tenant=home.tenant)


def _harmless(home: Home, work: Workload) -> Iterator[Breach]:
    """Its only credential reads the object store. What it reaches over the network is declared in network/flows.py."""
    found: list[tuple[Path, str]] = []
    for container in work.containers:
        for number, entry in entries(container.value.get("env")):
            found.append(((*container.path, "env", number), text(dig(entry, "valueFrom", "secretKeyRef", "name"))))
        for number, source in entries(container.value.get("envFrom")):
            found.append(((*container.path, "envFrom", number), text(dig(source, "secretRef", "name"))))
    for number, volume in entries(work.spec.get("volumes")):
        names = [text(dig(volume, "secret", "secretName"))]
        names += [text(dig(source, "secret", "name")) for _, source in entries(dig(volume, "projected", "sources"))]
        found += [((*work.path, "volumes", number), name) for name in names]
    for path, name in found:
        if name and name != _SECRET:
            message = f"a drill has the Secret '{name}', by which it could reach more than backups to read"
            yield breach(work.manifest, CONTROL, path, message, f"'{_SECRET}' is enough", tenant=home.tenant)


def _noticed(state: State, home: Home, drill: Drill) -> Iterator[Breach]:
    """Where production is watched: somebody hears when there was no good drill for too long."""
    if home.instance is not None and not home.instance.running:
        return
    found = list(state.of("monitoring.coreos.com", "PrometheusRule", home.namespace))
    expressions = [text(rule.get("expr")) for manifest in found for rule in rules_of(manifest)]
    wanted = {f'namespace="{home.namespace}"', f'cronjob="{NAME}"'}
    for expression in expressions:
        match = _OVERDUE.fullmatch(expression)
        if match and set(match[1].split(",")) == wanted and int(match[2]) <= drill.overdue_seconds:
            return
    anchor = next(
        (m for m in found if any("kube_cronjob" in text(r.get("expr")) for r in rules_of(m))), state.anchor(home)
    )
    message = (
        f"nobody hears when no drill was good for {drill.overdue_seconds // 86400} days, or when there is none any more"
    )
    fix = f"(time() - max(kube_cronjob_status_last_successful_time{{...}} or kube_cronjob_created{{...}})) > {drill.overdue_seconds} or absent(...)"
    yield breach(anchor, CONTROL, ("spec", "groups") if anchor in found else (), message, fix, tenant=home.tenant)
