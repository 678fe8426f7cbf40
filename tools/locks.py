"""Says whether the lock files agree with pyproject.toml and with each other; a part of `make lint`, needs neither uv nor a network.

uv.lock is what a reviewer reads. The requirements files are what pip installs from: one line or hash in them that uv.lock
lacks would be installed unseen.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

FILES: Mapping[str, tuple[str, ...]] = {
    "requirements.lock": ("", "dev", "build"),
    "requirements-runtime.lock": ("",),
    "requirements-acceptance.lock": ("", "dev", "build", "acceptance"),
    "requirements-audit.lock": ("audit",),
    "generator/tenantry/engine/requirements-go.lock": ("go",),
}
"""File -> the dependency groups that `make lock` exports to it; "" is what the package needs when it runs."""

Pins = dict[str, frozenset[str]]
"""`name==version` -> digests of its files."""


def complaints(root: Path) -> Iterator[str]:
    """What does not fit in the lock files below a folder; nothing when all are current."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    lock = tomllib.loads((root / "uv.lock").read_text(encoding="utf-8"))["package"]
    own = next(package for package in lock if package["name"] == project["project"]["name"])
    packages = [package for package in lock if package is not own]
    yield from _sources(packages)
    yield from _asked(project, own)
    wanted = {group: _pins(packages, _locked(own, group)) for group in {"", *own["dev-dependencies"]}}
    for file, groups in FILES.items():
        yield from _differences(file, _merged(wanted[group] for group in groups), read(root / file))
    backend = sorted(wanted["build"])
    if project["build-system"]["requires"] != backend:
        yield f"pyproject.toml: build-system.requires has to be {', '.join(backend)}, as uv.lock has the group 'build'"
    extra = project["project"]["optional-dependencies"]["go"]
    if extra != project["dependency-groups"]["go"] or extra != list(wanted["go"]):
        yield "pyproject.toml: the extra 'go' and the group 'go' have to name the one locked version"


def read(file: Path) -> Pins:
    """The pins of a requirements file, its lines split and joined as pip does; any other line stands for itself."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    found: Pins = {}
    for entry in "\n".join(lines).replace("\\\n", " ").splitlines():
        pin = re.fullmatch(
            r"([A-Za-z0-9._-]+==[A-Za-z0-9.!+]+)( ;[^#\\]*?)?((\s+--hash=sha256:[0-9a-f]{64})+)\s*", entry
        )
        if pin and not re.search(r"--(?!hash)", pin[2] or ""):
            found[pin[1]] = frozenset(pin[3].replace("--hash=", "").split())
        elif entry.strip():
            found[entry.strip()] = frozenset()
    return found


def _sources(packages: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    registries = {package["source"].get("registry", "") for package in packages}
    for package in packages:
        if len(registries) > 1 or not package["source"].get("registry"):
            yield f"uv.lock: {package['name']} comes from {package['source']}; all packages come from one registry"


def _asked(project: Mapping[str, Any], own: Mapping[str, Any]) -> Iterator[str]:
    """Requirements of pyproject.toml that are not those that uv.lock was made from."""
    groups = project["dependency-groups"]
    asked = {name: _requirements(_flat(groups, name)) for name in groups}
    asked[""] = _requirements(project["project"]["dependencies"])
    metadata = own["metadata"]
    made = {name: {_entry(item) for item in items} for name, items in metadata["requires-dev"].items()}
    made[""] = {_entry(item) for item in metadata["requires-dist"] if "extra ==" not in item.get("marker", "")}
    for group in sorted(asked.keys() | made.keys()):
        for requirement in sorted(asked.get(group, set()) ^ made.get(group, set())):
            yield f"uv.lock: '{requirement}' of {group or 'the package'} is not as in pyproject.toml; run 'make lock'"


def _flat(groups: Mapping[str, list[Any]], name: str) -> list[str]:
    return [
        text
        for item in groups[name]
        for text in (_flat(groups, item["include-group"]) if isinstance(item, dict) else [item])
    ]


def _requirements(texts: Iterable[str]) -> set[str]:
    parts = (re.match(r"([A-Za-z0-9._-]+)(\[.*\])?(.*)", text) for text in texts)
    return {f"{_normal(part[1])}{part[2] or ''}{part[3].replace(' ', '')}" for part in parts if part}


def _entry(item: Mapping[str, Any]) -> str:
    extras = f"[{','.join(item['extras'])}]" if item.get("extras") else ""
    return f"{item['name']}{extras}{item.get('specifier', '')}"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _locked(own: Mapping[str, Any], group: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = own["dev-dependencies"][group] if group else own["dependencies"]
    return found


def _pins(packages: list[dict[str, Any]], roots: Iterable[Mapping[str, Any]]) -> Pins:
    """Everything that the roots lead to, for all systems and versions of Python."""
    found: Pins = {}
    seen: set[tuple[str, str, str]] = set()
    waiting = list(roots)
    while waiting:
        needed = waiting.pop()
        for package in packages:
            if package["name"] != needed["name"] or needed.get("version", package["version"]) != package["version"]:
                continue
            files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else [])]
            found[f"{package['name']}=={package['version']}"] = frozenset(file["hash"] for file in files)
            parts = {"": package.get("dependencies", ()), **package.get("optional-dependencies", {})}
            for extra in {"", *needed.get("extra", ())}:
                key = (package["name"], package["version"], extra)
                if key not in seen:
                    seen.add(key)
                    waiting += parts.get(extra, ())
    return found


def _merged(parts: Iterable[Pins]) -> Pins:
    return {pin: hashes for part in parts for pin, hashes in part.items()}


def _differences(file: str, wanted: Pins, found: Pins) -> Iterator[str]:
    for pin in sorted(wanted.keys() | found.keys()):
        if pin not in found:
            yield f"{file}: {pin} is missing; run 'make lock'"
        elif pin not in wanted:
            yield f"{file}: '{pin}' is not in uv.lock's part of it; run 'make lock' and look into who put it there"
        elif wanted[pin] != found[pin]:
            yield f"{file}: the hashes of {pin} are not those of uv.lock; run 'make lock' and look into who changed them"


def main() -> int:
    found = list(complaints(ROOT))
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
