"""What objects show of each control where nothing was promised, as text, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape as in_html

from tenantry.core.assurance import ControlStatement, ObservedFact, Standing
from tenantry.core.controls import CONTROLS_BY_ID
from tenantry.report.plain import one_line
from tenantry.report.values import escape

_MOST = 8
"""Facts of one control that are listed for people; JSON has all."""
TITLES: Mapping[Standing, str] = {
    "holds": "Proved by the objects alone",
    "open": "Open: nothing here says that it is meant",
    "unknown": "Could not be proved, and why",
}


def lines(said: Sequence[ControlStatement]) -> Iterator[str]:
    """Lines of text, by standing."""
    for _, title, there in _by_standing(said):
        yield f"{title}:"
        for one in there:
            yield f"  {' '.join(one.controls)}: {one.sentence}"
            yield from (f"      {fact}" for fact in facts(one))


def _by_standing(said: Sequence[ControlStatement]) -> Iterator[tuple[Standing, str, list[ControlStatement]]]:
    """(standing, title, statements) of each standing that some have."""
    for standing, title in TITLES.items():
        if there := [one for one in said if one.standing == standing]:
            yield standing, title, there


def facts(one: ControlStatement) -> Iterator[str]:
    """The first facts of a control, and how many there are more."""
    yield from map(_shown, one.facts[:_MOST])
    if len(one.facts) > _MOST:
        yield f"and {len(one.facts) - _MOST} more"


def _shown(fact: ObservedFact) -> str:
    return f"{fact.file}:{fact.line}: {fact.sentence}" if fact.file else fact.sentence


def markdown(said: Sequence[ControlStatement]) -> Iterator[str]:
    """A table by standing; facts are listed below their control."""
    for standing, title, there in _by_standing(said):
        yield f"## {title}"
        yield ""
        for one in there:
            rule = f" {CONTROLS_BY_ID[one.controls[0]].rule}" if standing != "unknown" else ""
            yield f"- **{', '.join(one.controls)}**{escape(rule)} *{escape(one.sentence)}*"
            yield from (f"  - {escape(fact)}" for fact in facts(one))
        yield ""


def html(said: Sequence[ControlStatement]) -> Iterator[str]:
    """Lists by standing."""
    for _, title, there in _by_standing(said):
        yield f"<h2>{_text(title)}</h2><dl>"
        for one in there:
            listed = "".join(f"<li>{_text(fact)}</li>" for fact in facts(one))
            more = f"<ul>{listed}</ul>" if listed else ""
            yield f"<dt>{_text(', '.join(one.controls))}</dt><dd>{_text(one.sentence)}{more}</dd>"
        yield "</dl>"


def _text(value: str) -> str:
    return in_html(one_line(value))
