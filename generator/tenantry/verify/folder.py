"""Reads any folder of plain manifests, whoever made it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tenantry.engine import Engine
from tenantry.findings import Finding, Place, ToolError
from tenantry.manifest import Manifest

SUFFIXES = (".yaml", ".yml", ".json")
MAX_FILE_BYTES = 16 << 20
"""A cluster takes no object over 1.5 MiB (etcd's limit); sixteen of them in one file are nobody's habit."""
_NOT_MANIFESTS = ("kustomization.yaml", "kustomization.yml", "Kustomization", "kyverno-test.yaml")
_IN_FLIGHT = 64


@dataclass
class Folder:
    """Objects of a folder, by file name and place, and the files that could not be read."""

    manifests: list[Manifest] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    files: int = 0


def read_folder(engine: Engine, root: Path, inside: str = "") -> Folder:
    """Read every manifest below `root`; places are relative to it. `inside` narrows to a file or folder of it."""
    folder = Folder()
    waiting: list[tuple[str, Future[Any]]] = []
    for file in _files(root, inside, folder):
        content = _content(root, file, folder)
        if content is None:
            continue
        folder.files += 1
        waiting.append((file, engine.parse(content)))
        if len(waiting) >= _IN_FLIGHT:
            _take(engine, folder, *waiting.pop(0))
    for started in waiting:
        _take(engine, folder, *started)
    return folder


def read_files(engine: Engine, files: Iterable[str], content: Callable[[str], str]) -> list[Manifest]:
    """Objects of files that are known to be well-formed, in their order."""
    folder = Folder()
    waiting: list[tuple[str, Future[Any]]] = []
    for file in files:
        waiting.append((file, engine.parse(content(file))))
        if len(waiting) >= _IN_FLIGHT:
            _take(engine, folder, *waiting.pop(0))
    for started in waiting:
        _take(engine, folder, *started)
    return folder.manifests


def _take(engine: Engine, folder: Folder, file: str, started: Future[Any]) -> None:
    try:
        manifests, problems = engine.parsed(started, file)
    except ToolError as error:
        if "panic" not in error.message:
            raise
        problems, manifests = [(Place(file), "the parser gave up on the file")], []
    folder.manifests += manifests
    for place, message in problems:
        code = "V002" if "no Kubernetes object" in message or "metadata.name" in message else "V001"
        hint = "the file's objects could not be checked" if code == "V001" else "every document must be an object"
        folder.findings.append(Finding(code, place, message, hint))


def _files(root: Path, inside: str, folder: Folder) -> Iterator[str]:
    start = root / inside
    if start.is_file():
        yield inside
        return
    for path, folders, names in os.walk(start):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if os.path.islink(f"{path}/{name}"):  # noqa: PTH114 - by the thousand
                folder.findings.append(_unread(root, f"{path}/{name}", "is a link to a folder"))
        for name in sorted(names):
            if name.startswith(".") or name in _NOT_MANIFESTS or not name.endswith(SUFFIXES):
                continue
            yield os.path.relpath(f"{path}/{name}", root)


def _content(root: Path, file: str, folder: Folder) -> str | None:
    path = root / file
    try:
        if path.is_symlink() or not path.is_file():
            folder.findings.append(_unread(root, str(path), "is a link or no ordinary file"))
            return None
        if path.stat().st_size > MAX_FILE_BYTES:
            size = path.stat().st_size >> 20
            folder.findings.append(
                Finding(
                    "V003", Place(file), f"the file has {size} MiB", "files of over 16 MiB are not checked; split it"
                )
            )
            return None
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"not UTF-8: byte {error.object[error.start]:#04x} at {error.start}"
        folder.findings.append(Finding("V001", Place(file), message, "save the file as UTF-8"))
    except OSError as error:
        folder.findings.append(_unread(root, str(path), f"can't be read: {error.strerror}"))
    return None


def _unread(root: Path, path: str, why: str) -> Finding:
    return Finding(
        "V004", Place(os.path.relpath(path, root)), f"{why}, so it could not be checked", "put the file itself there"
    )
