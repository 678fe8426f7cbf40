"""Traefik's rules as formulas over hosts and paths: alternatives of matchers that must all hold."""

from __future__ import annotations

from itertools import product
from math import prod

from tenantry.engine.languages import Matcher, Rule

Conjunct = tuple[Matcher, ...]
"""Matchers that must all hold."""
_MOST_CONJUNCTS = 256


class UnreadableRuleError(ValueError):
    """A rule with more alternatives than can be looked at: which requests it takes can't be known."""


def alternatives(rule: Rule) -> tuple[Conjunct, ...]:
    """A rule as alternatives of matchers. Raises UnreadableRuleError for too many."""
    if isinstance(rule, Matcher):
        return ((rule,),)
    parts = [alternatives(part) for part in rule.parts]
    amounts = map(len, parts)
    if (prod(amounts) if rule.every else sum(amounts)) > _MOST_CONJUNCTS:
        raise UnreadableRuleError(f"it has more than {_MOST_CONJUNCTS} alternatives")
    if not rule.every:
        return tuple(conjunct for part in parts for conjunct in part)
    return tuple(tuple(m for conjunct in choice for m in conjunct) for choice in product(*parts))


def hosts(conjunct: Conjunct) -> frozenset[str] | None:
    """Hosts that an alternative takes; None when it does not name them."""
    named = [frozenset(a.lower() for a in m.arguments) for m in conjunct if m.name == "Host" and not m.negated]
    return frozenset.intersection(*named) if named else None
