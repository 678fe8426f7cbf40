"""A rendering that is watched: which line of which template or macro wrote a field, and what the template read.

The template is rendered with a mark before each line of each template's own text and before each expression. The mark
that stands nearest before a field's key names the line. When the marks would change the text (a template may look at
what a macro gave), there is no telling.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml
from jinja2 import meta
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup

from tenantry.core.manifest import Path
from tenantry.inputs.source import LOADER
from tenantry.render.environment import make_environment, script, source_of
from tenantry.render.files import render_text
from tenantry.render.reads import Reads
from tenantry.render.registry import Context
from tenantry.render.sandbox import Sandbox

_MARK = re.compile("\ue010([^\ue011]*)\ue011")
_LINE_START = re.compile(r"(?<=\n)(?!\n)")


@dataclass(frozen=True, slots=True)
class TemplateLine:
    """A line of a file below templates/; 0 for the file as a whole."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"templates/{self.file}:{self.line}" if self.line else f"templates/{self.file}"


@dataclass(frozen=True, slots=True)
class Trace:
    """A rendered text, where each line of a template begins in it, and what was read; without `exact` none of it holds."""

    file: str
    text: str
    marks: list[tuple[int, TemplateLine]] = field(repr=False)
    reads: Reads = field(repr=False)
    exact: bool = True

    def line(self, path: Path, text_line: int = 0) -> TemplateLine:
        """The line that wrote the field at `path` of the object, or line `text_line` (from 1) of its block of text."""
        at = _field_offset(self.text, path, text_line) if self.exact else -1
        index = bisect_right(self.marks, at, key=lambda place: place[0]) - 1
        return self.marks[index][1] if at >= 0 and index >= 0 else TemplateLine(self.file)

    def same(self, context: Context) -> bool:
        """Whether the template is sure to give the same text with another context."""
        return self.exact and self.reads.same(context)


def trace(name: str, context: Context) -> Trace:
    """Render a template under watch."""
    file = f"{name}.yaml.j2"
    watching = _watching()
    watching.reads = Reads(context, _names(file))
    text, marks = _unmarked(watching.get_template(file).render(context))
    plain = render_text(name, context).partition("\n")[2]
    return Trace(file, text, marks, watching.reads, exact=_lines(text) == _lines(plain))


class _Watching(Sandbox):
    """Notes which attributes are read."""

    reads: Reads

    def getattr(self, obj: Any, attribute: str) -> Any:
        value = super().getattr(obj, attribute)
        self.reads.note(obj, attribute, value)
        return value


class _Marks(Extension):
    """Puts a mark before each line of a template's own text, and before each expression."""

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        for token in stream:
            if token.type == "variable_begin":
                yield Token(token.lineno, "data", _mark(stream.name, token.lineno))
            marked = token.type == "data"
            yield Token(token.lineno, token.type, _marked(token.value, stream.name, token.lineno)) if marked else token


def _mark(name: str | None, line: int) -> str:
    return f"\ue010{name}:{line}\ue011"


def _marked(text: str, name: str | None, first: int) -> str:
    """The text with a mark before each of its lines that is not empty; filters leave empty ones as they are."""
    result, line = "", first
    for part in _LINE_START.split(text):
        result += _mark(name, line) + part
        line += part.count("\n")
    return result


def _marked_script(name: str) -> Markup:
    return Markup(_marked(script(name), f"files/{name}", 1))  # noqa: S704 - as the script itself


@cache
def _watching() -> _Watching:
    env = make_environment(_Watching)
    env.add_extension(_Marks)
    env.globals["script"] = _marked_script
    return env


@cache
def _names(file: str) -> frozenset[str]:
    """Names of the context that a template speaks of."""
    return frozenset(meta.find_undeclared_variables(_watching().parse(source_of(file))))


def _lines(text: str) -> list[str]:
    """Without space that a mark may leave on an empty line."""
    return [line.rstrip(" ") for line in text.splitlines()]


def _unmarked(text: str) -> tuple[str, list[tuple[int, TemplateLine]]]:
    """The text without its marks, and where each stood."""
    parts = _MARK.split(text)
    plain, marks, length = [parts[0]], [], len(parts[0])
    for place, part in zip(parts[1::2], parts[2::2], strict=True):
        file, _, line = place.rpartition(":")
        marks.append((length, TemplateLine(file, int(line))))
        plain.append(part)
        length += len(part)
    return "".join(plain), marks


def _field_offset(text: str, path: Path, text_line: int) -> int:
    """Where a field's key or list entry begins, or a line of its block of text; -1 when it is not there."""
    node: yaml.Node | None = yaml.compose(text, Loader=LOADER)
    mark: yaml.Mark | None = None
    for step in path:
        node, mark = _child(node, step)
    if node is None or mark is None:
        return -1
    lines = text.splitlines(keepends=True)
    line, column = mark.line, mark.column
    if text_line and isinstance(node, yaml.ScalarNode) and node.style == "|" and line + text_line < len(lines):
        line += text_line
        column = len(lines[line]) - len(lines[line].lstrip())
    return sum(map(len, lines[:line])) + column


def _child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node | None, yaml.Mark | None]:
    if isinstance(node, yaml.MappingNode):
        return next(((value, key.start_mark) for key, value in node.value if key.value == str(step)), (None, None))
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step].start_mark
    return None, None
