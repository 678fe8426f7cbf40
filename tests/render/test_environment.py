"""Nothing that a person writes can turn into YAML by accident."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import ruamel.yaml
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateError, UndefinedError

from tenantry.render.environment import environment, yaml_text
from tenantry.render.registry import COMPONENTS, TREES

HOSTILE = (
    "yes", "no", "on", "Off", "y", "N", "true", "False", "null", "~", "", " ", "0x1F", "0o17", "017", "1_000", "1e3", ".inf", "12:30", "2026-01-01",
    "=", "<<", "a: b", "a #b", "# x", "- a", "? a", "{a}", "[a]", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a", "'", '"', "\\", "a\nb", "a\n", "\ttab",
    "\r\n", "\x00", "\x7f", "\x85", "\u2028", "\ufeff", "🦜 é", "{{ 7*7 }}", "{% raw %}", "$(reboot)", "---", "...", "a,b", "x: {y: z}",
)  # fmt: skip


def readers(text: str) -> list[Any]:
    """The value as readers of YAML 1.1 and of YAML 1.2 take it."""
    modern = ruamel.yaml.YAML(typ="safe", pure=True)
    modern.version = (1, 2)
    return [yaml.safe_load(text), modern.load(io.StringIO(text))]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_for_every_reader(text: str) -> None:
    document = f"key: {yaml_text(text)}\nlist: [{yaml_text(text)}]\n"
    for value in readers(document):
        assert value == {"key": text, "list": [text]}


@given(st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=12)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
))  # fmt: skip
def test_any_value_survives_quoting(value: Any) -> None:
    try:
        text = str(yaml_text(value))
    except UnicodeEncodeError:
        return
    for read in readers(f"v: {text}\n"):
        assert read == {"v": value}


@pytest.mark.parametrize(
    "source", ["{{ word }}", "{{ word ~ 'x' }}", "{{ word | upper }}", "{{ word | replace('a', 'b') }}"]
)
def test_a_value_without_our_filter_is_refused(source: str) -> None:
    with pytest.raises(TemplateError, match="without a filter"):
        environment().from_string(source).render(word="plain")


@pytest.mark.parametrize(
    "source",
    ["{{ missing | yaml }}", "{{ missing.more | yaml }}", "{{ word.nothing | yaml }}", "{% if missing %}{% endif %}"],
)
def test_an_undefined_name_is_refused(source: str) -> None:
    with pytest.raises((UndefinedError, TemplateError), match=r"undefined|not defined|no attribute"):
        environment().from_string(source).render(word="plain")


@pytest.mark.parametrize("word", ["a\nb", "a\rb", "a\x00", "a\u2028b"])
def test_a_line_of_a_configuration_file_can_not_be_ended(word: str) -> None:
    with pytest.raises(TemplateError, match="control character"):
        environment().from_string("{{ word | line }}").render(word=word)


@pytest.mark.parametrize(
    "name", ["../secret.j2", "/etc/passwd", "app/../../x.j2", "app/x.yaml", "nothing.j2", ".j2", "a//b.j2"]
)
def test_no_template_outside_the_root_is_read(name: str) -> None:
    with pytest.raises(TemplateError):
        environment().get_template(name)


def test_the_sandbox_lets_no_template_reach_python() -> None:
    with pytest.raises(TemplateError):
        environment().from_string("{{ ''.__class__.__mro__ | yaml }}").render()


def test_every_template_is_registered_and_every_registered_one_exists() -> None:
    root = Path(str(__import__("tenantry").__file__)).parent / "render/templates"
    there = {str(p.relative_to(root)).removesuffix(".yaml.j2") for p in root.rglob("*.yaml.j2")}
    registered = {entry.name for entries in TREES.values() for entry in entries}
    registered |= {f"components/{name}/{stem}" for name, stems in COMPONENTS.items() for stem in stems}
    assert there - registered == {"kustomization", "new/tenant", "new/exception"}
    assert not registered - there
