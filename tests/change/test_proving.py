"""A plan that is proved: which controls a change breaches, for whom."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import REPOSITORY
from tenantry.change.assemble import make_plan
from tenantry.change.proving import Proven, prove_both
from tenantry.change.revisions import INPUT_FOLDERS, Revision, texts_of_folder
from tenantry.change.side import Side, read_past, read_side
from tenantry.core.changes import ControlChange
from tenantry.engine.engines import Engines
from tenantry.runtime.cache import Store

AS_OF = "2026-11-27"
EXCEPTION = "policies/exceptions/iberia-travel-login-rate.yaml"


@pytest.fixture
def states(tmp_path: Path) -> Callable[[Callable[[Path], object]], tuple[Side, Side]]:
    """The example fleet before and after an edit of its folder."""

    def make(edit: Callable[[Path], object]) -> tuple[Side, Side]:
        fleet = tmp_path / "fleet"
        for folder in INPUT_FOLDERS:
            shutil.copytree(REPOSITORY / folder, fleet / folder)
        edit(fleet)
        after = read_side(Revision("the change", fleet), AS_OF, Store())
        return read_past("the base", after, texts_of_folder(REPOSITORY, fleet), Store()), after

    return make


def test_a_change_that_breaches_a_control_says_which_and_for_whom(
    states: Callable[..., tuple[Side, Side]], engine_program: Path
) -> None:
    before, after = states(lambda fleet: (fleet / EXCEPTION).unlink())
    with Engines() as engines:
        proven = prove_both(engines, before, after, AS_OF)
        plan = make_plan(engines.engine, before, after, (EXCEPTION,), AS_OF, proven).plan
    assert proven.before == {}
    assert proven.after == {"iberia-travel-production": ("EDGE-04",), "iberia-travel-staging": ("EDGE-04",)}
    assert {(f.code, f.tenant) for f in proven.findings} == {("EDGE-04", "iberia-travel")}
    assert all(f.place.line > 1 for f in proven.findings)  # in a file that nobody has written
    breached = {change.subject.name: change.controls for change in plan.subjects}
    assert breached["iberia-travel-production"] == ControlChange(("EDGE-04",), (), (), ("EDGE-04",))


def test_what_only_one_of_two_breaches_is_not_folded(states: Callable[..., tuple[Side, Side]]) -> None:
    """Two tenants with the same change of objects are one entry, unless a control is breached for one of them."""

    def more(fleet: Path) -> None:
        tier = fleet / "tiers/shared.yaml"
        tier.write_text(tier.read_text().replace("requestsPerSecond: 20", "requestsPerSecond: 25"))

    before, after = states(more)
    names = ("acme-production", "acme-corp-production")
    with Engines() as engines:
        for proven, together in ((Proven({}, {}, ()), True), (Proven({}, {names[0]: ("NET-02",)}, ()), False)):
            plan = make_plan(engines.engine, before, after, ("tiers/shared.yaml",), AS_OF, proven).plan
            groups = [{subject.name for subject in group} for group in plan.folded]
            assert any(set(names) <= group for group in groups) is together
