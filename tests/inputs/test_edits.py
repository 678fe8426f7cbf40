"""An edit changes what it is asked to, and leaves every other byte."""

from __future__ import annotations

import copy
import difflib
import random
import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import REPOSITORY
from inputs.test_formatting import FILES, Writer
from mutation import TIMES
from tenantry.inputs import edits, source
from tenantry.inputs.shape import Shape, shape_of
from tenantry.inputs.source import Path_

VALUES = st.integers(0, 10**6) | st.text("abc: #", min_size=1, max_size=8) | st.booleans() | st.just([1, "a"]) | st.just({"x": "y", "z": [1]})  # fmt: skip


def places(value: Any, path: Path_ = ()) -> list[Path_]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(inner for key, one in steps for inner in places(one, (*path, key)))]


def at(value: Any, path: Path_) -> Any:
    for step in path:
        value = value[step]
    return value


def changed(data: Any, path: Path_, value: Any) -> Any:
    data = copy.deepcopy(data)
    at(data, path[:-1])[path[-1]] = value
    return data


def read(file: str, text: str) -> Any:
    document, findings = source.parse(file, text)
    assert document is not None and not findings, (text, findings)
    return document.data


def touched(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines that went and lines that came."""
    diff = [line for line in difflib.ndiff(before.split("\n"), after.split("\n")) if line[0] in "+-"]
    return [line[2:] for line in diff if line[0] == "-"], [line[2:] for line in diff if line[0] == "+"]


@settings(deadline=None, max_examples=150 * TIMES)
@given(st.sampled_from(FILES), st.integers(0, 10**6), VALUES)
def test_a_value_of_the_example_is_changed_in_its_own_lines(file: str, where: int, value: Any) -> None:
    text = (REPOSITORY / file).read_text()
    data = read(file, text)
    path = places(data)[1:][where % (len(places(data)) - 1)]
    result = edits.with_value(text, shape_of(data["kind"]), path, value)
    assert read(file, result) == changed(data, path, value)
    old = at(data, path)
    if not isinstance(old, (dict, list)) and not isinstance(value, (dict, list)) and text.count("|\n") == 0:
        place = source.Document(file, text, data).place(path)
        lines, new = text.split("\n"), result.split("\n")
        assert new[: place.line - 1] == lines[: place.line - 1]
        kept = len(lines) - place.line
        assert new[-kept + 2 :] == lines[-kept + 2 :] if kept > 2 else True
        assert new[place.line - 1].startswith(lines[place.line - 1][: place.column - 1])


@settings(deadline=None, max_examples=200 * TIMES)
@given(st.sampled_from(FILES), st.integers(0, 2**32), st.integers(0, 10**6), VALUES)
def test_a_value_in_any_style_is_changed_and_comments_outside_of_it_stay(
    file: str, seed: int, where: int, value: Any
) -> None:
    data = yaml.safe_load((REPOSITORY / file).read_text())
    text = Writer(random.Random(seed)).block(data, 0)
    path = places(data)[1:][where % (len(places(data)) - 1)]
    result = edits.with_value(text, shape_of(data["kind"]), path, value)
    assert read(file, result) == changed(data, path, value), (text, path)
    if not isinstance(at(data, path), (dict, list)):
        assert sorted(re.findall("#c[0-9]+", result)) == sorted(re.findall("#c[0-9]+", text)), (text, path)
        gone, _ = touched(text, result)
        assert len(gone) <= 2, (text, path)


@settings(deadline=None, max_examples=200 * TIMES)
@given(st.sampled_from(FILES), st.integers(0, 2**32), st.integers(0, 10**6))
def test_what_is_removed_and_added_again_is_there_again(file: str, seed: int, where: int) -> None:
    data = yaml.safe_load((REPOSITORY / file).read_text())
    text = Writer(random.Random(seed)).block(data, 0)
    path = [one for one in places(data) if one and isinstance(one[-1], str)]
    chosen = path[where % len(path)]
    smaller = edits.without(text, chosen)
    expected = copy.deepcopy(data)
    del at(expected, chosen[:-1])[chosen[-1]]
    assert read(file, smaller) == expected, (text, chosen)
    again = edits.with_value(smaller, shape_of(data["kind"]), chosen, at(data, chosen))
    assert read(file, again) == data, (smaller, chosen)


@settings(deadline=None, max_examples=200 * TIMES)
@given(st.lists(st.integers(0, 5), max_size=6), st.lists(st.integers(0, 5), max_size=6), st.booleans())
def test_a_list_becomes_another_list(old: list[int], new: list[int], flow: bool) -> None:
    items = f" [{', '.join(map(str, old))}]\n" if flow or not old else "\n" + "".join(f"  - {item}  # {item}\n" for item in old)  # fmt: skip
    result = edits.with_value(f"a:{items}# end\nb: 1\n", Shape({}, {}), ("a",), new)
    assert read("f.yaml", result) == {"a": new, "b": 1}
    assert result.endswith("# end\nb: 1\n")


TENANT = """\
kind: Tenant
metadata: {name: acme}  # who
spec:
  # how many
  users: 24   # counted
  residency: [eu-west]
  environments:
    production: {cell: a, hosts: [x.example]}
    # for tests
    staging:
      cell: b
  integrations:
    - name: bank
      port: 443
    # the second
    - {name: mail, port: 25}
"""


@pytest.mark.parametrize(
    ("path", "value", "gone", "came"),
    [
        (("spec", "users"), 120, ["  users: 24   # counted"], ["  users: 120   # counted"]),
        (("spec", "users"), "a: b", ["  users: 24   # counted"], ['  users: "a: b"   # counted']),
        (("spec", "tier"), "shared", [], ["  tier: shared"]),
        (("spec", "access"), {"adminGroups": ["x"]}, [], ["  access: {adminGroups: [x]}"]),
        (("spec", "access", "adminGroups"), ["x"], [], ["  access: {adminGroups: [x]}"]),
        (("spec", "residency", 1), "eu-central", ["  residency: [eu-west]"], ["  residency: [eu-west, eu-central]"]),
        (("spec", "environments", "staging", "hosts"), ["z"], [], ["      hosts: [z]"]),
        (("spec", "environments", "recovery"), {"cell": "c"}, [], ["    recovery: {cell: c}"]),
        (("spec", "environments", "production", "state"), "suspended", ["    production: {cell: a, hosts: [x.example]}"], ["    production: {cell: a, hosts: [x.example], state: suspended}"]),
        (("spec", "integrations", 0, "host"), "h", [], ["      host: h"]),
        (("spec", "integrations", 2), {"name": "z"}, [], ["    - {name: z}"]),
        (("spec", "integrations"), [{"name": "mail", "port": 25}], ["    - name: bank", "      port: 443"], []),
        (("spec", "environments"), {"production": {"cell": "a", "hosts": ["z"]}}, ["    production: {cell: a, hosts: [x.example]}", "    staging:", "      cell: b"], ["    production: {cell: a, hosts: [z]}"]),
    ],
)  # fmt: skip
def test_an_edit_touches_these_lines(path: Path_, value: Any, gone: list[str], came: list[str]) -> None:
    assert touched(TENANT, edits.with_value(TENANT, shape_of("Tenant"), path, value)) == (gone, came)


def test_a_new_field_stands_where_the_schema_has_it() -> None:
    result = edits.with_value(TENANT, shape_of("Tenant"), ("spec", "channel"), "standard")
    assert "  residency: [eu-west]\n  channel: standard\n  environments:\n" in result
    result = edits.with_value(TENANT, shape_of("Tenant"), ("apiVersion",), "x")
    assert result.startswith("apiVersion: x\nkind: Tenant\n")


@pytest.mark.parametrize(
    ("path", "gone", "came"),
    [
        (("spec", "users"), ["  users: 24   # counted"], []),
        (("spec", "environments", "staging"), ["    staging:", "      cell: b"], []),
        (("spec", "environments", "staging", "cell"), ["    staging:", "      cell: b"], ["    staging: {}"]),
        (("spec", "environments", "production", "cell"), ["    production: {cell: a, hosts: [x.example]}"], ["    production: {hosts: [x.example]}"]),
        (("spec", "integrations", 0), ["    - name: bank", "      port: 443"], []),
        (("spec", "integrations", 0, "name"), ["    - name: bank", "      port: 443"], ["    - port: 443"]),
    ],
)  # fmt: skip
def test_a_removal_touches_these_lines(path: Path_, gone: list[str], came: list[str]) -> None:
    assert touched(TENANT, edits.without(TENANT, path)) == (gone, came)


@pytest.mark.parametrize("path", [("spec", "tier"), ("spec", "users", "x"), ("spec", "residency", 4), ("x", "y")])
def test_what_is_not_there_can_t_be_removed(path: Path_) -> None:
    with pytest.raises(edits.EditError):
        edits.without(TENANT, path)


def test_ends_of_lines_stay_as_they_are() -> None:
    windows = TENANT.replace("\n", "\r\n")
    result = edits.with_value(windows, shape_of("Tenant"), ("spec", "channel"), "standard")
    assert result.replace("  channel: standard\r\n", "") == windows
    bare = "spec:\n  users: 1"
    assert edits.with_value(bare, shape_of("Tenant"), ("spec", "channel"), "x") == "spec:\n  users: 1\n  channel: x"
