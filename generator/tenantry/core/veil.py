"""Removes an object's secrets from sentences about it, whether a schema, an operator's rule or a policy wrote them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

from tenantry.core.manifest import Manifest, Path, Problem
from tenantry.core.secrecy import secrets_of, variants
from tenantry.core.secret_words import HIDDEN, Span, hide

_PIECE = 6
"""Consecutive letters that reveal part of a secret; shorter runs occur in ordinary words."""
_MOST_LETTERS = 1 << 18
"""For an object with more secrets than this, sentences are not searched; any that quote something are replaced."""
_GENERAL = "the value is invalid; it is not shown because it may be a secret"
_QUOTES = re.compile(r"['\"`]|\.\.\.|: ")


class Veil:
    """Hides one object's secrets in sentences about it."""

    def __init__(self, value: Any) -> None:
        self._paths, parts = secrets_of(value)
        self.large = sum(map(len, parts)) > _MOST_LETTERS
        found = set() if self.large else {variant for part in parts for variant in variants(part)}
        self._long = "\0".join(sorted(part for part in found if len(part) >= _PIECE))
        self._short = sorted(part for part in found if len(part) < _PIECE)
        self._beginnings = {part[:length] for part in found for length in range(1, _PIECE)}
        self._lines = {line.strip() for part in parts if "\n" in part for line in part.split("\n")} - {""}

    def touches(self, path: Path) -> bool:
        """Whether a path leads to a secret, or into one."""
        return any(path[: len(hidden)] == hidden for hidden in self._paths)

    def line(self, line: str) -> str:
        """A line of the object's file; lines of a multi-line secret are not shown."""
        return HIDDEN if self.large or line in self._lines else self.text(line, near=True)

    def text(self, message: str, *, near: bool = False) -> str:
        """The message without the secrets or parts of them; `near` when it is about a secret's own field."""
        if self.large:
            return _GENERAL if _QUOTES.search(message) else message
        spans = [*self._pieces(message), *self._words(message, near=near), *self._cut_off(message)]
        return hide(message, iter(spans)) if spans else message

    def _pieces(self, message: str) -> Iterator[Span]:
        if self._long:
            for start in range(len(message) - _PIECE + 1):
                if message[start : start + _PIECE] in self._long:
                    yield start, start + _PIECE

    def _words(self, message: str, *, near: bool) -> Iterator[Span]:
        """Short secrets look like ordinary words: away from their field they count only where they are quoted."""
        for part in self._short:
            if part in message:
                alone = near or len(part) > 3 or part.isdigit()
                before, after = (r"(?<!\w)", r"(?!\w)") if alone else (r"(?<=['\"`])", r"(?=['\"`])")
                yield from (found.span() for found in re.finditer(before + re.escape(part) + after, message))

    def _cut_off(self, message: str) -> Iterator[Span]:
        """The beginning of a secret before `...`"""
        for found in re.finditer(r"\.\.\.", message):
            end = found.start()
            for start in range(max(end - _PIECE + 1, 0), end):
                alone = start == 0 or not message[start - 1].isalnum()
                if alone and message[start:end] in self._beginnings:
                    yield start, end


def redacted(manifest: Manifest, problem: Problem, veil: Veil | None = None) -> Problem:
    """The problem without a secret of its object. A message that quotes the value of a secret field is replaced by a general one."""
    veil = veil or Veil(manifest.value)
    near = veil.touches(problem.path)
    message, hint = veil.text(problem.message, near=near), veil.text(problem.hint, near=near)
    if (message, hint) == (problem.message, problem.hint):
        return problem
    if near:
        message, hint = _GENERAL, ""
    return dataclasses.replace(problem, message=message, hint=hint)
