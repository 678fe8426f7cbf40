"""A formatted file says the same, keeps its comments, and does not change when it is formatted again."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
import ruamel.yaml
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import REPOSITORY
from mutation import TIMES
from tenantry.inputs import source
from tenantry.inputs.fleet import input_files
from tenantry.inputs.formatting import formatted
from tenantry.inputs.scalars import flow_of, text_of

FILES = input_files(REPOSITORY)


def everything(text: str) -> list[Any]:
    """What parsers of three kinds read, and the comments."""
    document, findings = source.parse("tenants/x.yaml", text)
    assert document is not None and not findings, (text, findings)
    modern = ruamel.yaml.YAML(typ="safe", pure=True)
    return [document.data, yaml.load(text, yaml.CSafeLoader), modern.load(text), sorted(re.findall("#c[0-9]+", text))]


class Writer:
    """Writes data as a careless person would: any order, any style, any indentation, comments everywhere."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.comments = 0

    def comment(self, indent: int) -> str:
        self.comments += 1
        return " " * indent + f"#c{self.comments}\n"

    def above(self, indent: int) -> str:
        lines = ["\n", self.comment(indent), self.comment(self.chance.randrange(0, indent + 1))]
        return "".join(line for line in lines if self.chance.random() < 0.15)

    def behind(self) -> str:
        return f"   {self.comment(0)}" if self.chance.random() < 0.15 else " " * self.chance.randrange(0, 2) + "\n"

    def scalar(self, value: Any, *, flow: bool) -> str:
        if not isinstance(value, str):
            return flow_of(value)
        quoted = text_of(value) if text_of(value).startswith('"') else f'"{value}"'
        single = "'" + value.replace("'", "''") + "'"
        return self.chance.choice([text_of(value, flow=flow), quoted, single if "\n" not in value else quoted])

    def flow(self, value: Any, indent: int, *, lines: bool) -> str:
        if not isinstance(value, (dict, list)):
            return self.scalar(value, flow=True)
        gap = lambda: f"{self.behind()}{' ' * indent}" if lines and self.chance.random() < 0.5 else " "  # noqa: E731
        pairs = [f"{text_of(key, flow=True)}: {self.flow(one, indent, lines=lines)}" for key, one in self.shuffled(value)] if isinstance(value, dict) else [self.flow(one, indent, lines=lines) for one in value]  # fmt: skip
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        return opening + gap() + "".join(f"{pair},{gap()}" for pair in pairs) + closing

    def shuffled(self, value: dict[str, Any]) -> list[tuple[str, Any]]:
        pairs = list(value.items())
        self.chance.shuffle(pairs)
        return pairs

    def block(self, value: Any, indent: int) -> str:
        """Lines of a collection that is not empty."""
        step = self.chance.randrange(1, 5)
        text = ""
        for key, one in self.shuffled(value) if isinstance(value, dict) else [(None, one) for one in value]:
            start = "-" if key is None else f"{text_of(key)}:"
            text += self.above(indent) + " " * indent + start
            if isinstance(one, (dict, list)) and one and self.chance.random() < 0.6:
                text += self.behind() + self.block(one, indent + step)
            elif isinstance(one, str) and re.fullmatch(r"[a-z]+( [a-z]+)*", one) and self.chance.random() < 0.2:
                text += f" {self.chance.choice(['>-', '|-'])}\n{' ' * (indent + step)}{one}\n"
            else:
                text += f" {self.flow(one, indent + step, lines=self.chance.random() < 0.3)}" + self.behind()
        return text + (self.comment(indent) if self.chance.random() < 0.1 else "")


@settings(deadline=None, max_examples=150 * TIMES)
@given(st.sampled_from(FILES), st.integers(0, 2**32))
def test_a_file_written_in_any_way_comes_out_in_one(file: str, seed: int) -> None:
    data = yaml.safe_load((REPOSITORY / file).read_text())
    text = Writer(random.Random(seed)).block(data, 0)
    once = formatted(file, text)
    assert everything(once) == everything(text), text
    assert formatted(file, once) == once, text
    canonical = formatted(file, flow_of(data))
    assert list(yaml.safe_load(once)) == list(yaml.safe_load(canonical))


@pytest.mark.parametrize("file", FILES)
def test_the_example_is_in_canonical_form(file: str) -> None:
    text = (REPOSITORY / file).read_text()
    assert formatted(file, text) == text


BEFORE = """\
# yaml-language-server: $schema=x
kind: 'Tenant'
# the version
apiVersion: tenantry.io/v1alpha1

spec:
    users:    30   # last counted in May
    # Their own wish.


    tier: "shared"
    overrides: {}
    owner: {contact: a@b.example,
            # was accounts
            team: sales}
    residency:
    - eu-west
    - eu-central  # by contract
    rationale: |
       two
         lines
    displayName: >-
      A name
      on two lines
      # of which none is a comment
    # nothing follows
metadata:
    name: acme
# the end"""

AFTER = """\
# yaml-language-server: $schema=x

# the version
apiVersion: tenantry.io/v1alpha1
kind: Tenant
metadata:
  name: acme

spec:
  displayName: >-
    A name
    on two lines
    # of which none is a comment
  # Their own wish.

  tier: shared
  owner:
    # was accounts
    team: sales
    contact: a@b.example
  residency:
    - eu-west
    - eu-central  # by contract
  users: 30  # last counted in May
  overrides: {}
  rationale: |
    two
      lines
  # nothing follows
# the end
"""


def test_comments_move_with_what_they_speak_of() -> None:
    assert formatted("tenants/acme.yaml", BEFORE) == AFTER


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\r\nb: x\r\n", "a: 1\nb: x\n"),
        ("\ufeffa: 1", "a: 1\n"),
        ("{b: 1, a: [x,\nz]}", "b: 1\na:\n  - x\n  - z\n"),
        ("a:\n-   b: 1\n    c: 2\n-\n    d: 3\n- # why\n    e: 4\n", "a:\n  - b: 1\n    c: 2\n  - d: 3\n  -  # why\n    e: 4\n"),
        ("a: |+\n  x\n\n\nb: 1\n", 'a: "x\\n\\n\\n"\n\nb: 1\n'),
        ("a: |\n  x\n\n\n  y\n\n\n\nb: 1\n", "a: |\n  x\n\n\n  y\n\nb: 1\n"),
        ("a: |\n  x", "a: x\n"),
        ("17: x\ntrue: z\n", '"17": x\n"true": z\n'),
        ("? a\n: 1\n", "a: 1\n"),
        ("a: [\n  # none yet\n]\n", "a: []  # none yet\n"),
        ("b:\n  a: [  # none\n  # yet\n]  # soon\n", "b:\n  # none\n  # yet\n  a: []  # soon\n"),
        ("a: x\n  y\n", "a: x y\n"),
        ("a: 0.10\nb: ~\nc:\n", "a: 0.10\nb: ~\nc:\n"),
        ("---\na: 1\n...\n", "a: 1\n"),
    ],
)  # fmt: skip
def test_what_becomes_of_a_spelling(text: str, expected: str) -> None:
    assert formatted("tenants/acme.yaml", text) == expected
    assert formatted("tenants/acme.yaml", expected) == expected


def test_what_can_t_be_kept_is_refused() -> None:
    with pytest.raises(ValueError, match=r"tenants/acme\.yaml can't be brought into canonical form"):
        formatted("tenants/acme.yaml", f"? {'x' * 1100}\n: 1\n")


def test_every_input_kind_has_an_order(tmp_path: Path) -> None:
    assert {file.split("/")[0] for file in FILES} == {"platform", "tiers", "tenants", "policies"}
