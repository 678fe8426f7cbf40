"""Invisible text is rejected in inputs and escaped in output: no name clears a terminal or fakes a line of a log."""

from __future__ import annotations

import json
import os
import re
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import Ran
from mutation import TIMES
from tenantry.commands import doctor, explain
from tenantry.core.assurance import Objective, Step
from tenantry.core.findings import FieldChange, Finding, ObjectChange, ObjectId, Place, Result
from tenantry.core.hidden_text import called, escaped, is_hidden
from tenantry.inputs import source
from tenantry.inputs.fleet import load
from tenantry.report import COMMANDS, OF_CHANGES, WRITERS
from tenantry.report.assurance import objectives_text
from tenantry.report.document import DOCUMENT_WRITERS
from tenantry.report.plain import lines, to_json_text

Run = Callable[..., Ran]

HIDDEN = {
    "NUL": "\0", "bell": "\a", "backspace": "\b", "escape": "\x1b", "delete": "\x7f", "C1": "\x9b", "next line": "\x85",
    "form feed": "\f", "soft hyphen": "\u00ad", "Arabic letter mark": "\u061c", "zero-width space": "\u200b",
    "non-joiner": "\u200c", "joiner": "\u200d", "left-to-right mark": "\u200e", "override": "\u202e", "isolate": "\u2066",
    "word joiner": "\u2060", "invisible times": "\u2062", "reserved default ignorable": "\u2065", "line separator": "\u2028",
    "paragraph separator": "\u2029", "byte order mark": "\ufeff", "annotation": "\ufff9", "grapheme joiner": "\u034f",
    "Hangul initial filler": "\u115f", "Hangul medial filler": "\u1160", "Hangul filler": "\u3164", "halfwidth filler": "\uffa0",
    "braille blank": "\u2800", "Khmer vowel": "\u17b4", "Mongolian selector": "\u180b", "Mongolian separator": "\u180e",
    "variation selector": "\ufe0f", "variation selector 256": "\U000e01ef", "tag": "\U000e0041", "private use": "\ue000",
    "private plane": "\U000f0000", "unassigned": "\u0378", "noncharacter": "\ufdd0", "last noncharacter": "\U0010ffff",
    "object replacement": "\ufffc", "musical control": "\U0001d173", "musical blank": "\U0001d159",
}  # fmt: skip
SCRIPTS = (
    "Müller & Søn, Ångström Straße", "Ελληνικά", "Кириллица", "עברית", "العربية", "فارسی", "हिन्दी", "ไทย", "한국어", "日本語 ガ", "中文",
    "Tiếng Việt", "ქართული", "አማርኛ", "e\u0301 combined", "∑ € → ½ 🙂", "a\u00a0b", "漢\u3000字",
)  # fmt: skip
FILE = "kind: Tenant  # a remark\nspec:\n  displayName: Acme\n  notes: |\n    one\n    two\n  list: [a, 'b', \"c\"]\n"


def told(text: str) -> list[Finding]:
    _, findings = source.parse("tenants/a.yaml", text)
    return [finding for finding in findings if finding.code == "S012"]


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("after", ["a rem", "displayN", "displayName: Ac", "    tw", "'b", '"c'])
def test_a_hidden_character_is_reported_with_its_place_and_name(name: str, after: str) -> None:
    """In a comment, a key, a plain word, a block and in quotes."""
    character = HIDDEN[name]
    at = FILE.index(after) + len(after)
    (finding,) = told(FILE[:at] + character + FILE[at:])
    before = FILE[:at].split("\n")
    assert (finding.place.line, finding.place.column) == (len(before), len(before[-1]) + 1)
    assert f"U+{ord(character):04X} (" in finding.message
    assert unicodedata.name(character, "") in finding.message


@pytest.mark.parametrize("name", HIDDEN)
def test_an_escape_makes_no_hidden_character_either(name: str) -> None:
    text = FILE.replace('"c"', f'"c\\U{ord(HIDDEN[name]):08x}"')
    (finding,) = told(text)
    assert (finding.place.line, finding.place.column) == (7, 18)
    assert called(HIDDEN[name]) in finding.message


@pytest.mark.parametrize("text", SCRIPTS)
def test_letters_of_every_script_are_welcome(text: str) -> None:
    document, findings = source.parse("a.yaml", f"{text}: '{text}'  # {text}\n".replace("& ", ""))
    assert (bool(document), findings) == (True, [])
    assert escaped(text) == text


@pytest.mark.parametrize("text", ["a: b\r\nc: d\r\n", "\ufeffa: b\n", "a: |\n  b\tc\n", 'a: "b\\tc\\nd"\n'])
def test_line_endings_a_leading_mark_and_tabs_are_no_hidden_characters(text: str) -> None:
    assert told(text) == []


def test_many_lines_are_reported_in_few_findings() -> None:
    found = told("# \u200b\n" * 500 + "a: b\n")
    assert len(found) == 20
    assert "so do 480 more lines" in found[-1].message


@settings(deadline=None, max_examples=200 * TIMES)
@given(st.characters(codec="utf-8"), st.integers(0, len(FILE)))
def test_each_character_is_either_refused_or_shown_as_it_is(character: str, at: int) -> None:
    """The same characters are refused where they come in and escaped where they go out."""
    text = FILE[:at] + character + FILE[at:]
    leading = at == 0 and character == "\ufeff"
    ending = character == "\r" and text[at + 1] == "\n" if at < len(FILE) else False
    assert bool(told(text)) == (is_hidden(character) and not leading and not ending)
    assert (escaped(character) == character) == (not is_hidden(character) and character not in "\n\t")


NAMES = {"bidi": "a\u202eb", "newline": "a\n::error::b", "escape": "a\x1b[2Jb", "no UTF-8": os.fsdecode(b"a\xffb")}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "file",
    ["tenants/{}.yaml", "policies/{}/policy.yaml", "policies/default-deny/{}.yaml", "policies/exceptions/{}.yaml"],
)
def test_names_of_input_files_hide_nothing(name: str, file: str, fleet: Path) -> None:
    path = fleet / file.format(NAMES[name])
    path.parent.mkdir(exist_ok=True)
    path.write_text("a: b\n")
    _, findings = load(fleet)
    named = [f for f in findings if f.code == "S012"]
    odd = path.parent if file.endswith("/policy.yaml") else path
    assert [f.place.file for f in named] == [str(odd.relative_to(fleet))]
    assert not any(f.place.file.startswith(named[0].place.file) for f in findings if f not in named), (
        "and it is not read"
    )


def test_a_policy_with_a_hidden_character_is_refused(fleet: Path) -> None:
    policy = fleet / "policies/default-deny/policy.yaml"
    policy.write_text(policy.read_text().replace("spec:", "spec: # \u2067x\n", 1))
    found, findings = load(fleet)
    assert [(f.code, f.place.file) for f in findings] == [("S012", "policies/default-deny/policy.yaml")]
    assert "default-deny" not in found.entries["Policy"]


# --- output

TEXT = st.text() | st.sampled_from(
    [
        "\n::error::x",
        "::set-output name=a::b",
        "\r##[error]x",
        "##vso[task.complete]x",
        "##teamcity[x]",
        "\x1b[2J\x1b]8;;x\a",
        "\u202e",
        "\udcff",
    ]
)


def result(command: str, text: str) -> Result:
    """A result in which every text that comes from outside is the given one."""
    identity = ObjectId(text, text, text, text)
    finding = Finding("V001", Place(text, 1, 1), text, text, tenant=text, object=identity)
    values: Any = {text: [text]}
    change = ObjectChange("changed", identity, text, text, text, text, (FieldChange(text, text, values),))
    return Result(command, (finding,), {}, (text,), (change,))


def is_tame(output: str) -> bool:
    return (
        all(character == "\n" or (not is_hidden(character) and character != "\t") for character in output)
        and not any(line.lstrip().startswith("::") for line in output.split("\n"))
        and "##[" not in output and "##vso[" not in output and "##teamcity[" not in output
    )  # fmt: skip


def without_annotations(form: str, output: str) -> str:
    """The output without what makes a line a command, where the writer means it to be one."""
    return re.sub(r"(?m)^::(?=(?:error|warning) file=)", "", output) if form in COMMANDS else output


@settings(deadline=None, max_examples=200 * TIMES)
@given(TEXT, st.sampled_from(["text", "markdown", "github", "junit"]), st.sampled_from(["check", "diff"]))
def test_no_text_acts_on_what_reads_a_report(text: str, form: str, command: str) -> None:
    output = WRITERS[form](result(command, text))
    assert is_tame(without_annotations(form, output))
    assert output.count("\n") == WRITERS[form](result(command, "a")).count("\n"), "a line is never made by a text"


@settings(deadline=None, max_examples=200 * TIMES)
@given(TEXT)
def test_json_reads_back_as_it_was_and_holds_no_hidden_character(text: str) -> None:
    output = WRITERS["json"](result("diff", text))
    assert is_tame(output)
    assert lines(output) == output
    document = json.loads(output)
    assert document["notes"] == [text]
    assert document["changes"][0]["fields"][0]["after"] == {text: [text]}
    assert json.loads(to_json_text(text)) == text


@settings(deadline=None, max_examples=100 * TIMES)
@given(TEXT)
def test_tables_of_explain_and_doctor_are_tame_too(text: str) -> None:
    row = explain.Row(text, text, text, text)
    objective = Objective("production", "RPO", "s", 1.0, 2.0, True, (Step(text, text, text),))
    for output, count in (
        (explain.to_text({text: [row, row]}), 3),
        (objectives_text("acme", [objective]), 4),
        (explain.line_document({text: text}).text, 1),
        (doctor.to_text([doctor.Item(text, True, text, text)]), 1),
    ):
        assert is_tame(output)
        assert output.count("\n") == count
    documents = explain.line_document({"a": text}), doctor.document([doctor.Item(text, True, text, text)])
    assert is_tame("".join(map(DOCUMENT_WRITERS["json"], documents)))


@pytest.fixture
def hostile(fleet: Path) -> Path:
    """A fleet under git, in whose trees files of odd names lie."""
    for arguments in (["init", "--quiet"], ["add", "-A"], ["commit", "--quiet", "-m", "first"]):
        subprocess.run(["git", *arguments], cwd=fleet, check=True)
    folder = fleet / "rendered/c/::error::e"
    folder.mkdir(parents=True)
    odd = 'metadata: {name: "a\\u001b[2J\\n::error::b", namespace: "n\\u202e##[error]x"}\ndata: {"k\\u2066": v}\n'
    for name in NAMES.values():
        (folder / f"{name}.yaml").write_text(f"apiVersion: v1\nkind: ConfigMap\n{odd}")
    (folder / "::error::c.yaml").write_text("a: [\n")
    return fleet


COMMAND_LINES = [
    *([*words, "--format", form] for words in (["check"], ["verify"], ["verify", "rendered/c/::error::e"], ["render"]) for form in WRITERS),
    *(["diff", "--format", form] for form in OF_CHANGES),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMAND_LINES, ids=" ".join)
def test_odd_names_of_files_and_objects_act_on_nothing(command: list[str], run: Run, hostile: Path) -> None:
    ran = run(*command, cwd=hostile)
    assert ran.code == 1, ran
    assert is_tame(without_annotations(command[-1], ran.out))
    assert is_tame(ran.err)
    in_an_address = "%E2%80%AE"
    assert "u202e" in ran.out + ran.err or in_an_address in ran.out


@pytest.mark.parametrize("argument", ["a\n::error::b", "##[error]x", "\x1b[2J", "\u202e", os.fsdecode(b"\xff")])
@pytest.mark.parametrize("command", [
    ["{}"], ["check", "--{}"], ["check", "-C", "{}"], ["check", "--format", "{}"], ["check", "--as-of", "{}"], ["verify", "{}"],
    ["explain", "{}"], ["explain", "{}:3"], ["explain", "{}", "--objectives"], ["diff", "{}"], ["render", "{}"], ["schema", "{}"],
    ["new", "tenant", "{}", "--tier", "shared"], ["new", "tenant", "a", "--tier", "{}"], ["init", "platform/{}"],
], ids=" ".join)  # fmt: skip
def test_odd_arguments_act_on_nothing(command: list[str], argument: str, run: Run, fleet: Path) -> None:
    ran = run(*(word.format(argument) for word in command), cwd=fleet)
    assert is_tame(ran.out + ran.err), ran
