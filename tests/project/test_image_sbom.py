"""The SBOM of an image says what its file system holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from images import sbom

STATUS = """Package: bash
Status: install ok installed
Architecture: amd64
Version: 5.2.37-2+b5
Description: shell
 of the system

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1

Package: tzdata
Status: install ok installed
Architecture: all
Version: 2026b-0+deb13u1
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A file system with two packages, one that was removed, a distribution and an add-on."""
    files = {
        "etc/os-release": 'ID=debian\nVERSION_CODENAME=trixie\nNAME="Debian GNU/Linux"\n',
        "var/lib/dpkg/status": STATUS,
        "usr/local/lib/python3.13/dist-packages/Some_Thing-1.2.dist-info/METADATA": "Metadata-Version: 2.1\nName: Some_Thing\nVersion: 1.2\n",
        "usr/lib/python3/dist-packages/debians_own-3.dist-info/METADATA": "Metadata-Version: 2.1\nName: debians_own\nVersion: 3\n",
        "mnt/extra-addons/session_cookie/__manifest__.py": '# evaluated\n{"name": "Cookie", "version": "1.0.0"}\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_each_part_is_named_by_where_it_comes_from(root: Path) -> None:
    found = sbom.bill("odoo", root)
    assert [one["purl"] for one in found["components"]] == [
        "pkg:deb/debian/bash@5.2.37-2%2Bb5?arch=amd64&distro=trixie",
        "pkg:deb/debian/tzdata@2026b-0%2Bdeb13u1?arch=all&distro=trixie",
        "pkg:generic/tenantry/session_cookie@1.0.0",
        "pkg:pypi/some-thing@1.2",
    ]
    assert found["metadata"]["component"] == {"type": "container", "bom-ref": "odoo", "name": "odoo"}


def test_it_is_written_the_same_again(root: Path, tmp_path: Path) -> None:
    said = sbom.write("odoo", root, tmp_path / "dist")
    first = (tmp_path / "dist/odoo.cdx.json").read_bytes()
    assert said == "dist/odoo.cdx.json: 2 deb, 1 generic, 1 pypi"
    assert json.loads(first)["specVersion"] == "1.6"
    sbom.write("odoo", root, tmp_path / "dist")
    assert (tmp_path / "dist/odoo.cdx.json").read_bytes() == first
