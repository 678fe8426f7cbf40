"""What was looked at for a control, and what speaks against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tenantry.core.assurance import ObservedFact
from tenantry.core.manifest import Manifest
from tenantry.verify.index import Index


@dataclass(frozen=True, slots=True)
class Evidence:
    """`examined` objects were looked at for these controls. Without `facts` the sentence `holds` is true, else `open`.

    In both, `{all}` is how many were examined, and `{bad}` how many facts there are. `unread` says why nothing can be
    concluded, whatever the facts are.
    """

    controls: tuple[str, ...]
    examined: int
    holds: str
    open: str
    facts: tuple[ObservedFact, ...] = ()
    unread: str = ""


Examination = Callable[[Index], Iterator[Evidence]]
"""Looks at the objects of one cluster."""


def fact(manifest: Manifest, what: str = "") -> ObservedFact:
    """What speaks against a control, at its object."""
    return ObservedFact(
        f"{manifest.identity}: {what}" if what else str(manifest.identity), manifest.file, manifest.line
    )
