"""What a plan says of each step of a move, and that what a person is told is about their objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from change.guards.test_moves import at
from change.test_guards import AS_OF, lay
from tenantry.change.moves import GUIDE, following, move_effects, told
from tenantry.change.revisions import Revision
from tenantry.change.side import read_side
from tenantry.model.migration import MOVE_STEPS, MoveStep
from tenantry.resolve.instance import Instance
from tenantry.runtime.cache import Store

InStep = Callable[[MoveStep], Instance]
DOCUMENTS = Store()


@pytest.fixture
def in_step(tmp_path: Path) -> InStep:
    def read(step: MoveStep) -> Instance:
        side = read_side(Revision("it", lay(tmp_path / step, at(step))), AS_OF, DOCUMENTS)
        return side.instances["smith-advisory-production"]

    return read


FORTH = {
    ("prepare", "copy"): ("data", "move, step copy: a trial copy runs while the source serves", ""),
    ("copy", "compare"): ("cosmetic", "move, step compare: the trial copy is compared", ""),
    ("compare", "freeze"): ("availability", "move, step freeze: Odoo is stopped", "about 12 min for the last copy, and until the step switch is merged"),
    ("freeze", "switch"): ("data", "move, step switch: Odoo starts at the target", "until the Pods have started"),
    ("switch", "watch"): ("cosmetic", "move, step watch: the target serves", ""),
    ("watch", "remove"): ("data", "move, step remove: the source's database leaves the trees", ""),
    ("copy", "prepare"): ("availability", "move, back from copy: the source serves; nothing is lost", ""),
    ("freeze", "prepare"): ("availability", "move, back from freeze: the source serves; nothing is lost", "until the Pods have started again"),
    ("watch", "prepare"): ("data", "move, back from watch: the source serves; what was entered since the switch is lost", "while the Pods restart"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), FORTH)
def test_a_step_is_said_with_its_risk_and_downtime(in_step: InStep, before: MoveStep, after: MoveStep) -> None:
    risk, what, downtime = FORTH[before, after]
    (effect,) = move_effects(in_step(before), in_step(after))
    assert (effect.risk, effect.downtime) == (risk, downtime)
    assert effect.what.startswith(what)


def test_begin_and_end_are_said(in_step: InStep) -> None:
    begun = in_step("prepare")
    still = replace(begun, move=None)
    assert [e.what for e in move_effects(still, begun)] == [
        "move, step prepare: an empty database is made at the target; the source serves"
    ]
    assert [e.what for e in move_effects(begun, still)] == [
        "the move is given up; what was made at the target stays in the cluster"
    ]
    ended = in_step("remove")
    assert [e.what for e in move_effects(ended, replace(ended, move=None))] == ["the move is over"]
    assert list(move_effects(begun, begun)) == []


@pytest.mark.parametrize("step", MOVE_STEPS)
def test_every_step_tells_how_to_see_that_it_is_done(in_step: InStep, step: MoveStep) -> None:
    instance = in_step(step)
    every = [told(instance, command) for command in GUIDE[step].commands]
    commands = [command for command in every if not command.startswith("argocd ")]
    # In these steps hooks alone are new, which Argo CD runs in no sync of its own.
    syncs = ["argocd app sync smith-advisory-production-app"] if step in ("copy", "compare") else []
    assert every[: len(every) - len(commands)] == syncs
    assert commands
    for command in commands:
        assert command.startswith("kubectl ")
        assert "{" not in command.replace("{.status", "").replace('\'{"spec": {', "")
    places = {"prepare": "euw1-shared-b-cell", "watch": "euw1-shared-b-cell", "remove": "euw1-shared-a-cell"}
    assert all(f"--namespace {places.get(step, 'smith-advisory-production')} " in command for command in commands)


def test_the_steps_have_one_order() -> None:
    assert [following(step) for step in MOVE_STEPS] == [*MOVE_STEPS[1:], None]
    assert GUIDE.keys() == set(MOVE_STEPS)
