"""A failover goes one step a change, and its entry stays: each way to leave a step out, or to lose data on the way, is refused."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from change.test_guards import AS_OF, Edit, guarded, lay
from plan.test_failovers import HOSTS, TENANT, TOKEN, entry, put
from tenantry.change.failovers import failover_effects
from tenantry.change.revisions import Revision
from tenantry.change.side import read_side
from tenantry.runtime.cache import Store

HOME = "euw1-globex"
FORTH = entry("done", token=TOKEN)


def said(folder: Path, before: Sequence[str], after: Sequence[str]) -> list[tuple[str, str]]:
    base, fleet = (lay(folder / name, [put(*e)] if e else []) for name, e in (("base", before), ("fleet", after)))
    return [(f.code, f.message) for f in guarded(base, fleet, Store(), AS_OF)]


@pytest.mark.parametrize("steps", [
    [entry("promote"), entry("rebuild"), entry("done")], [entry("demote"), entry("promote", token=TOKEN), FORTH],
])  # fmt: skip
def test_each_step_follows_the_one_before_it(tmp_path: Path, steps: list[str]) -> None:
    states: list[list[str]] = [[], *([step] for step in steps), [steps[-1], entry("demote", HOME, 3)], [steps[-1]]]
    folders = [lay(tmp_path / str(n), [put(*state)] if state else []) for n, state in enumerate(states)]
    for before, after in pairwise(folders):
        assert [(f.code, f.message) for f in guarded(before, after, Store(), AS_OF)] == []


@pytest.mark.parametrize(("before", "after", "message"), [
    ([], [entry("done")], "a failover begins with the step 'demote', or with 'promote' when the place that serves is lost, not with 'done'"),
    ([], [entry("promote", token=TOKEN)], "a failover begins with the step 'demote', or with 'promote' when the place that serves is lost, not with 'promote'"),
    ([], [entry("done"), entry("demote", HOME, 3)], "2 failovers would begin in one change"),
    ([entry("promote")], [entry("done")], "its failover would go from 'promote' to 'done' in one change"),
    ([entry("promote")], [], "the failover to 'euc1-globex' would be forgotten in the step 'promote'"),
    ([entry("demote")], [entry("promote")], "it was demoted, and would be promoted without its token, before it has all that the other place had"),
    ([FORTH], [entry("done", token=TOKEN.replace("Z", "Y"))], "its token would change after it was used"),
    ([entry("done")], [entry("done", generation=4)], "generation 2 would be another failover than it was"),
])  # fmt: skip
def test_a_step_that_is_left_out_is_refused(tmp_path: Path, before: list[str], after: list[str], message: str) -> None:
    assert ("B015", f"globex-eu-production: {message}") in said(tmp_path, before, after)


def test_another_release_is_another_change(tmp_path: Path) -> None:
    channel = Edit("tenants/globex-eu.yaml", "channel: globex", "channel: globex")
    base = lay(tmp_path / "base", [channel])
    fleet = lay(tmp_path / "fleet", [put(entry("promote"))])
    for path in (fleet / "platform/releases").rglob("*.yaml"):
        path.write_text(path.read_text().replace("modules: [", "modules: [board, ", 1))
    assert any(
        "it would get another release with the failover" in f.message for f in guarded(base, fleet, Store(), AS_OF)
    )


def test_without_an_entry_the_other_place_would_open_empty(tmp_path: Path) -> None:
    """The same switch as a line that names another cell is refused as ever."""
    other = Edit(TENANT, HOSTS, HOSTS.replace("euw1-globex", "use1-globex"))
    found = [f.code for f in guarded(lay(tmp_path / "base"), lay(tmp_path / "fleet", [other]), Store(), AS_OF)]
    assert "B003" in found


@pytest.mark.parametrize(("before", "after", "risk", "words"), [
    ([], [entry("promote")], "data", "what was not archived before the loss is lost"), ([], [entry("demote")], "availability", "nobody writes anywhere"),
    ([entry("demote")], [entry("promote", token=TOKEN)], "data", "once it has all that the first one had"),
    ([entry("promote")], [entry("rebuild")], "cost", "a new copy is made at the place that was lost"),
    ([entry("rebuild")], [entry("done")], "cosmetic", "changes wait for their windows again"), ([entry("demote")], [], "availability", "is given up"),
])  # fmt: skip
def test_a_step_is_said_with_its_risk(
    tmp_path: Path, before: list[str], after: list[str], risk: str, words: str
) -> None:
    was, will = (
        read_side(Revision(name, lay(tmp_path / name, [put(*e)] if e else [])), AS_OF, Store()).instances["globex-eu-production"]
        for name, e in (("base", before), ("fleet", after))
    )  # fmt: skip
    (effect,) = failover_effects(was, will)
    assert effect.risk == risk and words in effect.what and ("Region lost" in effect.what or not after)
