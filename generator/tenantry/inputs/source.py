"""Files -> documents with a table of positions.

Input files are a YAML subset on which all parsers agree: one document, no anchors, no tags, no duplicate keys, and no
unquoted word that YAML 1.1 and 1.2 read differently. What a reviewer would not see, or should not see (hidden
characters, credentials in URLs), is rejected everywhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tenantry.core.findings import Finding, Place
from tenantry.inputs.source_text import TextRules
from tenantry.runtime.plain_file import NotPlainError, read_plain

MAX_BYTES = 1 << 20
MAX_DEPTH = 40
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Path_ = tuple[str | int, ...]
"""Path of a value in a document: keys and list indexes from the root."""


@dataclass(frozen=True)
class Document:
    """One input file: its text, its plain data, and on demand the position of each key and value."""

    file: str
    text: str = field(repr=False)
    data: Any

    @cached_property
    def digest(self) -> str:
        """SHA-256 of name and text: the key under which a valid file is cached."""
        return hashlib.sha256(f"{self.file}\0{self.text}".encode(errors="surrogatepass")).hexdigest()

    @cached_property
    def _positions(self) -> _Builder:
        builder = _Builder(self.file)
        builder.build(yaml.parse(self.text, Loader=LOADER))
        return builder

    def place(self, path: Path_ = (), *, key: bool = False) -> Place:
        """Position of the value (or of its key) at `path`, else of the nearest parent that has one."""
        for end in range(len(path), -1, -1):
            positions = self._positions
            table = positions.keys if key and end == len(path) else positions.values
            found = table.get(path[:end])
            if found:
                return Place(self.file, *found)
        return Place(self.file, 1, 1)


def read_text(root: Path, file: str) -> str | Finding:
    """The text of one input file, or a finding why it can't be read."""
    place = Place(file)
    try:
        content = read_plain(root, file, MAX_BYTES)
    except NotPlainError as error:
        if error.link:
            return linked(error.path)
        hint = "an input must be a regular file; rename or remove this"
        return Finding("S001", Place(error.path), "is not a regular file", hint)
    except OSError as error:
        reason = error.strerror or str(error)
        return Finding("S001", place, f"can't be read: {reason}", "check that it exists and is readable")
    if len(content) > MAX_BYTES:
        return Finding(
            "S002", place, f"is over {MAX_BYTES // 1024} KiB", "a file holds one entry, which is never that large"
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return Finding("S003", Place(file, line, 1), "is not UTF-8 text", "save the file as UTF-8")


def linked(path: str) -> Finding:
    """The finding for a link among the inputs, wherever it points: even inside the fleet it hides what is read."""
    hint = "replace it with the file or folder itself: a reviewer of a link does not see what is read"
    return Finding("S001", Place(path), "is a symbolic link", hint)


def parse(file: str, text: str) -> tuple[Document | None, list[Finding]]:
    """Parse one file. Returns no document when its structure is unclear; other findings accompany the document."""
    builder = _Builder(file)
    text = text.removeprefix("\ufeff")
    conflicts = list(_conflicts(file, text))
    if conflicts:
        return None, [*builder.rules.findings(text), *conflicts]
    document: Document | None = None
    broken: list[Finding] = []
    try:
        data = builder.build(yaml.parse(text, Loader=LOADER))
        document = Document(file, text, data)
        document.__dict__["_positions"] = builder  # cached, no need to parse again
    except yaml.MarkedYAMLError as error:
        broken = [_syntax_finding(file, text, error)]
    except yaml.reader.ReaderError:  # for a hidden character, which the rules report
        broken = []
    except _StructureError as error:
        broken = [error.finding]
    return document, [*builder.findings, *builder.rules.findings(text), *broken]


def _conflicts(file: str, text: str) -> Iterator[Finding]:
    """What git leaves of two versions that it could not merge: three lines of markers in their order (four with diff3)."""
    begun = middle = 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("<<<<<<< "):
            begun, middle = number, 0
        elif line == "=======" and begun:
            middle = number
        elif line.startswith(">>>>>>> ") and middle:
            hint = "keep one side or combine both, remove the marker lines '<<<<<<<', '=======' and '>>>>>>>', then 'git add' the file"
            yield Finding("S014", Place(file, begun, 1), f"has an unresolved merge conflict, up to line {number}", hint)
            begun = middle = 0


def _syntax_finding(file: str, text: str, error: yaml.MarkedYAMLError) -> Finding:
    opened = _UNCLOSED.get(str(error.context))
    if (
        opened
        and error.context_mark
        and ("end of stream" in str(error.problem) or "did not find expected" in str(error.problem))
    ):
        place = Place(file, error.context_mark.line + 1, error.context_mark.column + 1)
        return Finding(
            "S004",
            place,
            f"opens a {opened} that is not closed",
            f"close it; the next unexpected text is on line {_line(error)}",
        )
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.splitlines()
    if mark and line >= len(lines) and lines:
        line, column = len(lines) - 1, len(lines[-1])
    here = lines[line] if line < len(lines) else ""
    indent = here[: len(here) - len(here.lstrip())]
    if "\t" in indent:
        tab = indent.index("\t")
        return Finding("S004", Place(file, line + 1, tab + 1), "is indented with a tab", "indent with two spaces")
    problem = error.problem or "the text can't be parsed as YAML"
    return Finding("S004", Place(file, line + 1, column + 1), f"is not valid YAML: {problem}", _syntax_hint(problem))


_UNCLOSED = {
    "while scanning a quoted scalar": "quote",
    "while parsing a flow sequence": "bracket",
    "while parsing a flow mapping": "brace",
}


def _line(error: yaml.MarkedYAMLError) -> int:
    return error.problem_mark.line + 1 if error.problem_mark else 0


def _syntax_hint(problem: str) -> str:
    if "mapping values are not allowed" in problem:
        return "quote a value that holds ': ', and check the indentation"
    if "could not find expected ':'" in problem:
        return "a line like 'key: value' is expected; check the line above too"
    if "block end" in problem:
        return "check the indentation of this line against the lines above"
    if "cannot start any token" in problem:
        return "quote a value that starts with this character"
    return "check quotes, brackets and indentation here and in the line above"


class _StructureError(Exception):
    def __init__(self, finding: Finding) -> None:
        self.finding = finding


class _Builder:
    """Builds plain data and position tables from parser events."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self.rules = TextRules(file)
        self.values: dict[Path_, tuple[int, int]] = {}
        self.keys: dict[Path_, tuple[int, int]] = {}

    def place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        assert mark is not None
        return Place(self.file, mark.line + 1, mark.column + 1)

    def build(self, events: Iterator[yaml.Event]) -> Any:
        data: Any = None
        seen = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                seen += 1
                if seen > 1:
                    message, hint = (
                        "contains a second document",
                        "a file holds one entry: move the second to its own file",
                    )
                    raise _StructureError(Finding("S008", self.place(event), message, hint))
            elif isinstance(
                event, (yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent, yaml.AliasEvent)
            ):
                data = self.value(event, events, ())
        if data is None and not self.findings:
            raise _StructureError(Finding("S009", Place(self.file), "is empty", "add content or remove it"))
        return data

    def value(self, event: yaml.Event, events: Iterator[yaml.Event], path: Path_) -> Any:
        place = self.place(event)
        self.values[path] = (place.line, place.column)
        if len(path) > MAX_DEPTH:
            raise _StructureError(Finding("S004", place, f"is nested deeper than {MAX_DEPTH} levels", "flatten it"))
        if isinstance(event, yaml.AliasEvent):
            message, hint = (
                f"uses the alias *{event.anchor}",
                "write the value out, so that each line can be read on its own",
            )
            raise _StructureError(Finding("S006", place, message, hint))
        self.refuse_extras(event, place)
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(events, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(events, path)
        assert isinstance(event, yaml.ScalarEvent)
        return self.scalar(event, place, path)

    def refuse_extras(self, event: Any, place: Place) -> None:
        if event.anchor:
            message, hint = f"sets the anchor &{event.anchor}", "remove it and write the values out"
            self.findings.append(Finding("S006", place, message, hint))
        if event.tag:
            message, hint = f"has the tag {event.tag}", "remove it; the schema knows the type"
            self.findings.append(Finding("S007", place, message, hint))

    def mapping(self, events: Iterator[yaml.Event], path: Path_) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            place = self.place(event)
            key = self.key(event, place)
            duplicate = key in result
            value = self.value(next(events), events, (*path, key))
            if duplicate:
                first = self.keys[(*path, key)][0]
                message, hint = f"repeats the key '{key}' of line {first}", "keep one of the two"
                self.findings.append(Finding("S005", place, message, hint))
                continue
            self.keys[(*path, key)] = (place.line, place.column)
            result[key] = value
        return result

    def key(self, event: yaml.Event, place: Place) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise _StructureError(
                Finding("S011", place, "uses a list or a mapping as a key", "use a plain word as key")
            )
        self.refuse_extras(event, place)
        if event.value == "<<" and not event.style:
            message, hint = "uses the merge key <<", "write the values out, so that each line can be read on its own"
            self.findings.append(Finding("S006", place, message, hint))
        self.rules.scalar(event)
        return str(event.value)

    def sequence(self, events: Iterator[yaml.Event], path: Path_) -> list[Any]:
        result: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            result.append(self.value(event, events, (*path, len(result))))
        return result

    def scalar(self, event: yaml.ScalarEvent, place: Place, path: Path_) -> Any:
        self.rules.scalar(event)
        text = event.value
        if event.style:  # quoted or a block; the C parser says "" for plain, the Python one None
            return text
        value = plain_value(text)
        meaning = ambiguity(text) if isinstance(value, str) else ""
        if meaning:
            shown, hint = f"'{text}'", _quote_hint(text)
            if path and path[0] in _OF_SECRETS:  # a Secret placed among the inputs
                shown, hint = "the value", "write it in quotes"
            self.findings.append(
                Finding("S010", place, f"{shown} is {meaning} to some YAML parsers and text to others", hint)
            )
        return value


_OF_SECRETS = ("data", "stringData")
_EXACT: dict[str, Any] = {"": None, "null": None, "~": None, "true": True, "false": False}
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}\Z")
_AMBIGUOUS = (
    ("a boolean", re.compile(r"(?:y|n|yes|no|on|off|true|false)\Z", re.IGNORECASE)),
    ("null", re.compile(r"null\Z", re.IGNORECASE)),
    ("a date", re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?\Z")),
    ("a number in base 60", re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\Z")),
    (
        "a number",
        re.compile(
            r"[-+]?(?:0[xob][0-9a-fA-F_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9_]+(?:[eE][-+]?[0-9]+)?|\.(?:inf|nan))\Z",
            re.IGNORECASE,
        ),
    ),
    ("a special value", re.compile(r"(?:=|<<)\Z")),
)


def plain_value(text: str) -> Any:
    """What an unquoted scalar is: a number, a boolean, nothing, or text."""
    if text in _EXACT:
        return _EXACT[text]
    if _INTEGER.match(text):
        return int(text)
    return float(text) if _DECIMAL.match(text) else text


def ambiguity(text: str) -> str:
    """What an unquoted word that is text to us is to other YAML parsers; empty if it is text to all."""
    return next((meaning for meaning, pattern in _AMBIGUOUS if pattern.match(text)), "")


def _quote_hint(text: str) -> str:
    truth = {
        "y": "true",
        "yes": "true",
        "on": "true",
        "true": "true",
        "n": "false",
        "no": "false",
        "off": "false",
        "false": "false",
    }
    if re.fullmatch(r"0[0-9]+", text):
        return f'write {int(text)} for the number, or "{text}" in quotes for the text'
    word = truth.get(text.lower())
    return f'write {word}, or "{text}" in quotes for text' if word else f'write "{text}" in quotes'
