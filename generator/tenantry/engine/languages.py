"""Results of the operators' own parsers for schedules, routing rules and regular expressions.

The engine links those parsers (robfig/cron, Traefik's, Go's regexp); nothing here parses such a text itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a text can't be used. `kind` is syntax, never (no day fits the schedule), zone, or large (over a limit)."""

    kind: str
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Cron:
    """A schedule as an object holds it: five fields, or six with the seconds first.

    A time zone in the text (`CRON_TZ=`) wins over `zone`; without either it is UTC.
    """

    text: str
    seconds: bool = False
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Interval:
    """How often a schedule runs, including leap years and DST changes: the largest gap, and the average number."""

    longest_seconds: float
    runs_a_year: float


@dataclass(frozen=True, slots=True)
class Matcher:
    """One call of a routing rule, such as Host(`a`). `negated` when a request is taken that it does not match.

    `path` is a regular expression of the paths that it asks for; empty for a matcher of something else.
    """

    name: str
    arguments: tuple[str, ...]
    negated: bool = False
    path: str = ""


@dataclass(frozen=True, slots=True)
class Junction:
    """Parts of a routing rule that must all hold, or of which one must."""

    every: bool
    parts: tuple[Rule, ...]


Rule = Matcher | Junction
Expressions = tuple[str, ...]
"""Regular expressions that are looked at together."""
Way = tuple[tuple[bool, ...], str]
"""Which of some expressions match, and the shortest path of which that is true."""
Walk = Sequence[Way] | Refusal
"""Every combination of matches that some path has."""


@dataclass(frozen=True, slots=True)
class Paths:
    """How paths match regular expressions."""

    matches: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    """By expression and text; false for an expression that does not compile."""
    walks: Mapping[Expressions, Walk] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Readings:
    """Parsed texts of a run's objects, each text once."""

    intervals: Mapping[Cron, Interval | Refusal] = field(default_factory=dict)
    rules: Mapping[str, Rule | Refusal] = field(default_factory=dict)
    paths: Paths = field(default_factory=Paths)


def interval(answer: Mapping[str, Any]) -> Interval | Refusal:
    """The interval in an answer of the engine, or why it can't be computed."""
    return refusal(answer) or Interval(answer["longest_seconds"], answer["runs_a_year"])


def rule(answer: Mapping[str, Any]) -> Rule | Refusal:
    """The routing rule in an answer of the engine, or why it can't be parsed."""
    return refusal(answer) or _part(answer["tree"])


def walk(answer: Mapping[str, Any]) -> Walk:
    """The combinations of matches in an answer of the engine, or why they can't be computed."""
    return refusal(answer) or tuple((tuple(way["matched"]), way["path"]) for way in answer["ways"])


def refusal(answer: Mapping[str, Any]) -> Refusal | None:
    """Why the engine rejected a text; None if it did not."""
    problem = answer.get("problem")
    return Refusal(problem["kind"], problem["message"]) if problem else None


def _part(answer: Mapping[str, Any]) -> Rule:
    if "matcher" in answer:
        arguments = tuple(answer["arguments"])
        return Matcher(answer["matcher"], arguments, answer.get("not", False), answer.get("path", ""))
    every = "all" in answer
    return Junction(every, tuple(map(_part, answer["all" if every else "any"])))
