"""Messages, docs, docstrings and comments use words that a reader of this field expects."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import REPOSITORY

BETTER = {
    "told": "reported",
    "mend": "fix",
    "mends": "fixes",
    "mended": "fixed",
    "lifts nothing": "is unused",
    "wears": "carries",
    "anew": "again",
    "laid": "created",
    "lay a fleet": "create a fleet",
    "bug of ours": "internal error",
    "of ours": "our own",
    "farewell": "offboarding",
    "deaf": "rejects",
    "by hand": "manually",
    "asked much": "used often",
    "reads on": "continues",
    "is had": "is available",
    "way out": "hint, fix",
    "foreign file": "unmanaged file",
    "foreign files": "unmanaged files",
    "nobody sees": "is invisible",
    "a way into": "access to",
    "is no": "is not a",
    "that are no": "that are not",
    "settle": "resolve",
    "settled": "resolved",
    "left over": "stale",
    "half old": "partly old",
    "would vanish": "would be removed",
    "nobody is promised": "belongs to nobody",
    "is had by": "belongs to",
    "can't be had": "is not available",
    "put out": "evicted",
    "guards nothing": "enforces nothing",
    "holds no manifests": "contains no manifests",
    "lies in git": "is stored in git",
    "passed by": "bypassed",
}
"""Words of no meaning in this field, or of another one, and what to write instead."""
_BANNED = re.compile(r"\b(" + "|".join(map(re.escape, sorted(BETTER, key=len, reverse=True))) + r")\b", re.IGNORECASE)
_RIGHT = re.compile(
    r"\bthere is no\b|\bis no (?:longer|more|such|certification|other|reason|file|room)\b", re.IGNORECASE
)
"""Where `no` does not deny a noun, or denies it as it should."""

CLEAN = (
    "core",
    "runtime",
    "inputs",
    "model",
    "resolve",
    "plan",
    "report",
    "cli",
    "publish",
    "diff",
    "commands",
    "engine",
    "prove",
)
"""Packages that keep to this; extend the list with each that is cleaned."""
PACKAGE = REPOSITORY / "generator/tenantry"
PAGES = sorted(
    [
        *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "Makefile")),
        *(REPOSITORY / "docs").rglob("*.md"),
        *(PACKAGE / "inputs/schemas").glob("*.json"),
    ]
)
MODULES = sorted(path for package in CLEAN for path in (PACKAGE / package).rglob("*.py"))


def odd_words(text: str) -> list[str]:
    return [found[0] for found in _BANNED.finditer(_RIGHT.sub("", " ".join(text.split())))]


def said(path: Path) -> Iterator[str]:
    """What a module says: docstrings, messages and comments."""
    source = path.read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def prose(path: Path) -> str:
    """A page without code: names of tests and commands are not prose."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_pages_use_the_words_of_the_field(path: Path) -> None:
    found = odd_words(prose(path))
    assert not found, {word: BETTER[word.lower()] for word in found}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_use_the_words_of_the_field(path: Path) -> None:
    found = [word for text in said(path) for word in odd_words(text)]
    assert not found, {word: BETTER[word.lower()] for word in found}


def undocumented(path: Path) -> Iterator[str]:
    """Public functions, methods and classes of a module without a docstring; properties are named like what they are."""
    for node in ast.parse(path.read_text()).body:
        inside = node.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_") else []
        for each in (node, *inside):
            if not isinstance(each, ast.FunctionDef | ast.ClassDef) or each.name.startswith("_"):
                continue
            names = {ast.unparse(decorator) for decorator in getattr(each, "decorator_list", ())}
            if not ast.get_docstring(each) and "property" not in names:
                yield each.name


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_public_functions_say_what_their_names_do_not(path: Path) -> None:
    assert list(undocumented(path)) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Each breach is told\nby hand.", ["told", "by hand"]), ("Anew!", ["Anew"]), ("'x' is no date", ["is no"]),
        ("it is no longer needed; there is no tier; untold", []), ("a file that\n  lifts  nothing", ["lifts nothing"]),
    ],
)  # fmt: skip
def test_words_are_found_as_whole_words_in_any_case_and_across_lines(text: str, found: list[str]) -> None:
    assert odd_words(text) == found
