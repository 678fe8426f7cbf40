"""The contracts of images, against what the example fleet asks of them."""

from __future__ import annotations

import re
from typing import Any

import yaml

from conftest import REPOSITORY

IMAGES = REPOSITORY / "images"


def contract(name: str) -> list[list[str]]:
    lines = (IMAGES / name / "contract.txt").read_text().splitlines()
    return [line.split() for line in lines if not line.startswith("#")]


def inputs(kind: str) -> list[dict[str, Any]]:
    """The example fleet's entries of a kind that share a folder with releases."""
    found = [yaml.safe_load(path.read_text()) for path in (REPOSITORY / "platform/releases").glob("*.yaml")]
    return [one["spec"] for one in found if one["kind"] == kind]


def test_the_contract_among_the_inputs_is_the_one_that_is_checked_in_the_image() -> None:
    (series,) = [line[-1] for line in contract("odoo") if line[:2] == ["program", "odoo"]]
    (user,) = [line[1] for line in contract("odoo") if line[0] == "user"]
    (known,) = [spec for spec in inputs("ImageContract") if spec["odooVersion"] == series]
    assert sorted(known["modules"]) == sorted(line[2] for line in contract("odoo") if line[0] == "addon")
    assert f"{known['user']['uid']}:{known['user']['gid']}" == user


def test_a_release_loads_every_own_add_on_of_its_image() -> None:
    """Each of them holds something for every database: sessions, the cookie's flags, the first attachments, metrics."""
    (series,) = [line[-1] for line in contract("odoo") if line[:2] == ["program", "odoo"]]
    own = {path.parent.name for path in (IMAGES / "odoo/addons").glob("*/__manifest__.py")}
    found = [spec for spec in inputs("Release") if spec["odooVersion"] == series]
    assert found
    for spec in found:
        assert own <= set(spec["serverWideModules"]), spec["image"]


def test_odoos_contract_names_the_locked_versions_of_the_add_ons() -> None:
    locked = (IMAGES / "odoo/install/requirements.txt").read_text()
    for name, version in [
        line[2:] for line in contract("odoo") if line[0] == "addon" and line[1].startswith("/usr/local")
    ]:
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
