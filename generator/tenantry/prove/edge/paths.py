"""All paths at once: expressions as automata, walked together, so that each way in which a path can match is met once.

A path is decoded when Traefik matches it, and the edge refuses encoded slashes, so what is matched is what Odoo routes.
The walk is exact for expressions without look-around: of each combination of matches it gives the shortest path.
"""

from __future__ import annotations

import re
import re._constants as _sre  # type: ignore[import-not-found] # the parser's own tree: rules use what RE2 and it have in common
import re._parser as _parser  # type: ignore[import-not-found]
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

ALPHABET = [chr(code) for code in range(33, 127)] + ["é"]
"""Printable characters, and one that stands for all others."""
_MOST_STATES = 60_000


class UnreadableExpressionError(ValueError):
    """An expression that this model does not read."""


class _Row(dict[str, int]):
    """The ways out of one state, found when they are first asked for."""

    def __init__(self, owner: Automaton, state: int) -> None:
        super().__init__()
        self._owner, self._state = owner, state

    def __missing__(self, character: str) -> int:
        target = self[character] = self._owner.following(self._state, character)
        return target


class Automaton:
    """An expression that is looked for anywhere in a text, as Go's MatchString does."""

    def __init__(self, pattern: str) -> None:
        self.edges: list[list[tuple[frozenset[str], int]]] = []
        self.free: list[list[tuple[str, int]]] = []  # without a character: "", "start" or "end"
        anything = frozenset(ALPHABET)
        self.start, self.accept = self._new(), self._new()
        self.edges[self.start].append((anything, self.start))
        self.edges[self.accept].append((anything, self.accept))
        try:
            tree = _parser.parse(pattern)
        except re.error as error:
            raise UnreadableExpressionError(str(error)) from None
        end = self._sequence(list(tree), self.start, bool(tree.state.flags & re.IGNORECASE))
        self.free[end].append(("", self.accept))
        self._closures: dict[tuple[frozenset[int], bool, bool], frozenset[int]] = {}
        self._numbers: dict[frozenset[int], int] = {}
        self._sets: list[frozenset[int]] = []
        self.rows: list[_Row] = []
        """State of the deterministic automaton -> character -> next state; filled as it is walked."""

    def first(self) -> int:
        return self._number(self._closure(frozenset({self.start}), at_start=True, at_end=False))

    def following(self, state: int, character: str) -> int:
        targets = frozenset(t for s in self._sets[state] for characters, t in self.edges[s] if character in characters)
        return self._number(self._closure(targets, at_start=False, at_end=False))

    def matches(self, state: int) -> bool:
        """Whether the text matches when it ends here."""
        return self.accept in self._closure(self._sets[state], at_start=False, at_end=True)

    def _number(self, states: frozenset[int]) -> int:
        number = self._numbers.get(states)
        if number is None:
            number = self._numbers[states] = len(self._sets)
            self._sets.append(states)
            self.rows.append(_Row(self, number))
        return number

    def characters(self) -> Iterator[frozenset[str]]:
        return (characters for edges in self.edges for characters, _ in edges)

    def _new(self) -> int:
        self.edges.append([])
        self.free.append([])
        return len(self.edges) - 1

    def _closure(self, states: frozenset[int], *, at_start: bool, at_end: bool) -> frozenset[int]:
        key = states, at_start, at_end
        found = self._closures.get(key)
        if found is None:
            todo, seen = list(states), set(states)
            while todo:
                for condition, target in self.free[todo.pop()]:
                    passes = condition == "" or (condition == "start" and at_start) or (condition == "end" and at_end)
                    if passes and target not in seen:
                        seen.add(target)
                        todo.append(target)
            found = self._closures[key] = frozenset(seen)
        return found

    # --- from the parser's tree

    def _sequence(self, items: Iterable[Any], state: int, ignore_case: bool) -> int:
        for kind, value in items:
            state = self._item(kind, value, state, ignore_case)
        return state

    def _item(self, kind: Any, value: Any, state: int, ignore_case: bool) -> int:
        if kind in (_sre.LITERAL, _sre.NOT_LITERAL, _sre.ANY, _sre.IN):
            return self._characters(state, _set(kind, value, ignore_case))
        if kind is _sre.AT:
            return self._anchor(value, state)
        if kind is _sre.SUBPATTERN:
            _, added, removed, inner = value
            ignore = (ignore_case or bool(added & re.IGNORECASE)) and not removed & re.IGNORECASE
            return self._sequence(inner, state, ignore)
        if kind is _sre.BRANCH:
            end = self._new()
            for branch in value[1]:
                begin = self._new()
                self.free[state].append(("", begin))
                self.free[self._sequence(branch, begin, ignore_case)].append(("", end))
            return end
        if kind in (_sre.MAX_REPEAT, _sre.MIN_REPEAT):
            return self._repeat(value, state, ignore_case)
        raise UnreadableExpressionError(f"{str(kind).lower()} is not read")

    def _characters(self, state: int, characters: frozenset[str]) -> int:
        target = self._new()
        self.edges[state].append((characters, target))
        return target

    def _anchor(self, value: Any, state: int) -> int:
        names = {
            _sre.AT_BEGINNING: "start",
            _sre.AT_BEGINNING_STRING: "start",
            _sre.AT_END: "end",
            _sre.AT_END_STRING: "end",
        }
        if value not in names:
            raise UnreadableExpressionError("word boundaries are not read")
        target = self._new()
        self.free[state].append((names[value], target))
        return target

    def _repeat(self, value: Any, state: int, ignore_case: bool) -> int:
        low, high, inner = value
        for _ in range(low):
            state = self._sequence(inner, state, ignore_case)
        if high is _sre.MAXREPEAT:
            loop = self._new()
            self.free[state].append(("", loop))
            self.free[self._sequence(inner, loop, ignore_case)].append(("", loop))
            return loop
        end = self._new()
        self.free[state].append(("", end))
        for _ in range(high - low):
            state = self._sequence(inner, state, ignore_case)
            self.free[state].append(("", end))
        return end


def _set(kind: Any, value: Any, ignore_case: bool) -> frozenset[str]:
    everything = frozenset(ALPHABET)
    if kind is _sre.ANY:
        return everything
    if kind is _sre.IN:
        negated = value[0][0] is _sre.NEGATE
        found = frozenset().union(*(_member(k, v, ignore_case) for k, v in value if k is not _sre.NEGATE))
        return everything - found if negated else found
    one = _cases(chr(value), ignore_case)
    return everything - one if kind is _sre.NOT_LITERAL else one


def _member(kind: Any, value: Any, ignore_case: bool) -> frozenset[str]:
    if kind is _sre.LITERAL:
        return _cases(chr(value), ignore_case)
    if kind is _sre.RANGE:
        inside = [c for c in ALPHABET if value[0] <= ord(c) <= value[1]]
        return frozenset().union(*(_cases(c, ignore_case) for c in inside))
    classes = {
        _sre.CATEGORY_DIGIT: str.isdigit, _sre.CATEGORY_WORD: lambda c: c.isalnum() or c == "_", _sre.CATEGORY_SPACE: str.isspace,
    }  # fmt: skip
    if kind is _sre.CATEGORY and value in classes:
        return frozenset(c for c in ALPHABET if c.isascii() and classes[value](c))
    raise UnreadableExpressionError(f"{str(value).lower()} is not read")


def _cases(character: str, ignore_case: bool) -> frozenset[str]:
    return frozenset({character.lower(), character.upper()}) if ignore_case else frozenset({character})


@lru_cache(maxsize=256)
def automaton(pattern: str) -> Automaton:
    return Automaton(pattern)


@lru_cache(maxsize=128)
def combinations(patterns: tuple[str, ...]) -> tuple[tuple[tuple[bool, ...], str], ...]:
    """(which patterns match, the shortest path of which that is true), for each combination that some path has.

    Raises UnreadableExpressionError for an expression that is not read, or for too many at once.
    """
    automata = [automaton(pattern) for pattern in patterns]
    letters = _letters(automata)
    tables = [a.rows for a in automata]
    state = tuple([a.rows[a.first()]["/"] for a in automata])
    found: dict[tuple[bool, ...], str] = {}
    seen = {state}
    todo: deque[tuple[tuple[int, ...], str]] = deque([(state, "/")])
    while todo:
        state, path = todo.popleft()
        matched = tuple([a.matches(s) for a, s in zip(automata, state, strict=True)])
        found.setdefault(matched, path)
        rows = [table[s] for table, s in zip(tables, state, strict=True)]
        for letter in letters:
            following = tuple([row[letter] for row in rows])
            if following not in seen:
                if len(seen) >= _MOST_STATES:
                    raise UnreadableExpressionError("too many expressions to be walked together")
                seen.add(following)
                todo.append((following, path + letter))
    return tuple(found.items())


def _letters(automata: Sequence[Automaton]) -> list[str]:
    """One character of each class that no expression tells apart."""
    sets = sorted({tuple(sorted(characters)) for a in automata for characters in a.characters()})
    classes: dict[tuple[bool, ...], str] = {}
    as_sets = [frozenset(s) for s in sets]
    for character in ALPHABET:
        classes.setdefault(tuple(character in s for s in as_sets), character)
    return list(classes.values())
