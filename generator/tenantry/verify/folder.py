"""Reads any folder of plain manifests, whoever made it."""

from __future__ import annotations

import dataclasses
import errno
import os
import re
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tenantry.core.findings import Finding, Place, ToolError
from tenantry.core.manifest import Manifest
from tenantry.engine.kustomize import Engine, ParseProblem
from tenantry.engine.protocol import RequestError

REQUEST_SECONDS = 60.0
"""The time for one request about files of anybody."""
SUFFIXES = (".yaml", ".yml", ".json")
MAX_FILE_BYTES = 16 << 20
"""A cluster takes no object over 1.5 MiB (etcd's limit); sixteen of them in one file are nobody's habit."""
_NOT_MANIFESTS = ("kustomization.yaml", "kustomization.yml", "Kustomization", "kyverno-test.yaml")
GAVE_UP = "what judges it gave up"
_SPLIT = "nothing says that its objects are good; write them smaller, or into files of their own"
_RESTARTS = 3
_NO_FILE = "is a link or no ordinary file"
_CHART = "Chart.yaml"
_OBJECT_KEY = re.compile(r"""(?m)^["']?(?:apiVersion|kind)["']?\s*:|[{,]\s*"(?:apiVersion|kind)"\s*:""")
_ANY_KEY = re.compile(r"""(?m)^["']?[\w.-]+["']?\s*:|^\s*\{""")
_OTHER_FILE = Finding("V002", Place(""), "holds no Kubernetes object, so nothing in it was checked", severity="warning")
"""Values of a chart, settings of another tool: what holds neither apiVersion nor kind is not meant for a cluster."""
_IN_FLIGHT = 8
_BATCH_FILES = 40
_BATCH_CHARACTERS = 1 << 20


@dataclass
class ReadManifests:
    """Objects of a folder, by file name and place, and the files that could not be read."""

    manifests: list[Manifest] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    files: int = 0


def read_folder(engine: Engine, root: Path, inside: str = "") -> ReadManifests:
    """Read every manifest below `root`; places are relative to it. `inside` narrows to a file or folder of it."""
    folder = ReadManifests()
    texts = (
        (file, content)
        for file in _files(root, inside, folder)
        if (content := _content(root, file, folder)) is not None
    )
    _read(engine, folder, texts)
    return folder


def read_texts(engine: Engine, texts: Iterable[tuple[str, str]]) -> ReadManifests:
    """Read manifests that lie in no file: (what to call it, text)."""
    folder = ReadManifests()
    _read(engine, folder, texts)
    return folder


def read_files(engine: Engine, files: Iterable[str], content: Callable[[str], str]) -> list[Manifest]:
    """Objects, without verdicts, of files that were judged before, in their order."""
    folder = ReadManifests()
    _read(engine, folder, ((file, content(file)) for file in files), judged=True)
    return folder.manifests


def _read(engine: Engine, folder: ReadManifests, texts: Iterable[tuple[str, str]], *, judged: bool = False) -> None:
    waiting: deque[tuple[list[str], list[str], Future[Any]]] = deque()
    for batch in _batches(texts):
        files, contents = [file for file, _ in batch], [content for _, content in batch]
        folder.files += len(files)
        waiting.append((files, contents, engine.parse_all(contents, judged=judged)))
        if len(waiting) >= _IN_FLIGHT:
            _take(engine, folder, *waiting.popleft())
    for started in waiting:
        _take(engine, folder, *started)


def _batches(texts: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Files together, up to a number and a size."""
    batch: list[tuple[str, str]] = []
    size = 0
    for file, content in texts:
        batch.append((file, content))
        size += len(content)
        if len(batch) >= _BATCH_FILES or size >= _BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _take(engine: Engine, folder: ReadManifests, files: list[str], contents: list[str], started: Future[Any]) -> None:
    try:
        answers = engine.all_parsed(started, files)
    except ToolError as error:
        revive(engine, error)
        for file, content in zip(files, contents, strict=True):  # one of them, or one that was asked beside them
            _take_one(engine, folder, file, content)
        return
    for file, content, (manifests, problems) in zip(files, contents, answers, strict=True):
        folder.manifests += manifests
        folder.findings += _told(file, content, manifests, problems)


def _take_one(engine: Engine, folder: ReadManifests, file: str, content: str) -> None:
    try:
        ((manifests, problems),) = engine.all_parsed(engine.parse_all([content]), [file])
    except ToolError as error:
        revive(engine, error)
        folder.findings.append(Finding("V024", Place(file), f"{GAVE_UP}: {error.message}", _SPLIT))
        return
    folder.manifests += manifests
    folder.findings += _told(file, content, manifests, problems)


def revive(engine: Engine, error: ToolError) -> None:
    """Start the engine once more if it ended over what it was asked.

    Raises ToolError when that happens again and again, and RequestError for a failure that is no panic of a library.
    """
    if isinstance(error, RequestError) and error.kind != "panic":
        raise error  # nothing that a file could bring about
    if engine.alive:
        return
    if engine.restarts >= _RESTARTS:
        raise ToolError(f"{error.message}, now for the {engine.restarts + 1}th time", "no more of the tree is judged")
    engine.restart()


_CODES = {
    "yaml": ("V001", "the file's objects could not be checked"),
    "object": ("V002", "every document must be an object"),
    "unjudged": ("V024", _SPLIT),
}


def _told(
    file: str, content: str, manifests: Sequence[Manifest], problems: Sequence[ParseProblem]
) -> Iterable[Finding]:
    """What is wrong with a file's documents; of a file that is none of manifests, only that it was not checked."""
    other = _ANY_KEY.search(content) and not _OBJECT_KEY.search(content)
    if problems and not manifests and other and all(problem.kind == "object" for problem in problems):
        return [dataclasses.replace(_OTHER_FILE, place=Place(file, 1))]
    return map(_problem, problems)


def _problem(problem: ParseProblem) -> Finding:
    code, hint = _CODES[problem.kind]
    return Finding(code, problem.place, problem.message, hint)


def _files(root: Path, inside: str, folder: ReadManifests) -> Iterator[str]:
    start = root / inside
    if start.is_file():
        yield inside
        return
    closed: list[OSError] = []
    for path, folders, names in os.walk(start, onerror=closed.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if os.path.islink(f"{path}/{name}"):  # noqa: PTH114 - by the thousand
                folder.findings.append(_unread(os.path.relpath(f"{path}/{name}", root), "is a link to a folder"))
        below = os.path.relpath(path, root)
        if _CHART in names:
            folder.findings.append(_chart(_CHART if below == "." else f"{below}/{_CHART}"))
            folders.clear()
            continue
        for name in sorted(names):
            if name.startswith(".") or name in _NOT_MANIFESTS or not name.endswith(SUFFIXES):
                continue
            yield name if below == "." else f"{below}/{name}"
    for error in closed:
        folder.findings.append(_unread(os.path.relpath(error.filename, root), f"can't be opened: {error.strerror}"))


def _content(root: Path, file: str, folder: ReadManifests) -> str | None:
    try:
        # By the thousand, so without a file object. Opening must neither follow a link nor wait for a pipe's writer.
        descriptor = os.open(f"{root}/{file}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                folder.findings.append(_unread(file, _NO_FILE))
                return None
            content = _all_bytes(descriptor, status.st_size) if status.st_size <= MAX_FILE_BYTES else None
            if content is None:
                folder.findings.append(_too_large(file))
                return None
            return content.decode("utf-8-sig")
        finally:
            os.close(descriptor)
    except UnicodeDecodeError as error:
        message = f"not UTF-8: byte {error.object[error.start]:#04x} at {error.start}"
        folder.findings.append(Finding("V001", Place(file), message, "save the file as UTF-8"))
    except OSError as error:
        link = error.errno == errno.ELOOP
        folder.findings.append(_unread(file, _NO_FILE if link else f"can't be read: {error.strerror}"))
    return None


def _all_bytes(descriptor: int, size: int) -> bytes | None:
    """None when there is more than a file may have: some say that they are empty, and never end."""
    parts, left = [], MAX_FILE_BYTES
    while part := os.read(descriptor, min(size, left) + 1):
        parts.append(part)
        left -= len(part)
        if left < 0:
            return None
    return b"".join(parts)


def _chart(file: str) -> Finding:
    """Templates are text until Helm has filled them in."""
    message = "a Helm chart, so nothing in its folder was checked"
    return Finding("V002", Place(file), message, "check what 'helm template' makes of it", "warning")


def _too_large(file: str) -> Finding:
    limit = MAX_FILE_BYTES >> 20
    return Finding("V003", Place(file), f"the file has over {limit} MiB", "larger ones are not checked; split it")


def _unread(file: str, why: str) -> Finding:
    return Finding("V004", Place(file), f"{why}, so it could not be checked", "put the file itself there")
