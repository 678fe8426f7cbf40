"""What was proved for each tenant, as a report to file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tenantry.core.assurance import Objective, TenantAssurance
from tenantry.core.controls import ASSUMPTIONS, CONTROLS_BY_ID
from tenantry.report.plain import one_line
from tenantry.report.values import escape


def write(assurances: Sequence[TenantAssurance]) -> Iterator[str]:
    """Markdown: an overview, a section per tenant, and the assumptions."""
    yield "## What was proved"
    yield ""
    yield "| tenant | tier | controls kept | lifted | breached | objectives kept | monthly cost | at most |"
    yield "|---|---|---|---|---|---|---|---|"
    for one in assurances:
        kept = sum(objective.kept for objective in one.objectives)
        yield (
            f"| {one.tenant} | {one.tier} | {len(one.kept)} | {', '.join(e.control for e in one.lifted) or '-'} | "
            f"{', '.join(one.breached) or '-'} | {kept} of {len(one.objectives)} | {one.cost:,.0f} EUR | {one.cost_at_most:,} EUR |"
        )
    for one in assurances:
        yield ""
        yield from _tenant(one)
    yield ""
    yield "## Under these assumptions"
    yield ""
    yield from (f"- {assumption}" for assumption in ASSUMPTIONS)
    yield ""
    yield "Controls and their proofs: docs/reference/controls.md."


def _tenant(one: TenantAssurance) -> Iterator[str]:
    yield f"### {escape(one.display_name)} ({one.tenant})"
    yield ""
    yield f"Tier {one.tier}; {', '.join(one.environments)}."
    yield ""
    yield f"Kept: {', '.join(one.kept)}."
    yield ""
    for control in one.breached:
        yield f"- **Breached: {control}** {CONTROLS_BY_ID[control].rule}"
    for lift in one.lifted:
        yield (
            f"- Lifted until {lift.expires}: {lift.control} ({lift.exception}). {escape(lift.reason)} Meanwhile: "
            f"{escape(lift.compensating_control)} Owner {escape(lift.owner)}, approved by {escape(lift.approver)}."
        )
    for control in one.not_promised:
        yield f"- Not promised by the tier: {control} {CONTROLS_BY_ID[control].rule}"
    if one.breached or one.lifted or one.not_promised:
        yield ""
    if one.objectives:
        yield "| objective | promised | derived | from |"
        yield "|---|---|---|---|"
        for objective in one.objectives:
            how = "; ".join(f"{step.what}: {step.value}" if step.value else step.what for step in objective.steps)
            mark = "" if objective.kept else " **(broken)**"
            yield f"| {objective.objective} | {amount(objective.promised, objective.unit)} | {derived(objective)}{mark} | {escape(how)} |"
        yield ""
    for cost in one.costs:
        parts = ", ".join(f"{name} {euro:,.0f}" for name, euro in cost.parts.items())
        yield f"- {cost.environment}: {cost.euro:,.0f} EUR per month ({parts})"


def amount(value: float, unit: str) -> str:
    """`99.95 %`, `15 min`: at most five significant digits."""
    return f"{value:.5g} {unit}"


def derived(objective: Objective) -> str:
    """The derived value with its unit, or `unbounded`."""
    return "unbounded" if objective.derived is None else amount(objective.derived, objective.unit)


def objectives_text(tenant: str, objectives: Sequence[Objective]) -> str:
    """The derivations as a table of text."""
    lines = [f"{tenant}: objectives of production, derived from its rendered objects"]
    for objective in objectives:
        verdict = "kept" if objective.kept else "BROKEN"
        lines.append(
            f"\n{objective.objective}: {derived(objective)}, promised {amount(objective.promised, objective.unit)}: {verdict}"
        )
        width = max((len(step.what) for step in objective.steps), default=0)
        lines += [
            one_line(f"  {step.what:<{width}}  {step.value:<12}  {step.source}".rstrip()) for step in objective.steps
        ]
    return "\n".join(lines) + "\n"
