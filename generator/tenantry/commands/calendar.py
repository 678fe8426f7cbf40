"""`tenantry calendar`: what is out of support when, and who is hit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tenantry.commands.usable import usable_inputs
from tenantry.plan.support import SupportEnd, as_fields, support_ends, within
from tenantry.report.document import CommandAnswer
from tenantry.report.plain import one_line
from tenantry.runtime.workspace import Workspace

_HEAD = ("ends", "days", "what", "who is hit")


def document(space: Workspace, days: int | None) -> CommandAnswer:
    """Ends of support from a day on, or those of the next `days`; what is over comes first. Raises FindingsError when the inputs are wrong."""
    inputs = usable_inputs(space)
    found = support_ends(inputs.fleet, inputs.resolution.instances)
    if days is not None:
        found = within(found, space.as_of, days)
    fields = {"asOf": space.as_of, "within": days, "ends": [as_fields(end, space.as_of) for end in found]}
    return CommandAnswer(
        "calendar", "".join(f"{one_line(line)}\n" for line in _lines(found, space.as_of, days)), fields
    )


def _lines(found: Sequence[SupportEnd], as_of: str, days: int | None) -> Iterator[str]:
    dated = [end for end in found if end.ends]
    rows = [
        (end.ends, _days(end, as_of), f"{end.product} {end.series}{', extended' if end.extended else ''}", _hit(end))
        for end in dated
    ]
    if rows:
        widths = [max(len(row[column]) for row in (_HEAD, *rows)) for column in range(len(_HEAD))]
        for row in (_HEAD, *rows):
            yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    else:
        yield "nothing has a date" if days is None else f"nothing is out of support within {days} days of {as_of}"
    undated = [end for end in found if not end.ends]
    if undated:
        yield ""
        yield "Without a date"
        yield from (f"  {end.product} {end.series}: {end.rule} ({end.source})" for end in undated)
    if dated:
        yield ""
        yield "Dates are from"
        yield from (
            f"  {product}: {source}"
            for product, source in sorted({(end.product, end.source) for end in dated if not end.extended})
        )


def _days(end: SupportEnd, as_of: str) -> str:
    days = end.days(as_of)
    return "over" if days < 0 else str(days)


def _hit(end: SupportEnd) -> str:
    parts = (("cluster", end.clusters), ("cell", end.cells), ("release", end.releases), ("tenant", end.tenants))
    return "; ".join(_some(what, names) for what, names in parts if names) or "nobody"


def _some(what: str, names: Sequence[str]) -> str:
    shown = ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"
    return f"{what}{'' if len(names) == 1 else 's'} {shown}"
