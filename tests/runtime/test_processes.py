"""What several processes do is what one would have done, failures included."""

from __future__ import annotations

import os

import pytest

from tenantry.core.findings import Finding, FindingsError, Place, ToolError
from tenantry.runtime.processes import LARGE, beside, side_by_side


def test_each_group_is_answered_once_by_other_processes() -> None:
    answers = list(side_by_side(lambda group: (group, os.getpid()), range(20), lambda _: LARGE))
    assert sorted(group for group, _ in answers) == list(range(20))
    assert os.cpu_count() == 1 or os.getpid() not in {process for _, process in answers}


def test_little_work_stays_in_this_process_and_in_order() -> None:
    answers = list(side_by_side(lambda group: (group, os.getpid()), range(20), lambda _: 1))
    assert answers == [(group, os.getpid()) for group in range(20)]


FAILURES = [
    ToolError("it broke", "mend it"),
    FindingsError([Finding("T001", Place("templates/a", 3, 1), "odd", "mend")]),
]


@pytest.mark.parametrize("failure", FAILURES, ids=["tool", "findings"])
def test_a_failure_elsewhere_is_told_here_with_all_that_it_holds(failure: Exception) -> None:
    def work(_: int = 0) -> None:
        raise failure

    for attempt in (lambda: list(side_by_side(work, [1, 2], lambda _: LARGE)), beside(work)):
        with pytest.raises(type(failure)) as raised:
            attempt()
        assert vars(raised.value) == vars(failure)


def test_a_child_that_dies_costs_only_its_time() -> None:
    here = os.getpid()
    finish = beside(lambda: "done" if os.getpid() == here else os._exit(1))
    assert finish() == "done"
