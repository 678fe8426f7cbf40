"""What an image consists of, as CycloneDX JSON: packages of Debian, distributions of PyPI, add-ons of ours.

Read from its file system, so it says what is there. The same image gives the same bytes.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from email.parser import HeaderParser
from importlib.metadata import distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote

_ADDONS = "mnt/extra-addons"


def bill(name: str, root: Path) -> dict[str, Any]:
    """CycloneDX 1.6, for the file system of an image below `root`."""
    components = sorted((*_debian(root), *_python(root), *_addons(root)), key=lambda one: str(one["bom-ref"]))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {"component": {"type": "container", "bom-ref": name, "name": name}}, "components": components,
    }  # fmt: skip


def write(name: str, root: Path, folder: Path) -> str:
    """Write `<name>.cdx.json` into a folder; what is in it, for a person."""
    content = bill(name, root)
    folder.mkdir(exist_ok=True)
    target = folder / f"{name}.cdx.json"
    target.write_text(json.dumps(content, indent=1) + "\n")
    kinds = [str(one["purl"]).partition("/")[0].removeprefix("pkg:") for one in content["components"]]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds)))
    return f"{folder.name}/{target.name}: {counts}"


def _component(kind: str, name: str, version: str, ending: str = "") -> dict[str, Any]:
    purl = f"pkg:{kind}/{quote(name)}@{quote(version)}{ending}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _debian(root: Path) -> Iterator[dict[str, Any]]:
    """By dpkg's own record (deb-control(5), purl-spec: deb)."""
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', (root / "etc/os-release").read_text(), re.MULTILINE))
    for paragraph in (root / "var/lib/dpkg/status").read_text(errors="replace").split("\n\n"):
        fields = HeaderParser().parsestr(paragraph)
        if str(fields["Status"]).endswith(" installed"):
            ending = f"?arch={fields['Architecture']}&distro={release.get('VERSION_CODENAME', 'debian')}"
            yield _component("deb", f"debian/{fields['Package']}", str(fields["Version"]), ending)


def _python(root: Path) -> Iterator[dict[str, Any]]:
    """What pip installed; the rest of Python belongs to packages of Debian."""
    for folder in sorted(root.glob("usr/local/lib/python3*/dist-packages")):
        for one in distributions(path=[str(folder)]):
            name = re.sub(r"[-_.]+", "-", one.metadata["Name"]).lower()
            yield _component("pypi", name, one.version)


def _addons(root: Path) -> Iterator[dict[str, Any]]:
    for manifest in sorted((root / _ADDONS).glob("*/__manifest__.py")):
        yield _component(
            "generic", f"tenantry/{manifest.parent.name}", str(ast.literal_eval(manifest.read_text())["version"])
        )
