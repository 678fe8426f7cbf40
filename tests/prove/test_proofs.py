"""Each control is proved: mutants of the example fleet's objects break it, and it alone is reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from acceptance.registry import PARTS
from controls.laboratory import attempt, example, found_in
from controls.table import MUTANTS, Mutant
from tenantry.core.controls import CATALOG, CONTROLS, GROUPS, STANDARDS
from tenantry.prove.cluster_state import Breach, State
from tenantry.prove.registry import proofs


@pytest.fixture(autouse=True)
def every_proof_reports_its_own_controls_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a mutant is judged."""

    def prove(state: State) -> Iterator[Breach]:
        for proof, controls in proofs().items():
            for manifest, problem in proof(state):
                assert problem.control in controls, f"{proof.__module__}.{proof.__name__} reports {problem.control}"
                yield manifest, problem

    monkeypatch.setattr("tenantry.prove.proofs.prove", prove)


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_mutant_is_refused_by_its_control_for_its_tenant_and_object_and_by_no_other(mutant: Mutant) -> None:
    assert attempt(mutant).wrong() == []


def test_the_example_fleet_breaks_nothing() -> None:
    _, objects = example()
    for cluster in objects:
        assert found_in(objects, cluster) == ([], [])


def test_every_control_has_three_mutants_and_names_standards_and_live_tests_that_exist() -> None:
    count = Counter(mutant.control for mutant in MUTANTS)
    assert {control: count[control] for control in CONTROLS if count[control] < 3} == {}
    assert set(count) == set(CONTROLS)
    for control in CATALOG:
        assert control.group in GROUPS and control.group in STANDARDS
        assert control.attack in {"", *(part.name for part in PARTS)}, control.id
