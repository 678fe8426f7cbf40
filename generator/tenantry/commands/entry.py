"""The file of one entry, named on the command line: a tenant, `KIND/NAME`, `platform`, or the file itself."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tenantry.core.findings import Finding, FindingsError, Place, UsageError
from tenantry.core.suggestions import choices
from tenantry.inputs import source
from tenantry.inputs.fleet import FOLDERS, input_files
from tenantry.inputs.shape import Shape, shape_of
from tenantry.inputs.source import Document
from tenantry.runtime.workspace import require_fleet

_FOLDER_OF = {kind: folder for folder, kinds in FOLDERS.items() for kind in kinds}
_KIND_OF = {kind.lower(): kind for kind in _FOLDER_OF}


@dataclass(frozen=True, slots=True)
class EntryFile:
    """An input file as it stands, and what is wrong with it."""

    kind: str
    text: str
    """All of it, a leading byte order mark included."""
    document: Document
    findings: tuple[Finding, ...]

    @property
    def file(self) -> str:
        return self.document.file

    @property
    def shape(self) -> Shape:
        return shape_of(self.kind)


def find(root: Path, subject: str) -> EntryFile:
    """Read the entry's file. Raises UsageError when there is none, FindingsError when its structure can't be read."""
    require_fleet(root)
    kind, file = _named(root, subject)
    if file not in input_files(root):
        folder, name = file.rsplit("/", 1)
        known = [
            one.rsplit("/", 1)[1].removesuffix(".yaml") for one in input_files(root) if one.startswith(f"{folder}/")
        ]
        wanted = name.removesuffix(".yaml")
        hint = _elsewhere(root, wanted) or choices(wanted, known, f"files in {folder}/")
        raise UsageError(f"there is no {kind.lower()} '{wanted}'", hint)
    text = source.read_text(root, file)
    if isinstance(text, Finding):
        raise FindingsError([text])
    document, findings = source.parse(file, text)
    if document is None or not isinstance(document.data, dict):
        raise FindingsError(findings or [Finding("S011", Place(file, 1, 1), "is not a mapping")])
    actual = str(document.data.get("kind"))
    if actual in _FOLDER_OF and actual != kind and kind in FOLDERS[file.rsplit("/", 1)[0]]:
        if "/" in subject and not subject.endswith(".yaml"):
            raise UsageError(f"'{file}' is a {actual.lower()}, not a {kind.lower()}", f"name it {actual.lower()}/NAME")
        kind = actual
    return EntryFile(kind, text, document, tuple(findings))


def _elsewhere(root: Path, name: str) -> str:
    """What an entry of another kind is called on the command line; empty when none has this name."""
    folders = [file.rpartition("/")[0] for file in input_files(root) if file.endswith(f"/{name}.yaml")]
    named = [f"{kind.lower()}/{name}" for folder in folders for kind in FOLDERS[folder]]
    return f"name it {' or '.join(named)}" if named else ""


def _named(root: Path, subject: str) -> tuple[str, str]:
    """Kind and file of what a user named."""
    if subject.endswith(".yaml"):
        file = os.path.relpath(root / subject, root)
        folder = file.rpartition("/")[0]
        if folder not in FOLDERS:
            raise UsageError(f"'{subject}' is not an input file", f"they lie in {', '.join(FOLDERS)}")
        return FOLDERS[folder][0], file
    if subject == "platform":
        return "Platform", "platform/platform.yaml"
    word, slash, name = subject.rpartition("/")
    kind = _KIND_OF.get(word.lower()) if slash else "Tenant"
    if kind is None or not name or "/" in word:
        raise UsageError(f"there is no kind '{word}'", choices(word, _KIND_OF, "kinds"))
    return kind, f"{_FOLDER_OF[kind]}/{name}.yaml"
