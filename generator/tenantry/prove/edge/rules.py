"""Traefik v3's rules (reference/routing-configuration/http/routing/rules-and-priority) as formulas over hosts and paths."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

_TOKEN = re.compile(r"\s*(&&|\|\||!|\(|\)|,|[A-Za-z]+(?=\s*\()|`[^`]*`|\"(?:[^\"\\]|\\.)*\")")


class UnreadableRuleError(ValueError):
    """A rule that this model does not read: which requests it takes can't be known."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One call, such as Host(`a`). `negated` when a request is taken that it does not match."""

    name: str
    arguments: tuple[str, ...]
    negated: bool = False


Conjunct = tuple[Matcher, ...]
"""Matchers that must all hold."""
_MOST_CONJUNCTS = 256


def parse(rule: str) -> tuple[Conjunct, ...]:
    """A rule as alternatives of matchers. Raises UnreadableRuleError."""
    tokens = list(_tokens(rule))
    position, alternatives = _either(tokens, 0, False)
    if position != len(tokens):
        raise UnreadableRuleError(f"'{tokens[position]}' is not expected")
    return alternatives


def _tokens(rule: str) -> Iterator[str]:
    position = 0
    while position < len(rule.rstrip()):
        found = _TOKEN.match(rule, position)
        if found is None:
            raise UnreadableRuleError(f"'{rule[position : position + 20]}' can't be read")
        yield found[1]
        position = found.end()


def _either(tokens: list[str], position: int, negated: bool) -> tuple[int, tuple[Conjunct, ...]]:
    parts = []
    while True:
        position, part = _both(tokens, position, negated)
        parts.append(part)
        if position >= len(tokens) or tokens[position] != "||":
            break
        position += 1
    return position, _conjunction(parts) if negated else _union(parts)


def _both(tokens: list[str], position: int, negated: bool) -> tuple[int, tuple[Conjunct, ...]]:
    parts = []
    while True:
        position, part = _one(tokens, position, negated)
        parts.append(part)
        if position >= len(tokens) or tokens[position] != "&&":
            break
        position += 1
    return position, _union(parts) if negated else _conjunction(parts)


def _one(tokens: list[str], position: int, negated: bool) -> tuple[int, tuple[Conjunct, ...]]:
    if position >= len(tokens):
        raise UnreadableRuleError("it ends early")
    word = tokens[position]
    if word == "!":
        return _one(tokens, position + 1, not negated)
    if word == "(":
        position, inner = _either(tokens, position + 1, negated)
        return _expect(tokens, position, ")"), inner
    if not word.isalpha():
        raise UnreadableRuleError(f"'{word}' is not expected")
    position = _expect(tokens, position + 1, "(")
    arguments = []
    while position < len(tokens) and tokens[position] != ")":
        if tokens[position] != ",":
            arguments.append(tokens[position][1:-1])
        position += 1
    return _expect(tokens, position, ")"), ((Matcher(word, tuple(arguments), negated),),)


def _expect(tokens: list[str], position: int, wanted: str) -> int:
    if position >= len(tokens) or tokens[position] != wanted:
        raise UnreadableRuleError(f"'{wanted}' is missing")
    return position + 1


def _union(parts: list[tuple[Conjunct, ...]]) -> tuple[Conjunct, ...]:
    return tuple(conjunct for part in parts for conjunct in part)


def _conjunction(parts: list[tuple[Conjunct, ...]]) -> tuple[Conjunct, ...]:
    found = tuple(tuple(m for conjunct in choice for m in conjunct) for choice in product(*parts))
    if len(found) > _MOST_CONJUNCTS:
        raise UnreadableRuleError("it has too many alternatives")
    return found


def hosts(conjunct: Conjunct) -> frozenset[str] | None:
    """Hosts that an alternative takes; None when it does not name them."""
    named = [frozenset(a.lower() for a in m.arguments) for m in conjunct if m.name == "Host" and not m.negated]
    return frozenset.intersection(*named) if named else None


def path_pattern(matcher: Matcher) -> str | None:
    """A matcher of paths as an expression; None for a matcher of something else."""
    if not matcher.arguments:
        return None
    text = matcher.arguments[0]
    return {"PathRegexp": text, "PathPrefix": f"^{re.escape(text)}", "Path": f"^{re.escape(text)}$"}.get(matcher.name)
