"""What a changed object means for those who use it. Each module knows some kinds; importing it registers its functions."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from tenantry.change.effects.registration import EFFECTS, Scene, unknown
from tenantry.core.changes import Effect
from tenantry.core.findings import ObjectChange

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")


def effects(change: ObjectChange, scene: Scene) -> Iterator[Effect]:
    """What the change of one object means; a kind that no module knows is taken seriously."""
    found = EFFECTS.get((change.object.group, change.object.kind), unknown)
    yield from found(change, scene)
