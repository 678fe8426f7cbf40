"""What a template read while it was rendered, so that it need not be rendered again where all of that is equal."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from jinja2 import Undefined

from tenantry.render.registry import Context

Trail = tuple[str, ...]
"""A name of the context, and attributes from there down."""


class Reads:
    """Reads of one rendering. `names` are those of the context that the template speaks of.

    Attributes of dataclasses are followed one by one; everything else that is read (a list, a mapping) counts as a whole.
    """

    def __init__(self, context: Context, names: Iterable[str]) -> None:
        self._values: dict[Trail, Any] = {(name,): context[name] for name in names if name in context}
        self._trails = {id(value): trail for trail, value in self._values.items() if _is_followed(value)}
        self._whole: set[Trail] = set()

    def note(self, owner: object, attribute: str, value: Any) -> None:
        """An attribute was read. Owners of no known trail are inside of what counts as a whole."""
        trail = self._trails.get(id(owner))
        if trail is None:
            return
        if callable(value) or isinstance(value, Undefined):
            self._whole.add(trail)  # a method may look at all of its object
            return
        here = (*trail, attribute)
        self._values.setdefault(here, value)  # also keeps it alive, so that its id stays its own
        if _is_followed(value):
            self._trails.setdefault(id(self._values[here]), here)

    def same(self, context: Context) -> bool:
        """Whether a rendering with this context would read the same values, and so give the same text."""
        for trail, value in self._values.items():
            try:
                found = _at(context, trail)
            except (
                LookupError,
                AttributeError,
                StopIteration,
            ):  # of a fleet that can't be, such as a cell without its pool
                return False
            if type(found) is not type(value):
                return False
            if (not _is_followed(value) or trail in self._whole) and found != value:
                return False
        return True


def _is_followed(value: object) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _at(context: Context, trail: Trail) -> Any:
    value = context[trail[0]]
    for attribute in trail[1:]:
        value = getattr(value, attribute)
    return value
