"""Each field of each kind of input is read by something: a template, a proof, the plan, a report."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Iterator

from conftest import REPOSITORY
from tenantry.inputs.fleet import CLASSES

SOURCES = REPOSITORY / "generator/tenantry"
UNREAD = {
    "Tier.sold_to", "Tier.rationale",  # for the reader of the file
    "Tenant.access.api_clients.mtls",  # the schema takes `required` only
}  # fmt: skip
"""Fields that nothing reads. None may be added; one that is read leaves the list."""


def fields(cls: type, prefix: str) -> Iterator[tuple[str, str]]:
    """(path, name) of each field, those of fields that are dataclasses included."""
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        path = f"{prefix}.{field.name}"
        yield path, field.name
        todo = [hints[field.name]]
        while todo:
            kind = todo.pop()
            todo += typing.get_args(kind)
            if isinstance(kind, type) and dataclasses.is_dataclass(kind):
                yield from fields(kind, path)


def test_every_field_of_an_input_is_read_by_something() -> None:
    read = "\n".join(
        path.read_text()
        for path in sorted(SOURCES.rglob("*"))
        if path.suffix in (".py", ".j2") and "model" not in path.parts
    )
    words = set(re.findall(r"""[.'"](\w+)""", read))
    for path in (SOURCES / "model").glob("*.py"):  # what a property of the entry itself is made of
        words |= set(re.findall(r"\bself\.(\w+)", path.read_text()))
    every = {pair for kind, cls in CLASSES.items() if kind != "Policy" for pair in fields(cls, kind)}
    assert {path for path, name in every if name not in words} == UNREAD
