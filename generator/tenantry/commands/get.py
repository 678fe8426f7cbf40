"""`tenantry get`: fields of an entry, and where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tenantry.commands import entry
from tenantry.commands.entry import EntryFile
from tenantry.core.findings import FindingsError
from tenantry.core.manifest import dig
from tenantry.inputs import paths
from tenantry.inputs.source import Path_
from tenantry.report.document import CommandAnswer
from tenantry.report.plain import one_line
from tenantry.runtime.workspace import Workspace


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A field's value; without a place it is the schema's default, and without a value there is neither."""

    path: str
    value: Any
    place: str
    default: bool


def get(space: Workspace, subject: str, field: str) -> CommandAnswer:
    """The fields at and below a path, or all. Raises UsageError for what the schema does not have."""
    found = entry.find(space.root, subject)
    if found.findings:
        raise FindingsError(found.findings)
    rows = list(_rows(found, paths.parse(field)))
    values = [
        {"path": row.path, "value": row.value, "place": row.place or None, "default": row.default} for row in rows
    ]
    return CommandAnswer("get", _text(rows), {"file": found.file, "values": values})


def _rows(found: EntryFile, path: Path_) -> Iterator[FieldValue]:
    value = dig(found.document.data, *path) if path else found.document.data
    if value is None:
        here = paths.must_exist(found.shape, path).here
        yield FieldValue(paths.shown(path), here.get("default"), "", "default" in here)
        return
    for inner, one in paths.leaves(value, path):
        yield FieldValue(paths.shown(inner), one, str(found.document.place(inner)), False)


def _text(rows: list[FieldValue]) -> str:
    shown = [(row.path, paths.value_text(row.value) if row.value is not None else "-", _origin(row)) for row in rows]
    if len(shown) == 1:
        return one_line(f"{shown[0][1]}  {shown[0][2]}") + "\n"
    widths = [max(len(row[column]) for row in shown) for column in (0, 1)]
    return "".join(one_line(f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}") + "\n" for a, b, c in shown)


def _origin(row: FieldValue) -> str:
    return row.place or ("not set; the default" if row.default else "not set")
