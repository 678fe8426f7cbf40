"""An instance's own names taken out of a text and put back, so that what happens to two instances can be compared."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from tenantry.core.findings import FieldChange, ObjectChange
from tenantry.model.names import InstanceNames


@dataclass(frozen=True)
class OwnNames:
    """The names of one instance. Only whole names are taken: `bigacme-production` is another's than `acme-production`."""

    names: Mapping[str, str]
    """Placeholder -> name."""

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self.names.values(), key=len, reverse=True)
        return re.compile(rf"(?<![A-Za-z0-9_-])({'|'.join(map(re.escape, longest_first))})(?![A-Za-z0-9_])")

    @cached_property
    def _placeholders(self) -> Mapping[str, str]:
        return {name: placeholder for placeholder, name in self.names.items()}

    def taken_out(self, text: str) -> str:
        """The text with placeholders in place of the names."""
        return self._pattern.sub(lambda found: self._placeholders[found[1]], text)

    def put_back(self, text: str) -> str:
        """The text with the names in place of placeholders."""
        for placeholder, name in self.names.items():
            text = text.replace(placeholder, name)
        return text

    def neutral(self, change: ObjectChange) -> ObjectChange:
        """The change with placeholders in its values; its object keeps its name."""
        return replace(change, fields=tuple(_field(field, self.taken_out) for field in change.fields))


def own_names(names: InstanceNames) -> OwnNames:
    """The names that follow from tenant and environment alone; two instances never share one."""
    return OwnNames({"\0i\0": names.instance, "\0p\0": names.object_prefix, "\0d\0": names.database})


def _field(field: FieldChange, over: Callable[[str], str]) -> FieldChange:
    return FieldChange(field.path, _value(field.before, over), _value(field.after, over))


def _value(value: object, over: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return over(value)
    if isinstance(value, dict):
        return {key: _value(inner, over) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_value(inner, over) for inner in value]
    return value
