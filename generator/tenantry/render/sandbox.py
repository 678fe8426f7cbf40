"""Jinja2's sandbox, with shorter ways for what the templates do hundreds of times each; it permits nothing more."""

from __future__ import annotations

import re
from dataclasses import is_dataclass
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

_LINE_START = re.compile(r"\n(?!\n|\Z)")
_MISSING = object()
_OF_DICTS = frozenset(dir(dict))


class _Writer(CodeGenerator):
    """Writes an expression's value without Jinja's escaping: `finalize` has refused whatever is not Markup."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:  # noqa: ARG002
        assert finalize.src is not None
        self.write(f"({finalize.src}")


class Sandbox(ImmutableSandboxedEnvironment):
    """Values of our own data classes and of plain dictionaries are read without the questions that methods raise."""

    code_generator_class = _Writer

    def getattr(self, obj: Any, attribute: str) -> Any:
        cls = type(obj)
        if cls is dict:
            if attribute not in _OF_DICTS and attribute in obj:
                return obj[attribute]
        elif attribute[0] != "_" and is_dataclass(cls):
            value = getattr(obj, attribute, _MISSING)
            if value is not _MISSING and not callable(value):
                return value
        return super().getattr(obj, attribute)


def indented(text: object, width: int = 4) -> Markup:
    """The text with this many spaces at the start of each line but the first and the empty ones. It must be Markup."""
    if not isinstance(text, Markup):
        raise TemplateError(f"{text!r} is indented without a filter before")
    return Markup(_LINE_START.sub("\n" + " " * width, text))  # noqa: S704 - more space is no other text
