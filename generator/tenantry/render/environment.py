"""The Jinja2 environment: sandboxed, strict, closed to its own root, and deaf to bare input.

Each `{{ ... }}` must end in one of our filters (or in a macro, whose own expressions must). The filters give
`Markup`; a value of any other type is refused, so nothing that a person wrote can turn into YAML by accident.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, TypeVar

from jinja2 import FunctionLoader, StrictUndefined, Template, TemplateError, Undefined
from markupsafe import Markup

from tenantry.render import quantities
from tenantry.render.sandbox import Sandbox, indented

_Environment = TypeVar("_Environment", bound=Sandbox)

_PLAIN = re.compile(
    r"(?:[A-Za-z/][A-Za-z0-9_./@+-]*(?: [A-Za-z0-9_./@+(-][A-Za-z0-9_./@+()-]*)*|[1-9][0-9]*(?:m|[KMGT]i|s|h|d))\Z"
)
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


def yaml_text(value: object) -> Markup:
    """One value on one line of YAML, which readers of YAML 1.1 and of 1.2 take for the same value."""
    return Markup(_flow(value))  # noqa: S704 - quoted by the line above


def _flow(value: object) -> str:
    if isinstance(value, Undefined):
        raise TemplateError(f"'{value._undefined_name}' is not defined")
    if isinstance(value, str):
        plain = _PLAIN.match(value) and value.lower() not in _WORDS
        return str(value) if plain else _quoted(value)
    if value is None or isinstance(value, (bool, int, float)):
        return json.dumps(value)
    if isinstance(value, (dict, Mapping)):
        return "{" + ", ".join(f"{_flow(str(key))}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_flow, value)) + "]"
    raise TemplateError(f"a {type(value).__name__} has no YAML form")


def _quoted(text: str) -> str:
    """Double quotes with JSON's escapes, which YAML shares; other control characters escaped too."""
    quoted = json.dumps(text, ensure_ascii=False)
    return _CONTROL.sub(lambda control: f"\\u{ord(control.group()):04x}", quoted)


def line_text(value: object) -> Markup:
    """A value inside a block of text (a configuration file). It must not be able to end its line."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise TemplateError(f"a {type(value).__name__} can't stand in a line of text")
    text = str(value)
    if _CONTROL.search(text):
        raise TemplateError(f"{text!r} can't stand in a line of text: it holds a control character")
    return Markup(text)  # noqa: S704 - checked by the lines above


def digest_text(text: object) -> Markup:
    """SHA-256 sum of a text that is rendered elsewhere, so that Pods restart when it changes. It must be Markup."""
    if not isinstance(text, Markup):
        raise TemplateError(f"{text!r} is summed up without a filter before")
    return Markup(f'"{hashlib.sha256(text.encode()).hexdigest()}"')  # noqa: S704 - hexadecimal digits


def _only_markup(value: Any) -> Any:
    if type(value) is Markup:
        return value
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()
    if not isinstance(value, Markup):
        raise TemplateError(f"{value!r} is written without a filter; end the expression in '| yaml' or '| line'")
    return value


def _load(name: str) -> tuple[str, str, None] | None:
    if not re.fullmatch(r"[a-z0-9]+(?:[-/.][a-z0-9]+)*\.j2", name):
        return None
    source = resources.files("tenantry.render") / "templates" / name
    return (source.read_text(encoding="utf-8"), name, None) if source.is_file() else None


@cache
def script(name: str) -> Markup:
    """A file that is shipped as it is, from templates/files/."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*\.[a-z]+", name):
        raise TemplateError(f"no file '{name}'")
    text = (resources.files("tenantry.render") / "templates" / "files" / name).read_text(encoding="utf-8")
    return Markup(text.rstrip("\n"))  # noqa: S704 - our own file


@cache
def environment() -> Sandbox:
    return make_environment(Sandbox)


def make_environment(cls: type[_Environment]) -> _Environment:
    """An environment of its own that renders as ours does; `cls` may watch."""
    env = cls(
        loader=FunctionLoader(_load),
        undefined=StrictUndefined,
        autoescape=True,  # so that macros give Markup and our finalize can tell it from input
        finalize=_only_markup,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        cache_size=-1,
    )
    env.filters["yaml"] = yaml_text
    env.filters["line"] = line_text
    env.filters["digest"] = digest_text
    env.filters["indent"] = indented
    env.filters["mebibytes"] = quantities.mebibytes
    env.filters["gibibytes"] = quantities.gibibytes
    env.filters["millicores"] = quantities.millicores
    env.globals.clear()
    env.globals["script"] = script
    return env


@cache
def source_of(name: str) -> str:
    """Text of a template; empty when there is none of that name."""
    found = _load(name)
    return found[0] if found else ""


def template(name: str) -> Template:
    return environment().get_template(name)
