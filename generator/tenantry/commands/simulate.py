"""`tenantry simulate`: who is hit by the loss of a region, a zone or a node, and how each goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tenantry.commands.examination import known_promises
from tenantry.commands.rendered import rendered_files, text_below
from tenantry.core.findings import UsageError
from tenantry.engine.engines import Engines
from tenantry.prove.run import read_states
from tenantry.report.document import CommandAnswer
from tenantry.report.plain import one_line
from tenantry.report.values import escape
from tenantry.runbook.book import said
from tenantry.runtime.workspace import Workspace
from tenantry.simulate.loss import DOWN, OUTCOMES, Attained, Course, LossKind, Room, Simulation
from tenantry.simulate.simulation import loss_of, simulate

_HEAD = ("order", "instance", "tier", "what", "where", "RPO", "RTO")


def document(space: Workspace, kind: LossKind, name: str) -> CommandAnswer:
    """The simulation of a loss, from rendered/. Raises UsageError for a place that is not there, or a tree without objects."""
    known = known_promises(space)
    loss = loss_of(kind, name, known.clusters)
    with Engines(space.say) as engines:
        files = {cluster: rendered_files(space.root, cluster) for cluster in known.clusters}
        states = read_states(engines.engine, known, files, text_below(space.root))
        missing = sorted({i.site.cluster.name for i in known.instances.values()} - set(states))
        if missing:
            raise UsageError(f"rendered/ has no objects of cluster '{missing[0]}'", "'tenantry render' makes the tree")
        found = simulate(known, states, loss)
    return CommandAnswer("simulate", _text(found), _fields(found), ok=found.kept, markdown=_markdown(found))


def _title(found: Simulation) -> str:
    return f"{found.loss.kind} {found.loss.name}: {', '.join(found.loss.clusters) or 'no cluster'}"


def _summary(found: Simulation) -> str:
    down = [course for course in found.courses if course.outcome in DOWN]
    short = sum(not course.promises_kept for course in found.courses)
    promises = "all promises are kept" if not short else f"a promise is not kept for {short}"
    many = "instance of production is" if len(down) == 1 else "instances of production are"
    return f"{len(down)} {many} down until {'it comes' if len(down) == 1 else 'they come'} back; {promises}."


def _rows(found: Simulation) -> Iterator[tuple[str, ...]]:
    order = 0
    for course in found.courses:
        order += course.outcome in DOWN
        yield (
            str(order) if course.outcome in DOWN else "-", course.instance, course.tier, OUTCOMES[course.outcome],
            course.place or "-", _number(course.rpo), _number(course.rto),
        )  # fmt: skip


def _number(kept: Attained | None) -> str:
    if kept is None:
        return "-"
    value = "without end" if kept.value is None else f"{kept.value:.4g}"
    return f"{value} of {kept.promised:.4g} min{'' if kept.kept else ', not kept'}"


def _room(room: Room) -> str:
    short = "" if room.fits else ": not enough"
    return f"{room.place}: {room.needed:,.6g} of {room.available:,.6g} {room.what}{short}"


def _missing(found: Simulation) -> dict[str, list[str]]:
    """What has no second place -> instances."""
    whose: dict[str, list[str]] = {}
    for course in found.courses:
        for what in course.missing:
            whose.setdefault(what, []).append(course.instance)
    return whose


def _derivations(found: Simulation) -> dict[tuple[str, str], list[str]]:
    """(number, how it follows) -> instances for which it does."""
    whose: dict[tuple[str, str], list[str]] = {}
    for course in found.courses:
        for what, kept in (("RPO", course.rpo), ("RTO", course.rto)):
            how = "; ".join(f"{step}: {value}" if value else step for step, value in kept.steps) if kept else ""
            if how:
                whose.setdefault((what, how), []).append(course.instance)
    return whose


def _sections(found: Simulation) -> Iterator[tuple[str, list[str]]]:
    yield (
        "How the numbers follow",
        [f"{what}: {how} ({_some(who)})" for (what, how), who in _derivations(found).items()],
    )
    yield "Without a second place", [f"{what} ({_some(who)})" for what, who in _missing(found).items()]
    yield "Room after it", [_room(room) for room in found.rooms]
    yield "Not concerned", list(found.untouched)
    yield "What the files don't say", list(found.unknown)


def _some(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:2])} and {len(names) - 2} more"


def _commands(found: Simulation) -> list[str]:
    return [said(command) for course in found.courses for command in course.commands]


def _text(found: Simulation) -> str:
    rows = [_HEAD, *_rows(found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [_title(found), _summary(found), ""]
    lines += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    for title, entries in (*_sections(found), ("Next", _commands(found))):
        lines += ["", title, *(f"  {entry}" for entry in entries)] if entries else []
    return "".join(f"{one_line(line)}\n" for line in lines)


def _markdown(found: Simulation) -> str:
    parts = [f"# {escape(_title(found))}\n", f"{_summary(found)}\n"]
    rows = ("".join(f"| {' | '.join(map(escape, row))} |\n" for row in _rows(found)),)
    parts.append(f"| {' | '.join(_HEAD)} |\n|{'---|' * len(_HEAD)}\n{rows[0]}")
    for title, entries in _sections(found):
        if entries:
            parts.append(f"## {title}\n\n" + "".join(f"- {escape(entry)}\n" for entry in entries))
    commands = _commands(found)
    if commands:
        parts.append("## Next\n\n```\n" + "".join(f"{one_line(command)}\n" for command in commands) + "```\n")
    return "\n".join(parts)


def _fields(found: Simulation) -> dict[str, Any]:
    loss = found.loss
    return {
        "loss": {"kind": loss.kind, "name": loss.name, "clusters": list(loss.clusters)},
        "courses": [_course(course) for course in found.courses],
        "untouched": list(found.untouched),
        "room": [
            {"place": r.place, "what": r.what, "needed": r.needed, "available": r.available, "fits": r.fits} for r in found.rooms
        ],
        "unknown": list(found.unknown),
    }  # fmt: skip


def _course(course: Course) -> dict[str, Any]:
    return {
        "instance": course.instance, "tenant": course.tenant, "tier": course.tier, "outcome": course.outcome,
        "place": course.place or None, "rpo_minutes": _minutes(course.rpo), "rto_minutes": _minutes(course.rto),
        "missing": list(course.missing), "commands": [list(command) for command in course.commands],
    }  # fmt: skip


def _minutes(kept: Attained | None) -> dict[str, Any] | None:
    if kept is None:
        return None
    steps = [{"what": what, "value": value} for what, value in kept.steps]
    return {"value": kept.value, "promised": kept.promised, "kept": kept.kept, "steps": steps}
