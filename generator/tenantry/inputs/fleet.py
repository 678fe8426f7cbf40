"""The input files of a fleet, read and validated: one object for all later stages."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from tenantry.core.findings import Finding, Place
from tenantry.core.manifest import mapping
from tenantry.inputs import source
from tenantry.inputs.source import Document
from tenantry.inputs.source_text import hidden_name
from tenantry.model import convert
from tenantry.model.cell import Cell
from tenantry.model.channel import Channel
from tenantry.model.cluster import Cluster
from tenantry.model.control_exception import ControlException
from tenantry.model.image_contract import ImageContract
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
    "ImageContract": ImageContract,
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
    "platform/releases": ("Release", "ImageContract", "Channel"),
    "tiers": ("Tier",),
    "tenants": ("Tenant",),
    "policies/exceptions": ("Exception",),
}
"""Input folders and the kinds allowed in them."""

_NOTHING: Mapping[str, str] = {}
_NOT_INPUT = {"README.md", ".gitkeep"}


@dataclass(frozen=True)
class Fleet:
    """All entries by kind and name. `broken` lists files that exist but are invalid."""

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
        """Entries of a kind by name, without those that have findings."""
        return self.entries[_KIND_OF[cls]]

    def find(self, cls: type[T], name: str) -> T | None:
        """The entry of that name; None if it is missing or has findings."""
        found: T | None = self.entries[_KIND_OF[cls]].get(name)
        return found

    def is_broken(self, cls: type, name: str) -> bool:
        """True when the entry's file exists but has findings, so that a missing entry needs no second one."""
        kind = _KIND_OF[cls]
        return any(f"{folder}/{name}.yaml" in self.broken for folder, kinds in FOLDERS.items() if kind in kinds)

    def place(self, entry: Any, *path: str | int, key: bool = False) -> Place:
        """Line and column of a field of an entry; `path` starts at its `spec`."""
        return self.document(entry).place(("spec", *path), key=key)

    def origin_place(self, origin: Origin) -> Place:
        """Line and column of the input that decided a setting."""
        return self.place(self.entries[origin.kind][origin.name], *origin.path)

    def document(self, entry: Any) -> Document:
        """The document that an entry was read from."""
        return self.documents[_KIND_OF[type(entry)], entry.name]


_KIND_OF = {cls: kind for kind, cls in CLASSES.items()}


def load(root: Path, cache: Store | None = None, more: Mapping[str, str] = _NOTHING) -> tuple[Fleet, list[Finding]]:
    """Read every input file below `root`. Invalid files yield findings and are left out of the fleet.

    `more` are texts of files that don't exist yet, or that are to be read in place of a file's own. Raises UsageError when `root` is not a fleet.
    """
    require_fleet(root)
    cache = cache or Store(None)
    findings: list[Finding] = []
    broken: set[str] = set()
    entries: dict[str, dict[str, Any]] = {kind: {} for kind in CLASSES}
    documents: dict[tuple[str, str], Document] = {}
    there = dict(_input_files(root, findings))
    for file, kinds in {**there, **{file: FOLDERS[file.rpartition("/")[0]] for file in more}}.items():
        document, found = _read(root, file, kinds, cache, more)
        findings += found
        if document is None or found:
            broken.add(file)
            continue
        kind, name = document.data["kind"], document.data["metadata"]["name"]
        documents[kind, name] = document
        entries[kind][name] = convert.build(CLASSES[kind], document.data)
    for file in _policy_files(root, findings):
        policy = _read_policy(root, file)
        if isinstance(policy, list):
            findings += policy
            broken.add(file)
            continue
        document, entry = policy
        if not (root / file).with_name("kyverno-test.yaml").is_file():
            hint = "write kyverno-test.yaml, with objects that pass and objects that fail"
            findings.append(Finding("S030", Place(file), "has no test suite", hint, "warning"))
        documents["Policy", entry.name] = document
        entries["Policy"][entry.name] = entry
    if not os.path.lexists(root / "platform/platform.yaml"):
        findings.append(
            Finding(
                "S001", Place("platform/platform.yaml"), "is missing", "create one with 'tenantry init DIR' and copy it"
            )
        )
    return Fleet(root, entries, documents, frozenset(broken)), findings


def with_texts(
    fleet: Fleet, texts: Mapping[str, str | Finding | None], cache: Store | None = None
) -> tuple[Fleet, list[Finding]]:
    """The fleet with some of its files as in another state: their text, None for a file that is not there, or what is wrong
    with it. Findings are those of these files."""
    cache = cache or Store(None)
    entries = {kind: dict(there) for kind, there in fleet.entries.items()}
    documents = dict(fleet.documents)
    for (kind, name), document in fleet.documents.items():
        if document.file in texts:
            del documents[kind, name], entries[kind][name]
    findings: list[Finding] = []
    broken = set(fleet.broken - texts.keys())
    for file, text in texts.items():
        if text is None or not _is_input(file):
            continue
        found = [text] if isinstance(text, Finding) else _add(file, text, cache, entries, documents)
        findings += found
        broken |= {file} if found else set()
    return Fleet(fleet.root, entries, documents, frozenset(broken)), findings


def _is_input(file: str) -> bool:
    folder, _, name = file.rpartition("/")
    if folder in FOLDERS:
        return name.endswith(".yaml")
    return name == "policy.yaml" and folder.count("/") == 1 and folder.startswith("policies/")


def _add(
    file: str, text: str, cache: Store, entries: dict[str, dict[str, Any]], documents: dict[tuple[str, str], Document]
) -> list[Finding]:
    """Add what a text holds; findings if it is invalid."""
    folder = file.rpartition("/")[0]
    if folder not in FOLDERS:
        policy = _parse_policy(file, text)
        if isinstance(policy, list):
            return policy
        document, entry = policy
        documents["Policy", entry.name], entries["Policy"][entry.name] = document, entry
        return []
    read, found = _parse(file, FOLDERS[folder], cache, text)
    if read is None or found:
        return found
    kind, name = read.data["kind"], read.data["metadata"]["name"]
    documents[kind, name], entries[kind][name] = read, convert.build(CLASSES[kind], read.data)
    return []


def input_files(root: Path) -> list[str]:
    """Every input file below `root` that has a schema, in order; those with a wrong name are left out."""
    return sorted(file for file, _ in _input_files(root, []))


def _input_files(root: Path, findings: list[Finding]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for folder, kinds in FOLDERS.items():
        if not _is_real(root, folder, findings):
            continue
        for file in _names(root, folder, findings):
            path = root / file
            if path.is_symlink() and file not in FOLDERS:
                findings.append(source.linked(file))
                continue
            if file in FOLDERS or path.name in _NOT_INPUT:
                continue
            odd = list(hidden_name(file))
            if odd:
                findings += odd
                continue
            if path.suffix != ".yaml" or path.name.startswith("."):
                message, hint = (
                    "is not an input file and is not read",
                    f"name it NAME.yaml, or move it out of {folder}/",
                )
                findings.append(Finding("S027", Place(file), message, hint))
                continue
            yield file, kinds


def _names(root: Path, folder: str, findings: list[Finding]) -> list[str]:
    """Contents of an input folder, by path below the root."""
    try:
        return sorted(f"{folder}/{name}" for name in os.listdir(root / folder))  # noqa: PTH208 - names only
    except OSError as error:
        findings.append(_unreadable(folder, error))
        return []


def _unreadable(folder: str, error: OSError) -> Finding:
    return Finding("S001", Place(folder), f"can't be read: {error.strerror}", "check its permissions")


def _is_real(root: Path, folder: str, findings: list[Finding]) -> bool:
    """Whether an input folder exists, and neither it nor a parent is a link or a file."""
    around = [str(path) for path in PurePosixPath(folder).parents][-2::-1]
    for path in (*around, folder):
        if (root / path).is_symlink():
            findings.append(source.linked(path))
            return False
        if not (root / path).is_dir():
            if (root / path).exists():
                findings.append(
                    Finding("S001", Place(path), "is not a folder", "input folders can't be links or files")
                )
            return False
    return True


def _policy_files(root: Path, findings: list[Finding]) -> Iterator[str]:
    """policies/<name>/policy.yaml. The test suites next to it are for the Kyverno CLI, but may not be links either."""
    if not _is_real(root, "policies", findings):
        return
    unread = lambda error: findings.append(_unreadable(os.path.relpath(error.filename, root), error))  # noqa: E731
    for path, folders, names in os.walk(root / "policies", onerror=unread):
        folders.sort()
        folder = Path(path).relative_to(root).as_posix()
        if folder == "policies/exceptions":
            continue
        for name in sorted([*folders, *names]):
            file = f"{folder}/{name}"
            if os.path.islink(f"{path}/{name}"):  # noqa: PTH114 - of all that lies there
                findings.append(source.linked(file))
            findings += hidden_name(file)
        policy = f"{folder}/policy.yaml"
        there = ("policy.yaml" in names or "policy.yaml" in folders) and not (root / policy).is_symlink()
        if folder.count("/") == 1 and there and not any(hidden_name(folder)):
            yield policy


def _read_policy(root: Path, file: str) -> tuple[Document, Policy] | list[Finding]:
    text = source.read_text(root, file)
    return [text] if isinstance(text, Finding) else _parse_policy(file, text)


def _parse_policy(file: str, text: str) -> tuple[Document, Policy] | list[Finding]:
    document, found = source.parse(file, text)
    if document is None or found:
        return found
    data = document.data if isinstance(document.data, dict) else {}
    metadata, spec = mapping(data.get("metadata")), mapping(data.get("spec"))
    annotations = {str(key): str(value) for key, value in mapping(metadata.get("annotations")).items()}
    name = file.split("/")[-2]
    if (data.get("apiVersion"), data.get("kind")) != ("policies.kyverno.io/v1", "ValidatingPolicy"):
        wrong: tuple[tuple[str, ...], str, str] = (
            ("kind",),
            f"policy '{name}' is not a ValidatingPolicy of policies.kyverno.io/v1",
            "other kinds are deprecated or not read",
        )
    elif metadata.get("name") != name:
        wrong = (
            ("metadata", "name"),
            f"the policy's name differs from its folder, '{name}'",
            "give both the same name",
        )
    elif CONTROL not in annotations:
        wrong = (
            ("metadata",),
            f"policy '{name}' has no annotation {CONTROL}",
            "name the control that the policy enforces",
        )
    else:
        return document, Policy(name=name, control=annotations[CONTROL], annotations=annotations, spec=spec)
    path, message, hint = wrong
    return [Finding("S028", document.place(path), message, hint)]


def _read(
    root: Path, file: str, kinds: tuple[str, ...], cache: Store, more: Mapping[str, str]
) -> tuple[Document | None, list[Finding]]:
    text = more[file] if file in more else source.read_text(root, file)
    if isinstance(text, Finding):
        return None, [text]
    return _parse(file, kinds, cache, text)


def _parse(file: str, kinds: tuple[str, ...], cache: Store, text: str) -> tuple[Document | None, list[Finding]]:
    key = digest_of(file, text)
    known = cache.get(key)
    if known is not None:
        return Document(file, text.removeprefix("\ufeff"), known), []
    from tenantry.inputs import (
        schema,
    )  # imported late: a third of the start-up time, and not needed when all files are cached

    document, findings = source.parse(file, text)
    if document is None:
        return None, findings
    if any(finding.code == "S012" for finding in findings):
        return None, findings  # other findings would refer to invisible text
    bad_places = frozenset(finding.place for finding in findings)
    findings += schema.validate(document, kinds, bad_places)
    if not findings:
        cache.put(key, document.data)
    return document, findings
