"""RUN-07: Odoo starts only on a database that was backed up and migrated for its release.

Modules are loaded at each start. A Pod that starts beside a migration works with the old code on what the new one
changes, and a sync that applies a new image without its hooks (Argo CD's self-heal can) would start it on the old schema.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import lru_cache

from tenantry.core.manifest import Manifest, Path, dig, entries, items, text, whole_number
from tenantry.model.release import Release
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof
from tenantry.prove.workloads import SERVE, Container, Workload, runs_odoo, workloads

CONTROL = "RUN-07"
_COMMAND = ["python3", "/etc/odoo-config/gate.py"]
_HOOK, _WAVE = "argocd.argoproj.io/hook", "argocd.argoproj.io/sync-wave"


@proof("RUN-07")
def gated(state: State) -> Iterator[Breach]:
    """RUN-07: the gate's place in each Odoo Pod, and the order of backup, migration and rollout."""
    for home in state.homes_at("instance"):
        assert home.instance is not None
        found = workloads(state, home.namespace)
        for work in found:
            if work.manifest.identity.kind != "Job" and any(runs_odoo(c) for c in work.containers):
                yield from _strict(work, home)
                yield from _gate(work, home, home.instance.release.marker)
        yield from _order({work.name: work for work in found}, home, home.instance.release)


def _strict(work: Workload, home: Home) -> Iterator[Breach]:
    """By itself Odoo logs that its session store can't be loaded, and goes on without it."""
    for container in work.containers:
        if runs_odoo(container) and items(container.value.get("command")) != SERVE:
            message = "Odoo would start without the modules that can't be loaded, its session store too"
            yield breach(
                work.manifest,
                CONTROL,
                (*container.path, "command"),
                message,
                f"start it by {' '.join(SERVE)}",
                tenant=home.tenant,
            )


def _gate(work: Workload, home: Home, marker: str) -> Iterator[Breach]:
    first = [container for container in work.containers if container.first]
    position = next((number for number, c in enumerate(first) if items(c.value.get("command")) == _COMMAND), None)
    hint = "make the gate the last init container, after PgBouncer"
    if position is None or first[position].sidecar or items(first[position].value.get("args")):
        message = "Odoo would start on a database that no hook has migrated for it: nothing waits for that"
        yield breach(work.manifest, CONTROL, (*work.path, "initContainers"), message, hint, tenant=home.tenant)
        return
    if not any(container.name == "pgbouncer" for container in first[:position]):
        message = "the gate comes before PgBouncer, through which it reaches the database, so it never opens"
        yield breach(work.manifest, CONTROL, first[position].path, message, hint, tenant=home.tenant)
    assert home.instance is not None
    wanted = {"GATE_DATABASE": home.instance.names.database, "GATE_RELEASE": marker}
    yield from _environment(work.manifest, first[position], wanted, home)


def _environment(manifest: Manifest, container: Container, wanted: dict[str, str], home: Home) -> Iterator[Breach]:
    """The last entry of a name counts."""
    given = {text(e.get("name")): text(e.get("value")) for _, e in entries(container.value.get("env"))}
    for name, value in wanted.items():
        if given.get(name) != value:
            message = f"{name} is '{given.get(name, '')}': what was migrated and what starts would not be the same"
            path: Path = (*container.path, "env")
            yield breach(manifest, CONTROL, path, message, f"{name}={value}", tenant=home.tenant)


def _order(works: dict[str, Workload], home: Home, release: Release) -> Iterator[Breach]:
    """Backup, then migration, then everything else."""
    backup, migration = works.get("odoo-backup"), works.get("odoo-migration")
    if migration is None:
        return  # conformance tells what is missing
    for work in (w for w in (backup, migration) if w is not None):
        if work.manifest.annotations.get(_HOOK) != "PreSync":
            message = "is not a PreSync hook, so new Pods start in parallel with it"
            path: Path = ("metadata", "annotations", _HOOK)
            yield breach(work.manifest, CONTROL, path, message, "PreSync", tenant=home.tenant)
    if backup is not None and _wave(backup) >= _wave(migration):
        message = "the backup does not precede the migration, so a failed one can't be rolled back"
        path = ("metadata", "annotations", _WAVE)
        yield breach(backup.manifest, CONTROL, path, message, "give it an earlier sync-wave", tenant=home.tenant)
    container = migration.container("migration")
    if container is not None:
        wanted = {
            "MIGRATION_RELEASE": release.marker,
            "MIGRATION_MODULES": ",".join(release.modules),
            "MIGRATION_STORAGE_MODULES": ",".join(release.storage_modules),
        }
        yield from _environment(migration.manifest, container, wanted, home)


_SCRIPTS, _SCRIPT = "odoo-migration-scripts", "migrate.py"
_CALLS: Mapping[str, tuple[str, str]] = {
    "lock": ("RUN-07", "two migrations can change one database together"),
    "refuse_what_a_move_left": ("RUN-07", "Odoo would be installed where a moved database is missing"),
    "refuse_empty_when_imported": ("RUN-07", "Odoo would be installed where a customer's data is to be brought in"),
    "bring_modules": ("RUN-07", "no module is installed or updated for the release"),
    "refuse_default_password": ("IAM-09", "Odoo's first user keeps the password that everybody knows"),
    "grant": ("DATA-03", "PUBLIC may connect to the database"),
}
"""Functions that the migration must call, the control that each keeps, and what happens without it."""
_LONGEST = 256 << 10
"""Characters of a script that are parsed."""


@proof("RUN-07", "IAM-09", "DATA-03")
def scripted(state: State) -> Iterator[Breach]:
    """What the migration's script does, by the functions that are called from where it begins."""
    for home in state.homes_at("instance"):
        manifest = state.get("", "ConfigMap", home.namespace, _SCRIPTS)
        if manifest is None:
            continue
        called = _called(text(dig(manifest.value, "data", _SCRIPT)))
        for name, (control, why) in _CALLS.items():
            if name not in called:
                message = f"the migration never calls {name}(): {why}"
                path: Path = ("data", _SCRIPT)
                yield breach(manifest, control, path, message, "call it from migrate()", tenant=home.tenant)


@lru_cache(maxsize=64)
def _called(script: str) -> frozenset[str]:
    """Functions that a script reaches from its last statement; none of one that can't be parsed."""
    try:
        body = ast.parse(script[:_LONGEST]).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
    found: set[str] = set()
    waiting: list[ast.AST] = list(body[-1:])
    while waiting:
        for node in ast.walk(waiting.pop()):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in found:
                found.add(node.func.id)
                waiting += [functions[node.func.id]] if node.func.id in functions else []
    return frozenset(found)


def _wave(work: Workload) -> int:
    return whole_number(str(work.manifest.annotations.get(_WAVE, "0"))) or 0
