"""`tenantry migrate`: customers of other systems become tenants, in waves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tenantry.change.onboarding import Proposal, Wave, propose, read_customers, waves
from tenantry.commands import scaffold
from tenantry.commands.usable import usable_inputs
from tenantry.core.findings import UsageError
from tenantry.inputs import edits
from tenantry.inputs.fleet import with_texts
from tenantry.inputs.shape import shape_of
from tenantry.plan.inputs import Inputs
from tenantry.report.document import CommandAnswer
from tenantry.report.plain import one_line
from tenantry.resolve.instances import resolve
from tenantry.runtime.workspace import Workspace

_BACK = (
    "row counts of the largest tables, the ledger's totals or a sample of attachments differ from the old system",
    "a login, an invoice or a scheduled action of the old system does not work",
    "the copy is not done when 70 % of the window is over",
)
"""Any of these ends a customer's move; the old system is frozen until then, so nothing is lost by going back."""


@dataclass(frozen=True)
class Onboarding:
    """What `migrate plan` proposes: files by customer, and those who have no place."""

    proposals: tuple[Proposal, ...]
    files: Mapping[str, tuple[str, str]]
    """Customer -> (file, text)."""
    homeless: Mapping[str, str]
    """Customer -> why there is no place."""
    waves: tuple[Wave, ...]


def migrate_plan(space: Workspace, table: str) -> Onboarding:
    """A tier, a cell and a file for each customer, as if those before it were there already. Writes nothing.

    Raises UsageError for a table that can't be read, FindingsError when the fleet's own inputs have errors.
    """
    inputs = usable_inputs(space)
    proposals = tuple(propose(inputs.fleet, customer) for customer in read_customers(table))
    files: dict[str, tuple[str, str]] = {}
    homeless: dict[str, str] = {}
    for proposal in sorted(proposals, key=lambda p: (p.customer.complexity, p.customer.name)):
        name = proposal.customer.name
        try:
            files[name], inputs = _placed(inputs, proposal)
        except UsageError as error:
            homeless[name] = f"{error.message} ({error.hint})" if error.hint else error.message
    coming = [p for p in proposals if p.customer.name in files]
    return Onboarding(proposals, files, homeless, waves(coming, lambda _: inputs.fleet.platform.maintenance.default))


def write_files(space: Workspace, plan: Onboarding) -> list[str]:
    """Write every proposed file, or none. Raises UsageError when one is there already."""
    there = [file for file, _ in plan.files.values() if (space.root / file).exists()]
    if there:
        raise UsageError(f"{there[0]} is there already", "remove its row from the table, or give it another name")
    for file, text in plan.files.values():
        scaffold.write_new(space.root, file, text)
    return sorted(file for file, _ in plan.files.values())


def _placed(inputs: Inputs, proposal: Proposal) -> tuple[tuple[str, str], Inputs]:
    """The customer's file, and the fleet with it. Raises UsageError when no cell has room."""
    customer = proposal.customer
    if not proposal.tier:
        raise UsageError("no tier may hold it", "; ".join(proposal.reasons))
    if customer.name in inputs.fleet.entries["Tenant"]:
        raise UsageError(f"there is a tenant '{customer.name}' already", "give it another name")
    file, text = scaffold.new_tenant(
        inputs.fleet,
        inputs.resolution,
        customer.name,
        proposal.tier,
        display_name=customer.display_name,
        users=customer.users,
    )
    text = _classified(text, proposal)
    fleet, findings = with_texts(inputs.fleet, {file: text})
    if findings:
        raise UsageError(f"its file would be invalid: {findings[0].message}", findings[0].hint)
    more = resolve(fleet, judge=False, only={customer.name})
    resolution = replace(inputs.resolution, instances={**inputs.resolution.instances, **more.instances})
    return (file, text), Inputs(fleet, resolution, [])


def _classified(text: str, proposal: Proposal) -> str:
    """The proposed file with the customer's own classification."""
    customer = proposal.customer
    own = {
        "dataSensitivity": customer.data_sensitivity, "customization": customer.customization,
        "integration": customer.integration, "availability": customer.availability,
        "obligations": list(customer.obligations),
    }  # fmt: skip
    shape = shape_of("Tenant")
    for key, value in own.items():
        text = edits.with_value(text, shape, ("spec", "classification", key), value)
    return text


def document(plan: Onboarding, written: Sequence[str]) -> CommandAnswer:
    """The plan as an answer; not ok if somebody has no place."""
    text = "".join(f"{one_line(line)}\n" for line in _lines(plan, written))
    fields = {
        "customers": [
            {
                "name": p.customer.name, "tier": p.tier, "reasons": list(p.reasons), "complexity": p.customer.complexity,
                "minutes": p.minutes, "file": plan.files.get(p.customer.name, ("", ""))[0],
                "problem": plan.homeless.get(p.customer.name, ""),
            }
            for p in plan.proposals
        ],
        "waves": [{"number": w.number, "customers": list(w.customers), "minutes": w.minutes} for w in plan.waves],
        "back_if": list(_BACK), "written": list(written),
    }  # fmt: skip
    return CommandAnswer("migrate", text, fields, ok=not plan.homeless)


def _lines(plan: Onboarding, written: Sequence[str]) -> Iterator[str]:
    for proposal in plan.proposals:
        name = proposal.customer.name
        if name in plan.homeless:
            yield f"{name}: NO PLACE: {plan.homeless[name]}"
            continue
        cell = next(line for line in plan.files[name][1].splitlines() if "production: {cell:" in line)
        why = "; ".join(proposal.reasons) or "the least expensive tier that may hold it"
        yield f"{name}: tier {proposal.tier}, {cell.strip()} ({why})"
        yield f"  complexity {proposal.customer.complexity}; about {proposal.minutes} min without the system"
    for wave in plan.waves:
        yield f"Wave {wave.number}, about {wave.minutes} min: {', '.join(wave.customers)}"
    yield "Go back to the old system if"
    yield from (f"  {reason}" for reason in _BACK)
    if written:
        yield f"Wrote {len(written)} files. Edit hosts, residency and contacts, then 'tenantry render' and 'tenantry check'."
    else:
        yield "Nothing was written; --write writes the files of tenants."
