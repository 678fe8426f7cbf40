"""Which moves can't be made by steps, and what is said instead; those that a file can show lie in tests/bad."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conftest import REPOSITORY
from tenantry.plan.inputs import read_inputs
from tenantry.plan.moves import impossible
from tenantry.resolve.instance import Instance
from tenantry.runtime.cache import Store


@pytest.fixture(scope="module")
def of() -> dict[str, Instance]:
    return dict(read_inputs(REPOSITORY, "2026-11-26", Store()).resolution.instances)


def test_where_one_place_has_its_dr_site_its_namespace_would_be_there_twice(of: dict[str, Instance]) -> None:
    globex, kestrel = of["globex-eu-production"], of["kestrel-insurance-production"]
    assert globex.standby is not None
    back = replace(kestrel, names=globex.names, site=globex.standby)
    for source, target in ((globex, back), (back, globex)):
        why, hint = impossible(source, target)
        assert why.startswith("in cluster 'euc1-globex' its namespace 'globex-eu-production' would be there twice")
        assert hint == "choose a cluster where neither place has its DR site"


def test_a_replica_is_not_left_behind_at_the_switch(of: dict[str, Instance]) -> None:
    globex = of["globex-eu-production"]
    shared = replace(globex, settings=replace(globex.settings, postgresql=None))
    assert impossible(globex, shared)[0].startswith("its replica at the DR site, cluster 'euc1-globex', would be gone")


def test_what_can_be_copied_is_not_refused(of: dict[str, Instance]) -> None:
    here, there = of["kestrel-insurance-production"], of["meridian-engineering-production"]
    assert impossible(here, replace(here, site=there.site)) == ("", "")
