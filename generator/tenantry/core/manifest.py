"""One Kubernetes object as the stages after `build` see it: a value and its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.core.findings import ObjectId, Severity

Path = tuple[str | int, ...]
"""Path to a field of an object: keys and list indexes."""

Value = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of an object, before its line is known."""

    code: str
    path: Path
    message: str
    hint: str = ""
    severity: Severity = "error"
    control: str = ""
    tenant: str | None = None
    """The tenant affected; None for the one that the object's label names."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What the definition of a custom kind says about one field. `rule` is unknown, schema, cel, syntax, never (a schedule
    that never runs) or unjudged."""

    path: Path
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the CustomResourceDefinition of an object's kind says about it."""

    namespaced: bool
    served: tuple[str, ...]
    deprecation: str
    source: str
    problems: tuple[FieldProblem, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object. `verdict` is None for kinds that no CustomResourceDefinition defines; `syntax` lists fields
    whose text an operator could not parse.

    `file` is below the root, `document` is the 0-based index in the file, `items` is the path into Lists, and `line` is
    the 1-based first line of the document.
    """

    identity: ObjectId
    version: str
    value: Value
    verdict: Verdict | None = None
    syntax: tuple[FieldProblem, ...] = ()
    file: str = ""
    document: int = 0
    items: tuple[int, ...] = ()
    line: int = 1

    @property
    def kind(self) -> tuple[str, str]:
        """(API group, kind): the key that rules are registered under."""
        return self.identity.group, self.identity.kind

    @property
    def metadata(self) -> Value:
        return mapping(self.value.get("metadata"))

    @property
    def spec(self) -> Value:
        return mapping(self.value.get("spec"))

    @property
    def annotations(self) -> Value:
        return mapping(self.metadata.get("annotations"))

    @property
    def labels(self) -> Value:
        return mapping(self.metadata.get("labels"))


_EMPTY: Value = {}


def mapping(value: object) -> Value:
    """The value if it is a mapping, else an empty one. Schemas report wrong types; rules must survive them."""
    return value if isinstance(value, dict) else _EMPTY


def items(value: object) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def entries(value: object) -> list[tuple[int, Value]]:
    """(index, mapping) of the mappings in a list."""
    return [(index, item) for index, item in enumerate(items(value)) if isinstance(item, dict)]


def text(value: object) -> str:
    """The value if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


_LARGEST = 2**31 - 1
"""The largest value of fields that count something (int32)."""


def how_many(value: object, default: int = 0) -> int:
    """The value if it is an integer in the range of a count, else `default`."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST else default


def digits(value: str) -> int | None:
    """The number in at most nine ASCII digits; None for anything else, including other digits that `str.isdigit` accepts."""
    return int(value) if len(value) <= 9 and value.isascii() and value.isdigit() else None


def whole_number(value: str) -> int | None:
    """As `digits`, with an optional sign (strconv.Atoi)."""
    sign = value[:1] if value[:1] in ("+", "-") else ""
    number = digits(value.removeprefix(sign)) if sign else digits(value)
    return -number if sign == "-" and number is not None else number


def dig(value: object, *path: str | int) -> Any:
    """The value at a path, or None."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(value, list) or step >= len(value):
                return None
            value = value[step]
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            return None
    return value


_STEP = re.compile(r"\[([^\]]*)\]|([^.\[]+)")


def parse_path(path: str) -> Path:
    """`spec.rules[0].host` or `metadata.annotations[a.b/c]` as a path."""
    steps: list[str | int] = []
    for bracketed, plain in _STEP.findall(path):
        steps.append(plain or (int(bracketed) if bracketed.isdigit() else bracketed))
    return tuple(steps)


def show_path(path: Path) -> str:
    """A path in its written form."""
    result = ""
    for step in path:
        if isinstance(step, int) or not step or not all(c.isalnum() or c in "-_$" for c in step):
            result += f"[{step}]"
        else:
            result += f".{step}" if result else step
    return result
