"""The next window of an instance: none that a freeze covers, and none that is over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conftest import REPOSITORY
from tenantry.change.windows import next_window
from tenantry.model.tenant import Freeze
from tenantry.plan.inputs import read_inputs
from tenantry.resolve.instance import Instance
from tenantry.runtime.cache import Store

SUNDAY = "2026-11-29"


@pytest.fixture(scope="module")
def acme() -> Instance:
    """Its window: Sundays at 01:00 in Madrid, four hours."""
    return read_inputs(REPOSITORY, SUNDAY, Store()).resolution.instances["acme-production"]


@pytest.mark.parametrize(
    ("since", "opens"),
    [
        ("2026-11-29", "Sun 2026-11-29"),
        ("2026-11-29T00:30:00+00:00", "Sun 2026-11-29"),  # it is open
        ("2026-11-29T04:00:00+00:00", "Sun 2026-12-06"),  # it closed at 05:00 in Madrid
        ("2026-11-29T20:30:00+00:00", "Sun 2026-12-06"),
    ],
)
def test_a_window_that_is_over_is_not_the_next_one(acme: Instance, since: str, opens: str) -> None:
    assert next_window(acme, since) == f"{opens} 01:00 Europe/Madrid, 4 h"


def test_a_freeze_moves_it_and_a_long_one_leaves_none(acme: Instance) -> None:
    def frozen(days: int) -> Instance:
        freeze = Freeze(name="year-end", month=(11,), day=28, days=days)
        return replace(acme, tenant=replace(acme.tenant, freezes=(freeze,)))

    assert next_window(frozen(10), "2026-11-28") == "Sun 2026-12-13 01:00 Europe/Madrid, 4 h"
    assert next_window(frozen(300), "2026-11-28") == "no window within 120 days"
    assert next_window(replace(acme, environment="staging"), "2026-11-28") == "at once"
