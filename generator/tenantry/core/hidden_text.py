"""Invisible characters: which they are, their names, and how output shows them.

Text that is not what it looks like (bidirectional marks, zero-width letters, fillers, escape sequences) is rejected in
input files and escaped in all output. Sources: Unicode Standard 16, chapter 23 and property
Default_Ignorable_Code_Point; Unicode Technical Standard 39.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Controls, format characters, unassigned, private use, surrogates, line and paragraph separators."""
_EMPTY_LETTERS = (
    (0x034F, 0x034F),  # combining grapheme joiner
    (0x115F, 0x1160),  # Hangul fillers
    (0x17B4, 0x17B5),  # Khmer inherent vowels
    (0x180B, 0x180F),  # Mongolian variation selectors
    (0x2800, 0x2800),  # braille blank
    (0x3164, 0x3164),  # Hangul filler
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFFA0, 0xFFA0),  # halfwidth Hangul filler
    (0xFFFC, 0xFFFC),  # object replacement
    (0x16FE4, 0x16FE4),  # Khitan filler
    (0x1D159, 0x1D159),  # musical null notehead
    (0xE0100, 0xE01EF),  # variation selectors supplement
)
"""Letters, marks and symbols that are invisible although their category does not say so."""
_CONTROLS = {
    0x00: "NULL", 0x07: "BELL", 0x08: "BACKSPACE", 0x09: "TABULATION", 0x0A: "LINE FEED", 0x0B: "LINE TABULATION", 0x0C: "FORM FEED", 0x0D: "CARRIAGE RETURN",
    0x1B: "ESCAPE", 0x7F: "DELETE", 0x85: "NEXT LINE",
}  # fmt: skip
"""Control characters have no names, only aliases (NameAliases.txt)."""
_NAMELESS = {"Cc": "control character", "Co": "private use", "Cs": "surrogate", "Cn": "unassigned"}
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


@lru_cache(maxsize=4096)
def is_hidden(character: str) -> bool:
    """Whether a character is invisible or affects the text around it. Line feed and tab count as visible."""
    if character in "\n\t":
        return False
    code = ord(character)
    return unicodedata.category(character) in _CATEGORIES or any(low <= code <= high for low, high in _EMPTY_LETTERS)


def hidden_in(text: str) -> Iterator[tuple[int, str]]:
    """(offset, character) of each hidden character. CRLF is a line ending and does not count."""
    if text.isascii() and text.isprintable():
        return
    found = {character for character in set(text) if is_hidden(character)}
    if not found:
        return
    for offset, character in enumerate(text):
        if character in found and not (character == "\r" and text[offset + 1 : offset + 2] == "\n"):
            yield offset, character


def called(character: str) -> str:
    """`U+202E (RIGHT-TO-LEFT OVERRIDE)`"""
    code = ord(character)
    name = unicodedata.name(character, "") or _CONTROLS.get(code) or _NAMELESS.get(unicodedata.category(character), "")
    return f"U+{code:04X} ({name})"


def escaped(text: str) -> str:
    """The text with hidden characters, line feeds and tabs written as `\\u202e`, `\\n`: the result is one line."""
    if text.isprintable() and text.isascii():
        return text
    return "".join(_escape(c) if c in "\n\t" or is_hidden(c) else c for c in text)


def _escape(character: str) -> str:
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
