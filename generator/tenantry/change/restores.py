"""The steps of a restore: what each does, what must be true before the next, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tenantry.change.stepwise import StepGuide
from tenantry.core.changes import Effect
from tenantry.model.restore import Restore, RestoreStep, RestoreWay
from tenantry.resolve.instance import Instance
from tenantry.resolve.servers import ServerGeneration, Servers, servers_of

FIRST_STEPS: Mapping[RestoreWay, RestoreStep] = {"beside": "recover", "in-place": "save", "database": "copy"}
_ORDER: Mapping[RestoreWay, Mapping[RestoreStep, tuple[RestoreStep, ...]]] = {
    "beside": {"recover": ("switch", "dropped"), "switch": ("done", "recover")},
    "in-place": {"save": ("recover", "dropped"), "recover": ("switch",), "switch": ("done",)},
    "database": {"copy": ("switch", "dropped"), "switch": ("done", "copy")},
}
"""Way -> step -> the steps that one change may lead to; the one that goes on comes first."""


def follows(restore: Restore) -> tuple[RestoreStep, ...]:
    """The steps that may come next; none when it is over."""
    return _ORDER[restore.way].get(restore.step, ())


_HEALTHY = "kubectl wait --namespace {namespace} --for=condition=Ready --timeout=4h cluster.postgresql.cnpg.io/{server}"
_STATUS = "kubectl cnpg status {server} --namespace {namespace}"
_DELETE = (
    "kubectl delete --namespace {namespace} scheduledbackup.postgresql.cnpg.io/{before} --ignore-not-found",
    "kubectl delete --namespace {namespace} cluster.postgresql.cnpg.io/{before}",
)
_LOOK = (
    _HEALTHY,
    _STATUS,
    "kubectl cnpg psql {server} --namespace {namespace} -- {database} --command 'SELECT max(write_date) FROM res_users'",
)
GUIDES: Mapping[tuple[RestoreWay, RestoreStep], StepGuide] = {
    ("beside", "recover"): StepGuide(
        "a second server is made from the archive, next to the one that serves; nothing points at it",
        "it is ready, holds what was looked for, and its first base backup is complete",
        (*_LOOK, "kubectl get --namespace {namespace} backups.postgresql.cnpg.io"),
        "at any time, without loss: --drop",
    ),
    ("beside", "switch"): StepGuide(
        "Odoo works on what was restored; what served before is kept, and nobody can log in to it",
        "people can log in and see what they looked for, and the day until which the other one is kept is over",
        ("kubectl rollout status --namespace {odoo} deployment/odoo-web --timeout=30m", _STATUS),
        "if it is the wrong moment; what was entered since the switch is lost: --back",
    ),
    ("beside", "done"): StepGuide(
        "what served before has left the trees; it stays in the cluster until somebody deletes it", "it is deleted", _DELETE, "no more"
    ),
    ("beside", "dropped"): StepGuide(
        "the second server has left the trees; it stays in the cluster until somebody deletes it",
        "it is deleted",
        tuple(command.replace("{before}", "{server}") for command in _DELETE),
        "no more: begin another restore",
    ),
    ("in-place", "save"): StepGuide(
        "a base backup is taken of what is going to be replaced",
        "the backup is complete",
        (
            "kubectl wait --namespace {namespace} --for=jsonpath='{{.status.phase}}'=completed --timeout=4h backup.postgresql.cnpg.io/before{suffix}",
        ),
        "at any time, without loss: --drop",
    ),
    ("in-place", "recover"): StepGuide(
        "Odoo is stopped. Delete the server that served: the restored one takes its room, and waits for it",
        "it is ready, and holds what was looked for",
        (*_DELETE, *_LOOK),
        "no more: what served before is in its archive, with the backup of the step 'save'; another moment is another restore",
    ),
    ("in-place", "switch"): StepGuide(
        "Odoo works on what was restored", "people can log in and see what they looked for",
        ("kubectl rollout status --namespace {odoo} deployment/odoo-web --timeout=30m", _STATUS), "no more: another moment is another restore",
    ),
    ("database", "copy"): StepGuide(
        "a Job takes the database out of the cell's restored server into a new one beside the one that serves, and compares them row by row",
        "the Job has ended well: all is alike",
        (
            # Only hooks are new: Argo CD takes the Application for synced, and runs none by itself.
            "argocd app sync {odoo}-app",
            "kubectl wait --namespace {odoo} --for=condition=complete --timeout=2h job/odoo-move",
            "kubectl logs --namespace {odoo} job/odoo-move",
        ),
        "at any time, without loss: --drop",
    ),
    ("database", "switch"): StepGuide(
        "Odoo works on what was restored; the database that served before is kept, and nobody can log in to it",
        "people can log in and see what they looked for, and the day until which the other one is kept is over",
        ("kubectl rollout status --namespace {odoo} deployment/odoo-web --timeout=30m", "kubectl get --namespace {odoo} pods,jobs"),
        "if it is the wrong moment; what was entered since the switch is lost: --back",
    ),
    ("database", "done"): StepGuide(
        "the database that served before has left the trees; it stays on its server until somebody deletes it", "it is deleted",
        (
            'kubectl patch --namespace {namespace} database.postgresql.cnpg.io/{unused} --type=merge --patch \'{{"spec": {{"databaseReclaimPolicy": "delete"}}}}\'',
            "kubectl delete --namespace {namespace} database.postgresql.cnpg.io/{unused}",
            'kubectl patch --namespace {namespace} databaserole.postgresql.cnpg.io/{unused} --type=merge --patch \'{{"spec": {{"databaseRoleReclaimPolicy": "delete"}}}}\'',
            "kubectl delete --namespace {namespace} databaserole.postgresql.cnpg.io/{unused}",
        ),
        "no more",
    ),
    ("database", "dropped"): StepGuide(
        "the new database has left the trees; it stays on its server until somebody deletes it", "it is deleted", (), "no more"
    ),
    ("in-place", "done"): StepGuide("the restore is over", "", (), "no more"),
    ("in-place", "dropped"): StepGuide("the restore is given up; nothing was replaced", "", (), "no more"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RestoredPlace:
    """Names that the commands of a restore need; `odoo` is the namespace of an instance that uses the server."""

    owner: str
    namespace: str
    odoo: str
    database: str
    unused: str = ""
    """The objects of the database that an instance does not use, on its server."""


def commands(guide: StepGuide, restores: Sequence[Restore], place: RestoredPlace) -> list[str]:
    """The commands of the last restore's step, with names."""
    server = ServerGeneration(owner=place.owner, restore=restores[-1])
    before = servers_of(place.owner, restores[:-1]).serving
    return [
        command.format(
            namespace=place.namespace, server=server.name, suffix=server.suffix, before=before.name, odoo=place.odoo,
            database=place.database, unused=place.unused,
        )
        for command in guide.commands
    ]  # fmt: skip


def takes_over(earlier: Instance, instance: Instance) -> bool:
    """Whether a change makes an instance use the other of its two databases: after the copy, or back to what was kept."""
    was, will = earlier.databases, instance.databases
    return was.beside is not None and (was.serving, was.beside) == (will.beside, will.serving)


def database_effects(was: Instance, will: Instance) -> Iterator[Effect]:
    """What another step of taking one database out of a server means for whom it belongs to."""
    before, after = was.databases, will.databases
    if before == after:
        return
    if before.serving != after.serving:
        back = after.serving < before.serving
        what = "what was entered since the switch is lost" if back else "what was entered since that moment is lost"
        yield Effect(
            "data", f"Odoo works on another database, {will.names.database}; {what}", downtime="while the Pods restart"
        )
    elif after.filling:
        yield Effect(
            "availability",
            "a database is taken out of the cell's restored server, and compared; the one that serves is not touched",
        )
    elif before.beside is not None:
        yield Effect("data", "a database leaves the trees; it stays on its server until somebody deletes it")


def restore_effects(was: Servers, will: Servers) -> Iterator[Effect]:
    """What another step means for those who work on the server."""
    if was.serving != will.serving and was.serving.name != will.serving.name:
        restore = will.serving.restore
        if will.stopped:
            yield Effect(
                "data", f"the server is replaced by generation {will.serving.generation}, as of {_moment(restore)}",
                downtime="until it was recovered, looked at, and the step switch is merged",
            )  # fmt: skip
        else:
            back = will.serving.generation < was.serving.generation
            what = "what was entered since the switch is lost" if back else "what was entered since is lost"
            yield Effect(
                "data", f"Odoo works on generation {will.serving.generation} of its database, as of {_moment(restore)}; {what}",
                downtime="while the Pods restart",
            )  # fmt: skip
    elif was.stopped and not will.stopped:
        yield Effect("availability", "Odoo starts on what was restored", downtime="until the Pods have started")
    gone = {s.name for s in was.all} - {s.name for s in will.all}
    made = {s.name: s for s in will.all if s.name not in {s.name for s in was.all}}
    for name in sorted(gone):
        yield Effect("data", f"{name} leaves the trees; it stays in the cluster until somebody deletes it")
    for name, server in sorted(made.items()):
        if server.restore is not None and not server.serves:
            about = f"from generation {server.restore.source}, as of {server.restore.moment} ({server.restore.reason})"
            yield Effect("cost", f"{name} is recovered beside the server that serves, {about}")
    if will.saving is not None and was.saving is None:
        yield Effect("cosmetic", f"a backup is taken before generation {will.saving.generation} replaces the server")


def _moment(restore: Restore | None) -> str:
    return restore.moment if restore is not None else "now"
