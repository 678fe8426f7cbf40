"""The input files of a fleet, read and checked: one object for all later stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tenantry.core.findings import Finding, Place
from tenantry.core.manifest import mapping
from tenantry.inputs import source
from tenantry.inputs.source import Document
from tenantry.model import convert
from tenantry.model.cell import Cell
from tenantry.model.channel import Channel
from tenantry.model.cluster import Cluster
from tenantry.model.control_exception import ControlException
from tenantry.model.origin import Origin
from tenantry.model.platform import Platform
from tenantry.model.policy import CONTROL, Policy
from tenantry.model.release import Release
from tenantry.model.tenant import Tenant
from tenantry.model.tier import Tier
from tenantry.runtime.cache import Store, digest_of
from tenantry.runtime.workspace import require_fleet

T = TypeVar("T")

CLASSES: Mapping[str, type] = {
    "Platform": Platform,
    "Cluster": Cluster,
    "Cell": Cell,
    "Release": Release,
    "Channel": Channel,
    "Tier": Tier,
    "Tenant": Tenant,
    "Exception": ControlException,
    "Policy": Policy,
}

FOLDERS: Mapping[str, tuple[str, ...]] = {
    "platform": ("Platform",),
    "platform/clusters": ("Cluster",),
    "platform/cells": ("Cell",),
    "platform/releases": ("Release", "Channel"),
    "tiers": ("Tier",),
    "tenants": ("Tenant",),
    "policies/exceptions": ("Exception",),
}
"""Input folders and the kinds that their files may be of."""

_NOT_INPUT = {"README.md", ".gitkeep"}


@dataclass(frozen=True)
class Fleet:
    """All entries by kind and name. `broken` names files that exist but could not be used."""

    root: Path
    entries: Mapping[str, Mapping[str, Any]]
    documents: Mapping[tuple[str, str], Document] = field(repr=False)
    broken: frozenset[str]

    @property
    def platform(self) -> Platform:
        platform: Platform = self.entries["Platform"]["platform"]
        return platform

    @property
    def has_platform(self) -> bool:
        return "platform" in self.entries["Platform"]

    def all(self, cls: type[T]) -> Mapping[str, T]:
        return self.entries[_KIND_OF[cls]]

    def find(self, cls: type[T], name: str) -> T | None:
        found: T | None = self.entries[_KIND_OF[cls]].get(name)
        return found

    def is_broken(self, cls: type, name: str) -> bool:
        """True when the entry's file exists but has findings, so that its absence needs no second one."""
        kind = _KIND_OF[cls]
        return any(f"{folder}/{name}.yaml" in self.broken for folder, kinds in FOLDERS.items() if kind in kinds)

    def place(self, entry: Any, *path: str | int, key: bool = False) -> Place:
        """Line and column of a field of an entry; `path` is counted from its `spec`."""
        return self.document(entry).place(("spec", *path), key=key)

    def origin_place(self, origin: Origin) -> Place:
        """Line and column of the input that decided a setting."""
        return self.place(self.entries[origin.kind][origin.name], *origin.path)

    def document(self, entry: Any) -> Document:
        return self.documents[_KIND_OF[type(entry)], entry.name]


_KIND_OF = {cls: kind for kind, cls in CLASSES.items()}


def load(root: Path, cache: Store | None = None) -> tuple[Fleet, list[Finding]]:
    """Read every input file below `root`. Broken files give findings and are left out of the fleet.

    Raises TenantryError when `root` is no fleet at all.
    """
    require_fleet(root)
    cache = cache or Store(None)
    findings: list[Finding] = []
    broken: set[str] = set()
    entries: dict[str, dict[str, Any]] = {kind: {} for kind in CLASSES}
    documents: dict[tuple[str, str], Document] = {}
    for file, kinds in _input_files(root, findings):
        document, found = _read(root, file, kinds, cache)
        findings += found
        if document is None or found:
            broken.add(file)
            continue
        kind, name = document.data["kind"], document.data["metadata"]["name"]
        documents[kind, name] = document
        entries[kind][name] = convert.build(CLASSES[kind], document.data)
    for file in _policy_files(root):
        policy = _read_policy(root, file)
        if isinstance(policy, Finding):
            findings.append(policy)
            broken.add(file)
            continue
        document, entry = policy
        documents["Policy", entry.name] = document
        entries["Policy"][entry.name] = entry
    if not (root / "platform/platform.yaml").exists():
        findings.append(
            Finding(
                "S001", Place("platform/platform.yaml"), "is missing", "lay one with 'tenantry init DIR' and copy it"
            )
        )
    return Fleet(root, entries, documents, frozenset(broken)), findings


def _input_files(root: Path, findings: list[Finding]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for folder, kinds in FOLDERS.items():
        directory = root / folder
        if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
            findings.append(Finding("S001", Place(folder), "is not a folder", "input folders are real folders"))
            continue
        if not directory.is_dir():
            continue
        for path in sorted(directory.iterdir()):
            file = f"{folder}/{path.name}"
            if file in FOLDERS or path.name in _NOT_INPUT:
                continue
            if path.suffix != ".yaml" or path.name.startswith("."):
                message, hint = (
                    "is not an input file, and nothing reads it",
                    f"name it NAME.yaml, or move it out of {folder}/",
                )
                findings.append(Finding("S027", Place(file), message, hint))
                continue
            yield file, kinds


def _policy_files(root: Path) -> Iterator[str]:
    """policies/<name>/policy.yaml; the suites beside them are the stock tool's business."""
    for path in sorted((root / "policies").glob("*/policy.yaml")):
        yield path.relative_to(root).as_posix()


def _read_policy(root: Path, file: str) -> tuple[Document, Policy] | Finding:
    text = source.read_text(root, file)
    if isinstance(text, Finding):
        return text
    document, found = source.parse(file, text)
    if document is None or found:
        return found[0]
    data = document.data if isinstance(document.data, dict) else {}
    metadata, spec = mapping(data.get("metadata")), mapping(data.get("spec"))
    annotations = {str(key): str(value) for key, value in mapping(metadata.get("annotations")).items()}
    name = file.split("/")[-2]
    if (data.get("apiVersion"), data.get("kind")) != ("policies.kyverno.io/v1", "ValidatingPolicy"):
        wrong: tuple[tuple[str, ...], str, str] = (
            ("kind",),
            f"policy '{name}' is no ValidatingPolicy of policies.kyverno.io/v1",
            "other kinds are deprecated or not read",
        )
    elif metadata.get("name") != name:
        wrong = (
            ("metadata", "name"),
            f"the policy is called otherwise than its folder, '{name}'",
            "give both one name",
        )
    elif CONTROL not in annotations:
        wrong = (
            ("metadata",),
            f"policy '{name}' has no annotation {CONTROL}",
            "name the control that the policy keeps",
        )
    else:
        return document, Policy(name=name, control=annotations[CONTROL], annotations=annotations, spec=spec)
    path, message, hint = wrong
    return Finding("S028", document.place(path), message, hint)


def _read(root: Path, file: str, kinds: tuple[str, ...], cache: Store) -> tuple[Document | None, list[Finding]]:
    text = source.read_text(root, file)
    if isinstance(text, Finding):
        return None, [text]
    key = digest_of(file, text)
    known = cache.get(key)
    if known is not None:
        return Document(file, text.removeprefix("\ufeff"), known), []
    from tenantry.inputs import schema  # late: a third of the start-up time, and not needed when all files are known

    document, findings = source.parse(file, text)
    if document is None:
        return None, findings
    bad_places = frozenset(finding.place for finding in findings)
    findings += schema.validate(document, kinds, bad_places)
    if not findings:
        cache.put(key, document.data)
    return document, findings
