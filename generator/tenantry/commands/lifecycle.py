"""`tenantry suspend`, `resume`, `offboard` and `rename`: states of a tenant, each one edit of its file."""

from __future__ import annotations

import json

from tenantry.commands import entry
from tenantry.commands.set import set_values
from tenantry.core.findings import UsageError
from tenantry.report.document import CommandAnswer
from tenantry.report.plain import one_line
from tenantry.runtime.workspace import Workspace

_NEXT = "Look at it with 'tenantry plan'; then render, check and merge it."


def suspend(space: Workspace, tenant: str, environment: str) -> CommandAnswer:
    """Stop the Pods and close the hosts of a tenant, or of one environment; data and backups are kept."""
    return _state(space, "suspend", tenant, environment, "suspended")


def resume(space: Workspace, tenant: str, environment: str) -> CommandAnswer:
    """Bring a suspended tenant, or one that was to leave, back into service."""
    data = _data(space, tenant)
    edits = [f"{_field(data, tenant, environment)}=active"]
    if not environment and "offboarding" in data:
        edits.append("spec.offboarding-")
    return _answer(space, "resume", tenant, edits, f"{tenant} is active again")


def offboard(space: Workspace, tenant: str, delete_after: str, approver: str, reason: str) -> CommandAnswer:
    """Begin to remove a tenant: its application goes now, its data not before a day (YYYY-MM-DD)."""
    value = json.dumps({"deleteAfter": delete_after, "approver": approver, "reason": reason})
    edits = ["spec.state=offboarding", f"spec.offboarding={value}"]
    what = f"{tenant} is offboarding; tenants/{tenant}.yaml can be deleted after {delete_after}, in another change"
    return _answer(space, "offboard", tenant, edits, what)


def rename(space: Workspace, tenant: str, display_name: str) -> CommandAnswer:
    """Change the name that people see. The id stays: databases, buckets, secrets and namespaces are named by it."""
    what = (
        f"{tenant} is shown as '{display_name}'; its id stays, since its database, bucket and secrets are named by it"
    )
    return _answer(space, "rename", tenant, [f"spec.displayName={json.dumps(display_name)}"], what)


def _state(space: Workspace, command: str, tenant: str, environment: str, state: str) -> CommandAnswer:
    whom = f"{tenant} ({environment})" if environment else tenant
    return _answer(
        space, command, tenant, [f"{_field(_data(space, tenant), tenant, environment)}={state}"], f"{whom} is {state}"
    )


def _field(spec: dict[str, object], tenant: str, environment: str) -> str:
    """Where the state stands. Raises UsageError for an environment that the tenant does not have."""
    if not environment:
        return "spec.state"
    there = spec.get("environments")
    if isinstance(there, dict) and environment not in there:
        raise UsageError(f"{tenant} has no environment '{environment}'", f"it has {', '.join(map(str, there))}")
    return f"spec.environments.{environment}.state"


def _data(space: Workspace, tenant: str) -> dict[str, object]:
    found = entry.find(space.root, _subject(tenant)).document.data
    spec = found.get("spec")
    return spec if isinstance(spec, dict) else {}


def _subject(tenant: str) -> str:
    if "/" in tenant or tenant.endswith(".yaml") or tenant == "platform":
        raise UsageError(f"'{tenant}' is not a tenant's name", "name a tenant, such as acme")
    return f"tenant/{tenant}"


def _answer(space: Workspace, command: str, tenant: str, edits: list[str], what: str) -> CommandAnswer:
    done = set_values(space, _subject(tenant), edits)
    lines = [f"{what}.", *done.text.splitlines(), _NEXT]
    return CommandAnswer(command, "".join(f"{one_line(line)}\n" for line in lines), done.fields)
