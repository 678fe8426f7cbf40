"""One template -> one file's text, and the objects in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

import yaml
from jinja2 import TemplateError, TemplateSyntaxError

from tenantry.core.findings import Finding, FindingsError, Place
from tenantry.inputs.source import LOADER
from tenantry.render.environment import template
from tenantry.render.registry import Context, ObjectTemplate

HEADER = "# Made by tenantry from templates/{name}; do not edit. Change tenants/, tiers/ or platform/, then 'tenantry render'.\n"


def render_text(name: str, context: Context) -> str:
    """Text of one template, header included. Raises FindingsError at the template's line."""
    file = f"{name}.yaml.j2"
    try:
        return HEADER.format(name=file) + template(file).render(context)
    except TemplateSyntaxError as error:
        raise _failure(error.name or file, error.lineno, str(error.message), context) from error
    except (TemplateError, TypeError, ValueError, AttributeError, KeyError) as error:
        found, line = _template_line(error, file)
        raise _failure(found, line, str(error), context) from error


def _failure(file: str, line: int, message: str, context: Context) -> FindingsError:
    about = context.get("labels", {}).get("app.kubernetes.io/instance", "")
    place = Place(f"templates/{file}", line, 1)
    return FindingsError(
        [Finding("T001", place, f"can't be rendered for '{about}': {message}", "mend the template", tenant=about)]
    )


def _template_line(error: BaseException, default: str) -> tuple[str, int]:
    """Template and line of a runtime error: the last traceback frame that Jinja compiled."""
    found, line = default, 0
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name.endswith(".j2"):
            found, line = name, trace.tb_lineno
        trace = trace.tb_next
    return found, line


def expand(entry: ObjectTemplate, context: Context) -> Iterator[tuple[str, Context]]:
    """(file name, context) of each object that a registry line makes here."""
    if not entry.when(context):
        return
    stem = entry.name.rsplit("/", 1)[-1]
    if entry.each is None:
        yield f"{stem}.yaml", context
        return
    for suffix, more in entry.each(context):
        yield f"{stem}-{suffix}.yaml", {**context, **more}


_MARKS = ("\ue000", "\ue001", "\ue002", "\ue003", "\ue004")
"""Private-use characters: YAML takes them for letters, and nobody's text has them."""
_WORD = re.compile(r"[^\W\d].{5,}", re.DOTALL)
"""What is no keyword of YAML and no part of a number."""
_Marked = dict[Any, Any]
"""Keys and indexes that lead to the strings with marks; None at the end."""
_IN_KEYS: _Marked = {"": "marks in keys"}


def parse_object(text: str, name: str, own: Sequence[str] = ()) -> Mapping[str, Any]:
    """The one object in a rendered text. Raises FindingsError when the template made no such thing.

    Instances of one size have texts in common but for their `own` words (at most five); such a text is parsed once.
    Nobody may change what comes from here.
    """
    marked = [(mark, word) for mark, word in zip(_MARKS, own, strict=False) if _WORD.fullmatch(word)]
    common = text
    for mark, word in marked:
        common = common.replace(word, mark)
    value, places = _parse(common, name)
    if places == _IN_KEYS:  # a tenant may be called like a field
        return _parse(text, name)[0]
    return _with_words(value, places, marked) if places else value


def own_words(context: Context) -> tuple[str, ...]:
    """Names that few other texts have: those of an instance, longest first, then that of the cell."""
    instance, cell = context.get("instance") or context.get("member"), context.get("cell")
    words = (cell.name,) if cell else ()
    if instance is None:
        return words
    return (
        instance.names.instance,
        instance.names.database,
        instance.names.tenant,
        instance.tenant.display_name,
        *words,
    )


def _with_words(value: Any, places: _Marked | None, words: Sequence[tuple[str, str]]) -> Any:
    if places is None:
        for mark, word in words:
            value = value.replace(mark, word)
        return value
    result = value.copy()
    for key, inner in places.items():
        result[key] = _with_words(value[key], inner, words)
    return result


def _marked(value: Any) -> _Marked | Literal[False] | None:
    """Where strings with marks are in a value; None for such a string, False where there is none."""
    if isinstance(value, str):
        return None if any(mark in value for mark in _MARKS) else False
    if isinstance(value, (dict, list)):
        inside = value.items() if isinstance(value, dict) else enumerate(value)
        found = {key: places for key, item in inside if (places := _marked(item)) is not False}
        return found or False
    return False


@lru_cache(maxsize=512)
def _parse(text: str, name: str) -> tuple[Mapping[str, Any], _Marked | Literal[False]]:
    try:
        value = yaml.load(text, Loader=LOADER)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise _no_object(name, f"makes invalid YAML: {error}") from error
    if _has_marked_keys(value):
        return value, _IN_KEYS
    if not isinstance(value, dict) or not {"apiVersion", "kind", "metadata"} <= value.keys():
        raise _no_object(name, "makes no Kubernetes object", "one object a template")
    return value, _marked(value) or False


def _has_marked_keys(value: Any) -> bool:
    if isinstance(value, dict):
        keys = any(mark in str(key) for key in value for mark in _MARKS)
        return keys or any(map(_has_marked_keys, value.values()))
    return isinstance(value, list) and any(map(_has_marked_keys, value))


def _no_object(name: str, message: str, hint: str = "mend the template") -> FindingsError:
    return FindingsError([Finding("T002", Place(f"templates/{name}.yaml.j2"), message, hint)])
