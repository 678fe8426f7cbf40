"""Whatever is written is read the same by our parser, by one of YAML 1.1 and by one of YAML 1.2."""

from __future__ import annotations

from typing import Any

import pytest
import ruamel.yaml
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mutation import TIMES
from tenantry.core.hidden_text import is_hidden
from tenantry.inputs import source
from tenantry.inputs.scalars import flow_of, text_of

VISIBLE = st.text(st.characters(exclude_categories=["Cs"]).filter(lambda one: not is_hidden(one)), max_size=20)
WORDS = st.text("ab01 .:,-#?[]{}'\"&*!|>%@`=<~/+_eExoT\\", max_size=12)
TRICKY = st.sampled_from(
    ["", "y", "NO", "on", "~", "null", "Null", "0x1f", "0o17", "017", "1_000", "12:30", "1.0", ".5", "-1", "+1", "1e3", ".inf",
     "2026-01-01", "2026-1-1 10:00", "=", "<<", "a: b", "a:", "a #b", "#a", " a", "a ", "- a", "...", "---", "? a", "a\tb", "a\nb",
     "true", "é", "a,b", "[a", "https://a.example:80/?q", "@a", "%a", "`a", "x]"]
)  # fmt: skip
TEXTS = VISIBLE | WORDS | TRICKY
DATA = st.recursive(
    TEXTS | st.integers(-(10**9), 10**9) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS.filter(bool), inner, max_size=4),
    max_leaves=12,
)


def readings(text: str) -> list[Any]:
    document, findings = source.parse("f.yaml", text)
    assert document is not None and not findings, findings
    modern = ruamel.yaml.YAML(typ="safe", pure=True)
    return [document.data, yaml.load(text, yaml.CSafeLoader), yaml.safe_load(text), modern.load(text)]


@settings(deadline=None, max_examples=300 * TIMES)
@given(TEXTS)
def test_text_is_text_to_every_reader(value: str) -> None:
    assert readings(f"a: {text_of(value)}\n") == [{"a": value}] * 4
    assert readings(f"- {text_of(value)}\n") == [[value]] * 4
    assert (
        readings(f"a: [{text_of(value, flow=True)}, {{b: {text_of(value, flow=True)}}}]\n")
        == [{"a": [value, {"b": value}]}] * 4
    )


@settings(deadline=None, max_examples=150 * TIMES)
@given(DATA)
def test_data_on_one_line_is_the_same_to_every_reader(value: Any) -> None:
    assert readings(f"a: {flow_of(value)}\nb: 1\n") == [{"a": value, "b": 1}] * 4


@pytest.mark.parametrize("word", ["acme", "erp.acme.example", "Europe/Madrid", "a-b", "1.30.0", "registry.example/a:1@sha256:0f", "emea@provider.example"])  # fmt: skip
def test_plain_words_need_no_quotes(word: str) -> None:
    assert text_of(word) == text_of(word, flow=True) == word
