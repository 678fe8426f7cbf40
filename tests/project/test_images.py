"""The contracts of images, against what the example fleet asks of them."""

from __future__ import annotations

import re
from typing import Any

import yaml

from conftest import REPOSITORY

IMAGES = REPOSITORY / "images"
SHIPPED = {"base", "rpc", "web"}
"""Odoo's own among the modules that are loaded for every database."""


def contract(name: str) -> list[list[str]]:
    lines = (IMAGES / name / "contract.txt").read_text().splitlines()
    return [line.split() for line in lines if not line.startswith("#")]


def releases(series: str) -> list[dict[str, Any]]:
    """The example fleet's releases of one series of Odoo."""
    found = (
        yaml.safe_load(path.read_text())["spec"] for path in (REPOSITORY / "platform/releases").glob("odoo-*.yaml")
    )
    return [spec for spec in found if spec["odooVersion"] == series]


def test_odoos_contract_names_every_add_on_that_a_release_of_its_series_loads() -> None:
    (series,) = [line[-1] for line in contract("odoo") if line[:2] == ["program", "odoo"]]
    promised = {line[2] for line in contract("odoo") if line[0] == "addon"}
    asked = [set(spec["serverWideModules"]) | set(spec["storageModules"]) for spec in releases(series)]
    assert asked
    for modules in asked:
        assert modules - SHIPPED <= promised


def test_a_release_loads_every_own_add_on_of_its_image() -> None:
    """Each of them holds something for every database: sessions, the cookie's flags, the first attachments, metrics."""
    (series,) = [line[-1] for line in contract("odoo") if line[:2] == ["program", "odoo"]]
    own = {path.parent.name for path in (IMAGES / "odoo/addons").glob("*/__manifest__.py")}
    for spec in releases(series):
        assert own <= set(spec["serverWideModules"]), spec["image"]


def test_odoos_contract_names_the_locked_versions_of_the_add_ons() -> None:
    locked = (IMAGES / "odoo/install/requirements.txt").read_text()
    for name, version in [line[2:] for line in contract("odoo") if line[0] == "addon" and "dist-packages" in line[1]]:
        found = re.search(rf"^odoo-addon-{name.replace('_', '-')}==(\S+)", locked, re.MULTILINE)
        assert found and found[1].startswith(version), name


def test_own_add_ons_are_in_the_contract() -> None:
    own = {path.parent.name for path in (IMAGES / "odoo/addons").glob("*/__manifest__.py")}
    assert own == {line[2] for line in contract("odoo") if line[0] == "addon" and line[1] == "/mnt/extra-addons"}


def test_every_image_runs_without_root() -> None:
    for path in sorted(IMAGES.glob("*/Dockerfile")):
        last = [line for line in path.read_text().splitlines() if line.startswith("USER ")][-1]
        assert re.fullmatch(r"USER [1-9]\d*:[1-9]\d*", last), path


READERS = {"zstd": "zstandard", "lz4": "lz4", "snappy": "cramjam"}
"""Compression of an archive -> the Python module with which barman's programs read it; without it, they say that WAL ends there."""


def test_the_backup_image_reads_what_the_archives_are_compressed_with() -> None:
    stores = [
        yaml.safe_load(path.read_text())["spec"]["configuration"]
        for path in (REPOSITORY / "rendered").rglob("objectstore.*.yaml")
    ]
    used = {part["compression"] for store in stores for part in (store["wal"], store["data"]) if "compression" in part}
    modules = {line[1] for line in contract("backup") if line[0] == "python"}
    assert used and {READERS[kind] for kind in used - {"gzip", "bzip2"}} <= modules
