"""A path that was made for a unit says again what it was made of."""

from __future__ import annotations

import pytest

from tenantry.core import paths
from tenantry.core.paths import UnitPath

UNITS = {
    paths.instance_path("euw1-a", "production", "acme", "app"): UnitPath("euw1-a", "app", "production", "acme"),
    paths.cell_path("euw1-a", "euw1-shared-a"): UnitPath("euw1-a", "cell", cell="euw1-shared-a"),
    paths.platform_path("euw1-a", "common"): UnitPath("euw1-a", "platform"),
    paths.platform_path("euw1-a", "acme-production"): UnitPath("euw1-a", "platform"),
    "": UnitPath("", ""),
    "euw1-a": UnitPath("euw1-a", ""),
    "euw1-a/production": UnitPath("euw1-a", "production", "production"),
}


@pytest.mark.parametrize("unit", UNITS)
def test_a_units_path_is_read(unit: str) -> None:
    assert paths.parse_unit(unit) == UNITS[unit]


@pytest.mark.parametrize("folder", [paths.overlay_folder, paths.rendered_folder, paths.base_folder])
def test_a_files_unit_is_found_in_every_tree(folder: object) -> None:
    unit = paths.instance_path("euw1-a", "staging", "acme", "infra")
    assert callable(folder)
    assert paths.unit_of(f"{folder(unit)}/service.yaml") == unit


def test_the_cluster_of_a_path_is_its_second_part() -> None:
    assert paths.cluster_of("rendered/euw1-a/platform/common/a.yaml") == "euw1-a"
    assert paths.cluster_of("rendered") == ""
