"""`tenantry runbook`: what to do about an incident of one tenant, with its names, promises and people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tenantry.commands.usable import usable_inputs
from tenantry.core.findings import UsageError
from tenantry.core.suggestions import choices
from tenantry.model.tenant import Tenant
from tenantry.report.document import CommandAnswer
from tenantry.report.plain import one_line
from tenantry.resolve.instance import Instance
from tenantry.runbook.book import Runbook, said
from tenantry.runbook.facts import facts
from tenantry.runbook.registration import incidents, runbook
from tenantry.runtime.workspace import Workspace

_CONTEXTS = "kubectl's contexts are called like the clusters. What is in capitals is yours to fill in."


def document(space: Workspace, tenant: str, incident: str, environment: str) -> CommandAnswer:
    """A runbook, or the list of incidents without one. Raises UsageError for names that are not there."""
    instance = _instance(space, tenant, environment)
    if not incident:
        return _listed(instance)
    if incident not in incidents():
        raise UsageError(f"there is no incident '{incident}'", choices(incident, incidents(), "incidents"))
    book = runbook(instance, incident)
    return CommandAnswer("runbook", _text(book), _fields(book), markdown=_markdown(book))


def _instance(space: Workspace, tenant: str, environment: str) -> Instance:
    inputs = usable_inputs(space)
    found = [i for i in inputs.resolution.instances.values() if i.tenant.name == tenant]
    if not found:
        raise UsageError(f"there is no tenant '{tenant}'", choices(tenant, inputs.fleet.all(Tenant), "tenants"))
    chosen = next((i for i in found if i.environment == environment), None) if environment else found[0]
    if chosen is None:
        raise UsageError(f"{tenant} has no {environment}", f"it has {', '.join(i.environment for i in found)}")
    return chosen


def _listed(instance: Instance) -> CommandAnswer:
    known = incidents()
    width = max(map(len, known))
    head = [f"{what}: {value}" for what, value in facts(instance)]
    lines = [*head, "", *(f"{name:{width}}  {one.title}" for name, one in known.items())]
    text = "".join(f"{one_line(line)}\n" for line in lines)
    table = "".join(f"| `{name}` | {one.title} |\n" for name, one in known.items())
    markdown = f"# {instance.name}\n\n{_bullets(facts(instance))}\n| incident | what |\n|---|---|\n{table}"
    fields = {"instance": instance.name, "incidents": {name: one.title for name, one in known.items()}}
    return CommandAnswer("runbook", text, fields, markdown=markdown)


def _text(book: Runbook) -> str:
    lines = [
        f"{book.title}: {book.instance}",
        *(f"  {what}: {value}" for what, value in book.facts),
        f"  {_CONTEXTS}",
        "",
    ]
    for number, step in enumerate(book.steps, 1):
        lines += [f"{number}. {step.what}", *(f"     {said(command)}" for command in step.commands)]
    return "".join(f"{one_line(line)}\n" for line in lines)


def _markdown(book: Runbook) -> str:
    parts = [f"# {book.title}: {book.instance}\n\n{_bullets(book.facts)}\n{_CONTEXTS}\n"]
    for number, step in enumerate(book.steps, 1):
        block = "".join(f"   {one_line(said(command))}\n" for command in step.commands)
        parts.append(f"{number}. {one_line(step.what)}\n" + (f"\n   ```\n{block}   ```\n" if block else ""))
    return "\n".join(parts)


def _bullets(found: Iterable[tuple[str, str]]) -> str:
    return "".join(f"- {what}: {one_line(value).replace('<', '&lt;')}\n" for what, value in found)


def _fields(book: Runbook) -> dict[str, Any]:
    return {
        "incident": book.incident, "title": book.title, "instance": book.instance, "facts": dict(book.facts),
        "steps": [{"what": step.what, "commands": [list(command) for command in step.commands]} for step in book.steps],
        "objects": [
            {"cluster": cluster, "group": o.group, "kind": o.kind, "namespace": o.namespace, "name": o.name} for cluster, o in book.objects
        ],
    }  # fmt: skip
