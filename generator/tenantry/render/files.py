"""One template -> one file's text, and the objects in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import yaml
from jinja2 import TemplateError, TemplateSyntaxError

from tenantry.findings import Finding, FindingsError, Place
from tenantry.render.environment import template
from tenantry.render.registry import Context, ObjectTemplate
from tenantry.source import LOADER

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


@lru_cache(maxsize=512)
def parse_object(text: str, name: str) -> Mapping[str, Any]:
    """The one object in a rendered text. Raises FindingsError when the template made no such thing.

    Instances of one size have many texts in common, hence the cache; nobody changes what comes from it.
    """
    place = Place(f"templates/{name}.yaml.j2")
    try:
        value = yaml.load(text, Loader=LOADER)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise FindingsError([Finding("T002", place, f"makes invalid YAML: {error}", "mend the template")]) from error
    if not isinstance(value, dict) or not {"apiVersion", "kind", "metadata"} <= value.keys():
        raise FindingsError([Finding("T002", place, "makes no Kubernetes object", "one object a template")])
    return value
