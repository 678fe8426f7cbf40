"""Who looks at a change of the inputs: each compares the fleet before with the fleet after it."""

from __future__ import annotations

from collections.abc import Callable

from controls.laboratory import AS_OF
from project.scene import Scene
from tenantry.change.guards import guard
from tenantry.change.guards.registration import Comparison
from tenantry.change.instances import instance_effects
from tenantry.render.fleet_edits import with_tenants

Observer = Callable[[Scene, Scene, str], bool]
"""Whether it sees a difference. The last is the name of the entry that was changed: what is called like it is looked at first."""
_ORDER = ("charts", "argocd", "delivery", "cell", "platform", "app", "standby", "infra")
"""Trees in the order in which they are compared."""


def newcomers(scene: Scene) -> list[str]:
    """What is refused to tenants that were not there."""
    nobody = Scene(with_tenants(scene.fleet, []))
    return [repr(finding) for finding in guard(Comparison(nobody.side, scene.side, AS_OF))]


def findings(before: Scene, after: Scene, _name: str) -> bool:
    """What `check` says of the inputs."""
    return before.findings != after.findings


def guards(before: Scene, after: Scene, _name: str) -> bool:
    """What `check --base` refuses, of the change and of all tenants as if they came with it."""
    refused = any(True for _ in guard(Comparison(before.side, after.side, AS_OF)))
    return refused or newcomers(before) != newcomers(after)


def steps(before: Scene, after: Scene, _name: str) -> bool:
    """What `promote` does next, and who approves."""
    return before.steps != after.steps


def figures(before: Scene, after: Scene, _name: str) -> bool:
    """Cost and objectives of the report."""
    return before.figures != after.figures


def plan(before: Scene, after: Scene, _name: str) -> bool:
    """What `plan` says of instances beside their objects."""
    return any(
        not effect.what.endswith("changes in the tenant's file")  # said of a whole section, whatever is in it
        for name, was in before.instances.items()
        if name in after.instances
        for effect in instance_effects(before.side, after.side, was, after.instances[name], {})
    )


def pages(before: Scene, after: Scene, name: str) -> bool:
    """Runbooks, windows, and what `erase` says."""
    if before.pages.keys() != after.pages.keys():
        return True
    changed = [one for one, instance in after.instances.items() if instance != before.instances[one]]
    return any(
        before.pages[one].differs(after.pages[one]) for one in sorted(changed, key=lambda one: (name not in one, one))
    )


def objects(before: Scene, after: Scene, name: str) -> bool:
    """Every object, and where it lies."""
    were, are = before.side.units, after.side.units
    if were.keys() != are.keys() or before.components != after.components:
        return True
    for path in sorted(are, key=lambda path: (name not in path, _ORDER.index(are[path].tree), path)):
        same = before.context(were[path]) == after.context(are[path])
        if not same and before.objects(were[path]).differs(after.objects(are[path])):
            return True
    return False


def losses(before: Scene, after: Scene, _name: str) -> bool:
    """What `simulate` says."""
    return before.losses.differs(after.losses)


def rotations(before: Scene, after: Scene, _name: str) -> bool:
    """What `secrets --rotation` says."""
    return before.rotations != after.rotations


def proofs(before: Scene, after: Scene, _name: str) -> bool:
    """What `verify` says of the example's objects."""
    return before.proofs != after.proofs


OBSERVERS: tuple[tuple[Observer, int], ...] = (
    (findings, 6), (guards, 6), (figures, 3), (steps, 16), (plan, 3), (pages, 3), (objects, 3),
    (findings, 12), (guards, 12), (figures, 24), (losses, 4), (rotations, 1), (proofs, 6),
)  # fmt: skip
"""In the order of what they cost, each with the number of changes of a field that it is shown; some are asked twice."""
