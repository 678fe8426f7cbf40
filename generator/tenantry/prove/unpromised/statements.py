"""Evidence of all clusters of a tree -> what is said of each control: it holds, it is open, or it can't be proved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tenantry.core.assurance import ControlStatement
from tenantry.core.controls import CONTROLS
from tenantry.prove.unpromised import access, edge, network, operators, pods
from tenantry.prove.unpromised.evidence import Evidence, Examination
from tenantry.verify.index import Index

EXAMINATIONS: tuple[Examination, ...] = (
    network.network, access.tokens, access.rights, access.secrets, pods.pods, pods.images, pods.volumes, edge.services,
    edge.routes, operators.backups, operators.others,
)  # fmt: skip
_EMPTY = "the tree has no objects that they are about"
_MISSING: tuple[tuple[str, str], ...] = (
    ("no tenants/ here, so whose a namespace, host, database, secret or bucket is, and who may reach whom, is not known",
     "NET-04 NET-05 NET-07 NET-08 NET-11 IAM-04 IAM-05 IAM-06 IAM-07 IAM-09 DATA-01 DATA-02 DATA-03 DATA-04 DATA-05 DATA-06 "
     "DATA-08 DATA-09 IAM-10 BKP-06 BKP-08 EDGE-03 RES-01 RES-02"),
    ("no tiers/ here, so which sizes, limits, objectives and costs are promised is not known",
     "RUN-04 RUN-05 RUN-06 RUN-07 RUN-08 EDGE-04 BKP-04 BKP-05 BKP-07 OBS-02 CST-01"),
    ("no platform/ here, so which nodes, versions and settings the clusters have is not known", "RUN-02 RUN-09 SUP-04 SUP-06 SUP-07 OBS-03"),
    ("no policies/ here, so what the cluster should refuse is not known", "SUP-02"),
    ("no templates made the tree, so there is nothing to compare it with", "SUP-05"),
)  # fmt: skip
"""What a control rests on beside objects, and the controls."""
UNPROVABLE = {control: why for why, controls in _MISSING for control in controls.split()}
_NO_FLEET = "no fleet here, so what was promised is not known"
"""Of every control that is neither examined nor listed above."""


def evidence(index: Index) -> Iterator[Evidence]:
    """All that the objects of one cluster show."""
    for examine in EXAMINATIONS:
        yield from examine(index)


def statements(found: Iterable[Evidence], reason: str = "") -> tuple[ControlStatement, ...]:
    """What is said of every control of the catalog, in its order; first what was proved or is open.

    `reason` takes the place of what is missing, where there is a fleet but none of its promises is about these objects.
    """
    together: dict[tuple[str, ...], list[Evidence]] = {}
    for one in found:
        together.setdefault(one.controls, []).append(one)
    said = [_statement(controls, parts) for controls, parts in together.items()]
    empty = [control for one in said if not one.sentence for control in one.controls]
    told = sorted((one for one in said if one.sentence), key=lambda one: (one.standing == "unknown", _order(one)))
    examined = {control for controls in together for control in controls}
    rest: dict[str, list[str]] = {}
    for control in CONTROLS:
        if control not in examined:
            rest.setdefault(reason or UNPROVABLE.get(control, _NO_FLEET), []).append(control)
    if empty:
        rest[_EMPTY] = sorted(empty, key=CONTROLS.index)
    return (*told, *(ControlStatement(tuple(controls), "unknown", why) for why, controls in rest.items()))


def _order(one: ControlStatement) -> int:
    return CONTROLS.index(one.controls[0])


def _statement(controls: tuple[str, ...], parts: list[Evidence]) -> ControlStatement:
    """Of several clusters together; without a sentence if there was nothing to look at."""
    seen = [part for part in parts if part.examined]
    unread = next((part.unread for part in seen if part.unread), "")
    facts = tuple(fact for part in seen for fact in part.facts)
    if not seen:
        return ControlStatement(controls, "unknown", "")
    if unread:
        return ControlStatement(controls, "unknown", unread)
    counts = {"all": sum(part.examined for part in seen), "bad": len(facts)}
    if facts:
        return ControlStatement(controls, "open", seen[0].open.format(**counts), facts)
    return ControlStatement(controls, "holds", seen[0].holds.format(**counts))
