"""Where each value of an instance comes from."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tenantry.commands.examination import known_promises
from tenantry.commands.rendered import rendered_files, text_below
from tenantry.commands.usable import usable_inputs
from tenantry.core.assurance import Objective
from tenantry.core.code_notes import NOTES
from tenantry.core.codes import CODES_BY_ID
from tenantry.core.controls import CONTROLS_BY_ID, STANDARDS, Control
from tenantry.core.findings import FindingsError, UsageError
from tenantry.core.manifest import Manifest, show_path
from tenantry.core.manifest import Path as FieldPath
from tenantry.core.suggestions import did_you_mean
from tenantry.engine.engines import Engines
from tenantry.engine.kustomize import Engine
from tenantry.inputs.fleet import Fleet
from tenantry.plan.inputs import read_inputs
from tenantry.prove.promises import Promises
from tenantry.prove.report import objectives_of
from tenantry.prove.run import read_states
from tenantry.render.blame import Blamer, Field, Source
from tenantry.render.kustomizations import object_id
from tenantry.render.units import units
from tenantry.report.assurance import objectives_text
from tenantry.report.document import CommandAnswer
from tenantry.report.plain import one_line
from tenantry.resolve.instance import Instance
from tenantry.runtime.plain_file import NotPlainError, read_plain
from tenantry.runtime.workspace import Workspace
from tenantry.verify.folder import MAX_FILE_BYTES
from tenantry.verify.locate import children, compose


@dataclass(frozen=True, slots=True)
class Row:
    """One value: its name, what it is, the place that decided it, and how."""

    name: str
    value: str
    place: str
    how: str


Explanation = Mapping[str, Sequence[Row]]
"""Rows by instance."""


def explain_code(subject: str) -> CommandAnswer | None:
    """What a finding's code, or a control, means; None for neither."""
    code, control = CODES_BY_ID.get(subject.upper()), CONTROLS_BY_ID.get(subject.upper())
    if code is not None:
        fields = {"id": code.id, "title": code.title, "meaning": code.meaning}
        text = f"{code.id}: {code.title}\n{code.meaning}\n"
        if note := NOTES.get(code.id):
            fields |= {"severity": note.severity, "source": note.source, "fix": note.fix}
            text += f"\nSeverity  {note.severity}.\nSource    {note.source}.\nFix       {note.fix}\n"
        return CommandAnswer("explain", text, {"code": fields})
    return _control(control) if control is not None else None


def _control(control: Control) -> CommandAnswer:
    rows = [
        ("weight", control.weight), ("tiers", ", ".join(control.tiers)), ("proof", control.proof),
        ("live attack", f"make acceptance PART={control.attack}" if control.attack else "none"),
        ("demanded by", ", ".join(control.demanded_by) or "every tenant of these tiers"),
        ("serves", STANDARDS[control.group]),
    ]  # fmt: skip
    text = f"{control.id}: {control.rule}\n" + "".join(f"  {name:<12} {value}\n" for name, value in rows)
    fields = {
        "id": control.id, "rule": control.rule, "weight": control.weight, "tiers": list(control.tiers),
        "proof": control.proof, "attack": control.attack or None, "demanded_by": list(control.demanded_by),
        "serves": STANDARDS[control.group],
    }  # fmt: skip
    return CommandAnswer("explain", text, {"control": fields})


def explain_objectives(space: Workspace, tenant: str) -> tuple[Objective, ...]:
    """Objectives of a tenant's production, derived from the rendered tree. Raises UsageError when it has none."""
    known = known_promises(space)
    with Engines(space.say) as engines:
        found = _objectives(known, space.root, tenant, engines.engine)
    if not found:
        raise UsageError(
            f"'{tenant}' has no running production instance in rendered/",
            "name a tenant; 'tenantry render' makes the tree",
        )
    return found


def _objectives(known: Promises, root: Path, tenant: str, engine: Engine) -> tuple[Objective, ...]:
    """Objectives of a tenant, derived from rendered/ below `root`."""
    files = {name: rendered_files(root, name) for name in known.clusters}
    return tuple(objectives_of(read_states(engine, known, files, text_below(root)), tenant))


def explain_tenant(space: Workspace, subject: str) -> Explanation:
    """Rows for a tenant's instances, or for one instance. Raises UsageError when there is no such thing."""
    inputs = read_inputs(space.root, space.as_of, space.store("documents"))
    instances = {name: i for name, i in inputs.resolution.instances.items() if subject in (name, i.tenant.name)}
    if not instances:
        broken = [
            f
            for f in inputs.findings
            if subject in (f.tenant, f.place.file.removeprefix("tenants/").removesuffix(".yaml"))
        ]
        if broken:
            raise FindingsError(broken)
        known = [*inputs.fleet.entries["Tenant"], *inputs.resolution.instances, *CODES_BY_ID, *CONTROLS_BY_ID]
        raise UsageError(
            f"'{subject}' is not a tenant, instance, code or control",
            did_you_mean(subject, known) or "tenants are the files in tenants/",
        )
    return {name: list(_rows(inputs.fleet, instance)) for name, instance in instances.items()}


def explain_line(space: Workspace, file: str, line: int) -> Mapping[str, str]:
    """Where the field on a line of a rendered file comes from: object, field, template, and the deciding inputs.

    Raises UsageError when the file or the line is not of the rendered tree.
    """
    file = os.path.relpath(space.root / file, space.root)
    node, value = _rendered(space, file)
    found = field_at(node, line)
    if found is None:
        raise UsageError(f"line {line} of '{file}' holds no field", "name the line of a field")
    identity = object_id(value)
    inputs = usable_inputs(space)
    all_units = units(inputs.fleet, inputs.resolution.instances)
    source = Blamer(inputs.fleet, all_units).source(Manifest(identity, "", value, file=file), found)
    if source is None:
        raise UsageError(f"no template renders '{file}'", "it may be stale: run 'tenantry check'")
    return {
        "object": str(identity),
        "field": show_path(found.path),
        "decided by": _decided(source),
        "template" if source.from_template else "made by": source.written_by,
    }


def _decided(source: Source) -> str:
    if source.foreign:
        return "nothing here: no template writes it, so the file was changed; see 'tenantry check'"
    if source.decided_by:
        return " and ".join(map(str, source.decided_by))
    return "several inputs together" if source.varies else "nothing: it is the same for everyone"


def _rendered(space: Workspace, file: str) -> tuple[yaml.Node, Any]:
    """A rendered file as a node and as an object. Raises UsageError for what is neither, a link included."""
    hint = "name a rendered file and a line: rendered/.../service.yaml:12"
    if not file.startswith("rendered/"):
        raise UsageError(f"'{file}' is no file of rendered/", hint)
    try:
        content = read_plain(space.root, file, MAX_FILE_BYTES).decode()
        (node,) = compose(content)
        value = yaml.load(content, yaml.CSafeLoader)
        object_id(value)
    except (NotPlainError, OSError):
        raise UsageError(f"'{file}' is no file of rendered/", hint) from None
    except (yaml.YAMLError, RecursionError, ValueError, LookupError, TypeError, AttributeError):
        raise UsageError(f"'{file}' holds no object as tenantry renders it", "see 'tenantry check'") from None
    return node, value


def field_at(node: yaml.Node | None, line: int) -> Field | None:
    """The innermost field whose key, or list entry, begins on the line, or whose block of text holds the line."""
    best: Field | None = None
    todo: list[tuple[FieldPath, yaml.Node]] = [((), node)] if node else []
    while todo:
        path, current = todo.pop()
        for step, mark, value in children(current):
            here = (*path, step)
            if mark.line + 1 == line and (best is None or len(here) >= len(best.path)):
                best = Field(here, alone=True)
            block = isinstance(value, yaml.ScalarNode) and value.style == "|"
            if block and mark.line + 1 < line <= value.end_mark.line:
                number = line - mark.line - 1
                texts = value.value.split("\n")
                return Field(here, texts[number - 1] if number <= len(texts) else "", number)
            todo.append((here, value))
    return best


def _rows(fleet: Fleet, instance: Instance) -> Iterator[Row]:
    yield from _identity(fleet, instance)
    for name, value in _flatten(dataclasses.asdict(instance.settings)):
        yield _row(fleet, instance, name, value)


def _identity(fleet: Fleet, instance: Instance) -> Iterator[Row]:
    tenant = str(fleet.place(instance.tenant))
    names = instance.names
    yield Row("tier", instance.tier.name, str(fleet.place(instance.tenant, "tier")), "set explicitly")
    values: dict[str, Any] = {
        "state": instance.state, "cell": instance.site.cell.name, "cluster": instance.site.cluster.name,
        "hosts": ", ".join(instance.hosts), "release": instance.release.name,
    }  # fmt: skip
    for name, value in values.items():
        yield _row(fleet, instance, name, value)
    for name, value in (
        ("namespace", names.namespace), ("database", names.database), ("redis_user", names.redis_user),
        ("secret_path", names.secret_path), ("object_prefix", names.object_prefix), ("api_host", instance.api_host),
    ):  # fmt: skip
        yield Row(name, value, tenant, "derived from tenant and environment")
    for host, record in instance.challenge_records.items():
        yield Row(f"dns.{host}", record, tenant, "the customer's own record, before a certificate can be issued")


def _row(fleet: Fleet, instance: Instance, name: str, value: object) -> Row:
    origin = instance.origin(name)
    if origin is None:
        return Row(name, _show(value), "", "")
    return Row(name, _show(value), str(fleet.origin_place(origin)), origin.how)


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{name}.")
        elif isinstance(value, tuple) and value and isinstance(value[0], Mapping):
            for index, item in enumerate(value):
                yield from _flatten(item, f"{name}.{index}.")
        else:
            yield name, value


def _show(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "-"
    return str(value).lower() if isinstance(value, bool) else str(value)


def to_text(explanation: Explanation) -> str:
    """A table an instance."""
    blocks = []
    for instance, rows in explanation.items():
        widths = [max(len(getattr(row, column)) for row in rows) for column in ("name", "value", "place")]
        lines = [
            one_line(f"{row.name:<{widths[0]}}  {row.value:<{widths[1]}}  {row.place:<{widths[2]}}  {row.how}".rstrip())
            for row in rows
        ]
        blocks.append("\n".join([one_line(instance), *("  " + line for line in lines)]) + "\n")
    return "\n".join(blocks)


def tenant_document(explanation: Explanation) -> CommandAnswer:
    """Where the values of instances come from: a table, and the rows by instance."""
    instances = {name: [dataclasses.asdict(row) for row in rows] for name, rows in explanation.items()}
    return CommandAnswer("explain", to_text(explanation), {"instances": instances})


def line_document(told: Mapping[str, str]) -> CommandAnswer:
    """What decided a rendered line, field by field."""
    text = "".join(f"{one_line(f'{name:<10}  {value}')}\n" for name, value in told.items())
    return CommandAnswer("explain", text, {name.replace(" ", "_"): value for name, value in told.items()})


def objectives_document(tenant: str, objectives: Sequence[Objective]) -> CommandAnswer:
    """Derived objectives, with the steps that lead to each."""
    values = [dataclasses.asdict(objective) for objective in objectives]
    return CommandAnswer("explain", objectives_text(tenant, objectives), {"objectives": values})
