"""How an incident is registered. A new one is a function with the decorator, in any module of `incidents/`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from tenantry.resolve.instance import Instance
from tenantry.runbook.book import Runbook, Writer
from tenantry.runbook.facts import facts

Write = Callable[[Writer], None]


@dataclass(frozen=True, slots=True)
class Incident:
    """A kind of incident, and what writes its steps."""

    name: str
    title: str
    write: Write


_INCIDENTS: dict[str, Incident] = {}


def incident(name: str, title: str) -> Callable[[Write], Write]:
    """Register what to do about an incident."""

    def register(write: Write) -> Write:
        _INCIDENTS[name] = Incident(name, title, write)
        return write

    return register


@cache
def incidents() -> Mapping[str, Incident]:
    """All incidents by name, sorted."""
    from tenantry.runbook import incidents as package

    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_INCIDENTS.items()))


def runbook(instance: Instance, name: str) -> Runbook:
    """What to do about an incident of an instance. Raises KeyError for a name that is not registered."""
    found = incidents()[name]
    writer = Writer(instance)
    found.write(writer)
    return writer.book(found.name, found.title, facts(instance))
