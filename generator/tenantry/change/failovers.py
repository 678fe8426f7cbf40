"""The steps of a failover: what each does, what must be true before the next, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tenantry.change.stepwise import StepGuide
from tenantry.core.changes import Effect
from tenantry.model.failover import Failover, FailoverStep
from tenantry.resolve.instance import Instance

Way = tuple[FailoverStep, bool]
"""A step, and whether the place that served is lost."""

_READY = "kubectl wait --context {to} --namespace {namespace} --for=condition=Ready --timeout=1h cluster.postgresql.cnpg.io/{server}"
_STATUS = "kubectl cnpg status {server} --namespace {namespace} --context {to}"
_ROLLED = "kubectl rollout status --context {to} --namespace {namespace} deployment/odoo-web --timeout=30m"
_CERTIFICATES = "kubectl wait --context {to} --namespace {namespace} --for=condition=Ready --timeout=20m certificate.cert-manager.io --all"
_ENDED = "kubectl get --context {old} --namespace {namespace} cluster.postgresql.cnpg.io/{old_server} --output=jsonpath={{.status.demotionToken}}"

GUIDES: Mapping[Way, StepGuide] = {
    ("demote", False): StepGuide(
        "Odoo is stopped, and the server that serves becomes a replica; nobody writes anywhere",
        "it has said where it ends: the token is there",
        (_ENDED, "kubectl cnpg status {old_server} --namespace {namespace} --context {old}"),
        "until the next step, without loss: --drop",
    ),
    ("promote", False): StepGuide(
        "the other place serves, once it has all that the first one had; the first one follows it",
        "the server is ready, certificates are there, Odoo answers, the DNS of its hosts points there, and files are in its bucket",
        (_READY, _STATUS, _CERTIFICATES, _ROLLED),
        "fail over to the other place again: nothing is lost",
    ),
    ("promote", True): StepGuide(
        "the other place serves with what it has received; the place that was lost is fenced, and has neither Odoo nor routes",
        "the server is ready, certificates are there, Odoo answers, the DNS of its hosts points there, files are in its bucket, "
        "and the place that was lost is back",
        (_READY, _STATUS, _CERTIFICATES, _ROLLED, "kubectl get --context {old} --namespace {namespace} pods"),
        "no more: what was not archived before the loss is lost, and what is written from now on is here",
    ),
    ("rebuild", True): StepGuide(
        "a new copy is made at the place that was lost, from the archive of the one that serves; the old server leaves the trees, fenced",
        "the copy is ready and follows, its first base backup is complete, and the old server is deleted",
        (
            "kubectl wait --context {old} --namespace {namespace} --for=condition=Ready --timeout=8h cluster.postgresql.cnpg.io/{old_server}",
            "kubectl cnpg status {old_server} --namespace {namespace} --context {old}",
            "kubectl get --context {old} --namespace {namespace} backups.postgresql.cnpg.io",
            "kubectl delete --context {old} --namespace {namespace} cluster.postgresql.cnpg.io/{lost_server}",
        ),
        "by another failover, which loses nothing",
    ),
    ("done", True): StepGuide("the failover is over; changes wait for their windows again", "", (), "by another failover"),
    ("done", False): StepGuide("the failover is over; changes wait for their windows again", "", (), "by another failover"),
}  # fmt: skip


def way_of(failover: Failover) -> Way:
    """By which a failover's guide is found."""
    return failover.step, failover.lost


def follows(failover: Failover) -> FailoverStep | None:
    """The step that comes next; None when it is over."""
    if failover.step == "promote":
        return "rebuild" if failover.lost else "done"
    return {"demote": "promote", "rebuild": "done"}.get(failover.step)  # type: ignore[return-value]


def commands(guide: StepGuide, instance: Instance) -> list[str]:
    """A guide's commands with the names of the two places; `old` is the one that served."""
    assert instance.standby is not None
    last = instance.failovers[-1]
    here, there = (instance.site, instance.servers.serving), (instance.standby, instance.copy_server)
    to, old = (here, there) if instance.site.cluster.name == last.to else (there, here)
    before = instance.failovers[:-1]
    lost = [f.generation for f in before if f.copy_made and f.to != old[0].cluster.name]
    plain = old[1].name.partition("-r")[0]
    names = {
        "to": to[0].cluster.name, "old": old[0].cluster.name, "server": to[1].name, "old_server": old[1].name,
        "lost_server": f"{plain}-r{lost[-1]}" if lost else plain, "namespace": instance.names.namespace, "instance": instance.name,
    }  # fmt: skip
    return [command.format(**names) for command in guide.commands]


def switches(earlier: Instance, instance: Instance) -> bool:
    """Whether a change makes the other place serve, as an entry of its failovers says."""
    return earlier.failed_over != instance.failed_over and earlier.failovers != instance.failovers


def failover_effects(was: Instance, will: Instance) -> Iterator[Effect]:
    """What another step means for those who work there."""
    before, after = (i.failovers[-1] if i.failovers else None for i in (was, will))
    if was.failovers == will.failovers:
        return
    if after is None or (before is not None and len(will.failovers) < len(was.failovers)):
        yield Effect(
            "availability", "the failover is given up; Odoo starts where it was", downtime="until the Pods have started"
        )
        return
    what = f"failover to {after.to} ({after.reason}), step {after.step}: {GUIDES[way_of(after)].does}"
    if after.step == "demote":
        yield Effect("availability", what, downtime="until the step promote is merged, and its Pods have started")
    elif after.step == "promote":
        lost = "; what was not archived before the loss is lost" if after.lost else ""
        yield Effect(
            "data", f"{what}{lost}; users log in again", downtime="until its Pods have started, and DNS points there"
        )
    elif after.step == "rebuild":
        yield Effect("cost", what)
    else:
        yield Effect("cosmetic", what)
