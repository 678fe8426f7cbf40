"""Lists and days in sentences."""

from __future__ import annotations

from collections.abc import Sequence


def first_few(texts: Sequence[str], most: int = 3, between: str = ", ") -> str:
    """The first texts, and how many more there are."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return between.join(texts[:most]) + more


def ends(days: int, date: str) -> str:
    """What is said of something that ends in so many days, today or before."""
    if days < 0:
        return f"ended on {date}"
    return f"ends in {days} day{'' if days == 1 else 's'}, on {date}" if days else "ends today"
