"""The steps of a move: what each does, what must be true before the next, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from tenantry.change.stepwise import StepGuide
from tenantry.core.changes import Effect
from tenantry.model import names
from tenantry.model.migration import AT_TARGET, MOVE_STEPS, Migration, MoveStep
from tenantry.resolve.instance import Instance

_SYNC = "argocd app sync {namespace}-app"
"""Where hooks alone are new: Argo CD takes the Application for synced, and runs none by itself."""
_LOG = "kubectl logs --namespace {namespace} job/odoo-move"
_JOB = "kubectl wait --namespace {namespace} --for=condition=complete --timeout=2h job/odoo-move"
_JOB_THERE = "kubectl{on_target} wait --namespace {namespace} --for=condition=complete --timeout=2h job/odoo-move"
_LOG_THERE = "kubectl{on_target} logs --namespace {namespace} job/odoo-move"
_JOBS = (
    "kubectl{on_source} wait --namespace {namespace} --for=condition=complete --timeout=2h job/odoo-move",
    _JOB_THERE,
    _LOG_THERE,
)
GUIDE: Mapping[MoveStep, StepGuide] = {
    "prepare": StepGuide(
        "an empty database is made at the target; the source serves",
        "the target's database is there",
        (
            "kubectl{on_target} wait --namespace {target_namespace} --for=jsonpath='{{.status.applied}}'=true --timeout=30m database.postgresql.cnpg.io/{target_object}",
        ),
        "at any time, without loss",
    ),
    "copy": StepGuide(
        "a trial copy runs while the source serves; its time is about how long Odoo will be down later",
        "the Job has ended well; note its minutes",
        (_SYNC, _JOB, _LOG),
        "if it fails, or takes longer than the customer can be without Odoo; without loss",
    ),
    "compare": StepGuide(
        "the trial copy is compared with what the source was: every row, sequence, table and attachment",
        "the Job has ended well: all is alike",
        (_SYNC, _JOB, _LOG),
        "if anything differs; without loss",
    ),
    "freeze": StepGuide(
        "Odoo is stopped, the last copy runs, and is compared",
        "the Job has ended well: nobody wrote meanwhile, and all is alike",
        (_JOB, _LOG),
        "if the Job fails, or 70 % of the window is over; the source serves again, without loss",
    ),
    "switch": StepGuide(
        "Odoo starts at the target; users log in again",
        "people can log in, and see yesterday's documents; jobs run",
        (
            "kubectl{on_target} rollout status --namespace {namespace} deployment/odoo-web --timeout=30m",
            "kubectl{on_target} get --namespace {namespace} pods,jobs",
        ),
        "if a login, an invoice or a scheduled action does not work; what was entered since the switch is lost",
    ),
    "watch": StepGuide(
        "the target serves; the source's database is kept, and nobody can log in to it",
        "the day until which the source is kept is over, and a backup of the target was restored in a drill",
        ("kubectl{on_target} get --namespace {target_namespace} backups.postgresql.cnpg.io",),
        "only for a loss of data that is worse than losing all that was entered since the switch",
    ),
    "remove": StepGuide(
        "the source's database leaves the trees; it stays on its server until somebody deletes it",
        "the source's database is deleted",
        (
            'kubectl patch --namespace {source_namespace} database.postgresql.cnpg.io/{source_object} --type=merge --patch \'{{"spec": {{"databaseReclaimPolicy": "delete"}}}}\'',
            "kubectl delete --namespace {source_namespace} database.postgresql.cnpg.io/{source_object}",
            'kubectl patch --namespace {source_namespace} databaserole.postgresql.cnpg.io/{source_object} --type=merge --patch \'{{"spec": {{"databaseRoleReclaimPolicy": "delete"}}}}\'',
            "kubectl delete --namespace {source_namespace} databaserole.postgresql.cnpg.io/{source_object}",
        ),
        "no more: restore a backup of the target",
    ),
}


_OWN: Mapping[MoveStep, StepGuide] = {
    "remove": replace(
        GUIDE["remove"], does="the source's PostgreSQL leaves the trees; it goes on until somebody deletes it",
        done="the source's PostgreSQL is deleted, with its volumes",
        commands=("kubectl{on_source} delete --namespace {namespace} cluster.postgresql.cnpg.io/postgresql",),
    ),
}  # fmt: skip
"""From a PostgreSQL of the instance's own."""
ACROSS: Mapping[MoveStep, StepGuide] = {
    "prepare": replace(
        GUIDE["prepare"], does="the instance is made at the target, with an empty database and Odoo stopped; the source serves",
        done="the target's database and certificates are there",
        commands=(*GUIDE["prepare"].commands, "kubectl{on_target} wait --namespace {namespace} --for=condition=Ready --timeout=30m certificate --all"),
    ),
    "copy": replace(
        GUIDE["copy"], does="a trial copy goes through the object store while the source serves; its time is about how long Odoo will be down later",
        done="both Jobs have ended well; note the minutes of the target's", commands=_JOBS,
    ),
    "compare": replace(GUIDE["compare"], commands=(_JOB_THERE, _LOG_THERE)),
    "freeze": replace(GUIDE["freeze"], done="both Jobs have ended well: nobody wrote meanwhile, and all is alike", commands=_JOBS),
    "switch": replace(
        GUIDE["switch"], does="Odoo starts at the target; the DNS of its hosts is set to that cluster; users log in again",
        done="the hosts lead to the target's cluster, people can log in, and see yesterday's documents; jobs run",
    ),
    "watch": replace(GUIDE["watch"], does="the target serves; the source is kept whole, with Odoo stopped, and nobody can log in to its database"),
    "remove": replace(
        GUIDE["remove"], does="the source leaves the trees; it stays in its cluster until somebody deletes it",
        done="the source's namespace and database are deleted, and the copies in its backup bucket",
        commands=(
            *(command.replace("kubectl ", "kubectl{on_source} ") for command in GUIDE["remove"].commands),
            "kubectl{on_source} delete namespace {namespace}",
        ),
    ),
}  # fmt: skip
"""To another cluster."""


def guide_of(instance: Instance, step: MoveStep | None = None) -> StepGuide:
    """What a person is told about a step of an instance's move; the present one unless another is asked for."""
    move = instance.move
    assert move is not None
    asked = step or move.step
    if move.across:
        own = instance.move_ends[0].settings.postgresql is not None
        found = ACROSS.get(asked, GUIDE[asked])
        last = (*_OWN["remove"].commands, "kubectl{on_source} delete namespace {namespace}")
        return replace(found, commands=last) if own and asked == "remove" else found
    return (_OWN if instance.move_ends[0].settings.postgresql is not None else GUIDE).get(asked, GUIDE[asked])


def told(instance: Instance, template: str) -> str:
    """A sentence or command of the guide about one instance that moves."""
    source, target = instance.move_ends
    apart = instance.move is not None and instance.move.across
    return template.format(
        namespace=instance.names.namespace,
        on_source=f" --context {source.site.cluster.name}" if apart else "",
        on_target=f" --context {target.site.cluster.name}" if apart else "",
        source_namespace=database_namespace(source), source_object=_object(source),
        target_namespace=database_namespace(target), target_object=_object(target),
    )  # fmt: skip


def database_namespace(instance: Instance) -> str:
    """Where the objects of its database are."""
    own = instance.settings.postgresql is not None
    return instance.names.namespace if own else names.cell_namespace(instance.site.cell.name)


def _object(instance: Instance) -> str:
    return "odoo" if instance.settings.postgresql is not None else instance.names.database_object


def following(step: MoveStep) -> MoveStep | None:
    """The step after another; None after the last."""
    return next(iter(MOVE_STEPS[MOVE_STEPS.index(step) + 1 :]), None)


def is_next(was: MoveStep, will: MoveStep) -> bool:
    """Whether one change may lead from a step to another: to the one after it."""
    return following(was) == will


def is_back(was: MoveStep, will: MoveStep) -> bool:
    """Whether it leads back to the beginning, where the source serves and nothing is copied."""
    return will == "prepare" and was not in ("prepare", "remove")


def crosses(earlier: Instance, instance: Instance) -> bool:
    """Whether a change makes the other place serve by a step of the move: forth after the last copy, or back."""
    was, will = earlier.move, instance.move
    if was is None or will is None or not _same(earlier.tenant.migration, instance.tenant.migration):
        return False
    return (was.step, will.step) == ("freeze", "switch") or (was.step in AT_TARGET and is_back(was.step, will.step))


def _same(was: Migration | None, will: Migration | None) -> bool:
    return was is not None and will is not None and (was.from_, was.to) == (will.from_, will.to)


def move_effects(was: Instance, will: Instance) -> Iterator[Effect]:
    """What another step means."""
    before, after = was.move.step if was.move else None, will.move.step if will.move else None
    if before == after:
        return
    if after is None:
        what = (
            "the move is over"
            if before == "remove"
            else "the move is given up; what was made at the target stays in the cluster"
        )
        yield Effect("cosmetic", what)
    elif before is not None and is_back(before, after):
        lost = before in AT_TARGET
        what = "what was entered since the switch is lost" if lost else "nothing is lost"
        yield Effect(
            "data" if lost else "availability",
            f"move, back from {before}: the source serves; {what}",
            downtime=_back(before),
        )
    else:
        yield _forth(will, after)


def _back(before: MoveStep) -> str:
    return {"freeze": "until the Pods have started again"}.get(
        before, "while the Pods restart" if before in AT_TARGET else ""
    )


def _forth(will: Instance, step: MoveStep) -> Effect:
    what = f"move, step {step}: {guide_of(will, step).does}"
    if step == "freeze":
        minutes = will.tenant.migration.minutes if will.tenant.migration else None
        about = f"about {minutes} min for the last copy" if minutes else "for the last copy"
        return Effect("availability", what, downtime=f"{about}, and until the step switch is merged")
    if step == "switch":
        return Effect("data", what, downtime="until the Pods have started")
    return Effect("data" if step in ("copy", "remove") else "cosmetic", what)
