"""`tenantry erase`: what erases a leaving tenant's data, records of that, and the certificate."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tenantry.change.erasure import Erasure, erasures, last_commands, missing, said
from tenantry.commands.set import set_values
from tenantry.commands.usable import usable_inputs
from tenantry.core.findings import UsageError
from tenantry.core.suggestions import choices
from tenantry.model.tenant import Offboarding, Tenant
from tenantry.report.document import CommandAnswer
from tenantry.report.plain import one_line
from tenantry.resolve.instance import Instance
from tenantry.runtime.workspace import Workspace

_STORE = "`store:` is a remote of rclone with the keys of the object storage administrator, not those of the tenant."
_LAST = "After the file is deleted and that is merged, when Argo CD makes nothing again:"


@dataclass(frozen=True, slots=True)
class Leaving:
    """A tenant that leaves, and its instances that do."""

    tenant: Tenant
    instances: Sequence[Instance]
    leave: Offboarding
    provider: str
    """Under which name the platform is known to its customers."""

    @property
    def places(self) -> tuple[Erasure, ...]:
        return erasures(self.instances)


def listed(space: Workspace, name: str) -> CommandAnswer:
    """Each place, what erases it, and what is recorded. Raises UsageError for a tenant that stays."""
    found = _leaving(space, name)
    recorded = {record.place: record for record in found.leave.erased}
    lines = [f"{name}: {_stage(found, space.as_of)}", f"  {_STORE}"]
    for place in found.places:
        record = recorded.get(place.place)
        state = f"recorded {record.date} by {record.by}" if record else "not recorded"
        lines += [f"{place.place} ({place.how}): {place.what}; {state}", *(f"  {where}" for where in place.where)]
        if place.kept_days:
            lines.append(f"  copies are left for {place.kept_days} days: {place.kept_by}")
        lines += [f"    {said(command)}" for command in place.commands]
    lines += [_LAST, *(f"    {said(command)}" for command in last_commands(found.instances))]
    fields = {
        "tenant": name, "step": found.leave.step, "deleteAfter": found.leave.delete_after, "missing": missing(found.instances, found.leave),
        "places": [_fields(place) for place in found.places], "last": [list(command) for command in last_commands(found.instances)],
    }  # fmt: skip
    text = "".join(f"{one_line(line)}\n" for line in lines)
    return CommandAnswer("erase", text, fields, markdown=_fenced(text))


def begin(space: Workspace, name: str) -> CommandAnswer:
    """Write the step `erase`. Raises UsageError before the approved day."""
    found = _leaving(space, name)
    if found.leave.step == "erase":
        raise UsageError(f"{name} is being erased already", f"see 'tenantry erase {name}'")
    if found.leave.delete_after >= space.as_of:
        raise UsageError(f"the data of {name} is kept until {found.leave.delete_after}", "erase it on a later day")
    done = set_values(space, f"tenant/{name}", ["spec.offboarding.step=erase"])
    text = f"{name} is erased from its file on: render, check and merge it, then follow 'tenantry erase {name}'.\n"
    said_text = one_line(text.rstrip("\n")) + "\n" + done.text
    return CommandAnswer("erase", said_text, done.fields, markdown=_fenced(said_text))


def record(space: Workspace, name: str, place: str, by: str) -> CommandAnswer:
    """Write that a place was erased. Raises UsageError for a place that there is not, or that is recorded."""
    found = _leaving(space, name)
    known = [erasure.place for erasure in found.places]
    if place not in known:
        raise UsageError(f"{name} has no place '{place}'", choices(place, known, "places"))
    if found.leave.step != "erase":
        raise UsageError(f"{name} is not being erased", f"'tenantry erase {name} --begin' is first")
    if place not in missing(found.instances, found.leave):
        raise UsageError(f"'{place}' is recorded already", "a record is never changed")
    records = [dataclasses.asdict(known) for known in found.leave.erased]
    records.append({"place": place, "date": space.as_of, "by": by})
    done = set_values(space, f"tenant/{name}", [f"spec.offboarding.erased={json.dumps(records)}"])
    left = [other for other in missing(found.instances, found.leave) if other != place]
    rest = (
        f"{len(left)} places are left: {', '.join(left)}."
        if left
        else "Nothing is left: certify it, then delete the file."
    )
    said_text = f"{one_line(f'{place} of {name} is recorded. {rest}')}\n{done.text}"
    return CommandAnswer("erase", said_text, done.fields, markdown=_fenced(said_text))


def certificate(space: Workspace, name: str) -> CommandAnswer:
    """What was erased, when and by whom, what expires when, and what the law keeps. Raises UsageError while a record lacks."""
    return certify(_leaving(space, name), space.as_of)


def certify(found: Leaving, as_of: str) -> CommandAnswer:
    """The certificate of a tenant that leaves, as of a day."""
    left = missing(found.instances, found.leave)
    if left:
        raise UsageError(
            f"nobody recorded that these were erased: {', '.join(left)}", "record them first: --record PLACE --by NAME"
        )
    by_place = {place.place: place for place in found.places}
    rows: list[dict[str, Any]] = [
        {"place": r.place, "what": by_place[r.place].what, "where": list(by_place[r.place].where), "date": r.date, "by": r.by,
         "goneBy": by_place[r.place].gone(r), "keptBy": by_place[r.place].kept_by}
        for r in found.leave.erased if r.place in by_place
    ]  # fmt: skip
    kept = [dataclasses.asdict(entry) for entry in found.leave.kept]
    gone = max((str(row["goneBy"]) for row in rows), default=as_of)
    head: dict[str, str] = {
        "tenant": found.tenant.name, "customer": found.tenant.display_name, "provider": found.provider, "asOf": as_of, "approver": found.leave.approver, "reason": found.leave.reason,
        "deleteAfter": found.leave.delete_after, "nothingLeftAfter": gone,
    }  # fmt: skip
    last = [said(command) for command in last_commands(found.instances)]
    fields: dict[str, Any] = {**head, "erased": rows, "kept": kept, "last": last}
    return CommandAnswer("erase", _text(head, rows, kept, last), fields, markdown=_markdown(head, rows, kept, last))


def _text(head: dict[str, str], rows: list[dict[str, Any]], kept: list[dict[str, str]], last: list[str]) -> str:
    lines = [f"Certificate of erasure: {head['customer']} ({head['tenant']}), as of {head['asOf']}, by {head['provider']}",
             f"  approved by {head['approver']}: {head['reason']}; kept until {head['deleteAfter']}"]  # fmt: skip
    lines += [
        f"  {r['place']}: erased {r['date']} by {r['by']}"
        + (f", last copies gone by {r['goneBy']}" if r["goneBy"] > r["date"] else "")
        for r in rows
    ]
    lines += [f"  kept until {k['until']}: {k['what']} ({k['law']})" for k in kept]
    lines += [
        f"  nothing else is left after {head['nothingLeftAfter']}",
        _LAST,
        *(f"    {command}" for command in last),
    ]
    return "".join(f"{one_line(line)}\n" for line in lines)


def _markdown(head: dict[str, str], rows: list[dict[str, Any]], kept: list[dict[str, str]], last: list[str]) -> str:
    def cells(*values: str) -> str:
        return "| " + " | ".join(one_line(value).replace("|", "\\|").replace("<", "&lt;") for value in values) + " |\n"

    parts = [
        f"# Certificate of erasure: {one_line(head['customer']).replace('<', '&lt;')}\n\n",
        "| | |\n|---|---|\n", *(cells(key, value) for key, value in head.items()),
        "\n## Erased\n\n| place | what | where | erased on | by | last copies gone by |\n|---|---|---|---|---|---|\n",
        *(cells(r["place"], r["what"], ", ".join(r["where"]), r["date"], r["by"], r["goneBy"] + (f" ({r['keptBy']})" if r["keptBy"] else "")) for r in rows),
    ]  # fmt: skip
    if kept:
        parts += [
            "\n## Kept by law\n\n| what | until | law |\n|---|---|---|\n",
            *(cells(k["what"], k["until"], k["law"]) for k in kept),
        ]
    block = "".join(f"{one_line(command)}\n" for command in last)
    parts += [f"\n## To be done last\n\n{_LAST}\n\n```\n{block}```\n\nDone on, by, signature:\n"]
    return "".join(parts)


def _fenced(text: str) -> str:
    """A list of commands as a page; no line of it begins with a fence, since each begins with a word of its own or blanks."""
    return f"```\n{text}```\n"


def _stage(found: Leaving, as_of: str) -> str:
    leave = found.leave
    if leave.step == "erase":
        return f"is being erased, approved by {leave.approver}"
    over = leave.delete_after < as_of
    return f"is kept until {leave.delete_after}" + (f"; '--begin' erases, approved by {leave.approver}" if over else "")


def _fields(place: Erasure) -> dict[str, Any]:
    return {
        **dataclasses.asdict(place),
        "where": list(place.where),
        "commands": [list(command) for command in place.commands],
    }


def _leaving(space: Workspace, name: str) -> Leaving:
    inputs = usable_inputs(space)
    tenant = inputs.fleet.find(Tenant, name)
    if tenant is None:
        raise UsageError(f"there is no tenant '{name}'", choices(name, inputs.fleet.all(Tenant), "tenants"))
    instances = [i for i in inputs.resolution.instances.values() if i.tenant.name == name and i.leaving]
    if not instances or tenant.offboarding is None:
        raise UsageError(f"nobody approved that the data of {name} is erased", f"'tenantry offboard {name}' is first")
    return Leaving(tenant, instances, tenant.offboarding, inputs.fleet.platform.display_name)
