"""`tenantry fmt`: input files in canonical form."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from tenantry.core.findings import Finding, MachineError, Place, Result, UsageError, in_order
from tenantry.inputs import source
from tenantry.inputs.fleet import FOLDERS, input_files
from tenantry.inputs.formatting import formatted
from tenantry.runtime.confined import Confined
from tenantry.runtime.workspace import Workspace, require_fleet

_LONGEST = 60


def fmt(space: Workspace, given: Sequence[Path], *, check: bool) -> Result:
    """Format input files (all, or those named or in folders named), or only find those that are not in canonical form.

    A file that can't be read without doubt is reported and left as it is.
    """
    findings: list[Finding] = []
    written: list[str] = []
    files = _chosen(require_fleet(space.root), given)
    for file in files:
        text = source.read_text(space.root, file)
        if isinstance(text, Finding):
            findings.append(text)
            continue
        _, wrong = source.parse(file, text)
        if wrong:
            findings += wrong
            continue
        try:
            result = formatted(file, text)
        except ValueError:
            findings.append(_not_kept(file))
            continue
        if result == text:
            continue
        if check:
            findings.append(_differs(file, text, result))
        else:
            _write(space.root, file, text, result)
            written.append(file)
    counts = {"files": len(files), "files_changed": len(written)}
    return Result("fmt", in_order(findings), counts, tuple(_notes(files, written, findings, check=check)))


def _notes(files: Sequence[str], written: Sequence[str], findings: Sequence[Finding], *, check: bool) -> Iterator[str]:
    for file in written:
        yield f"Formatted {file}."
    if not written and not findings:
        yield f"{len(files)} file{'' if len(files) == 1 else 's'} in canonical form{'' if check else '; nothing to do'}."


def _chosen(root: Path, given: Sequence[Path]) -> list[str]:
    """Input files that are named, or that lie below a named folder. Raises UsageError for what is neither."""
    files = input_files(root)
    chosen: set[str] = set()
    for path in given:
        name = os.path.relpath(path, root)
        found = [file for file in files if name in (file, ".") or file.startswith(f"{name}/")]
        if not found and name not in FOLDERS:
            raise UsageError(f"'{path}' is not an input file", f"they are NAME.yaml in {', '.join(FOLDERS)}")
        chosen.update(found)
    return sorted(chosen) if given else files


def _not_kept(file: str) -> Finding:
    message = "can't be brought into canonical form without losing a comment or changing a value"
    return Finding("S029", Place(file), message, "write it more plainly: no '?' keys, a comment on a line of its own")


def _differs(file: str, text: str, result: str) -> Finding:
    old, new = text.split("\n"), result.split("\n")
    number = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    wanted = new[number].strip() if number < len(new) else ""
    message = (
        f"is not in canonical form: this line would be '{wanted[:_LONGEST]}'" if wanted else "is not in canonical form"
    )
    return Finding("S029", Place(file, min(number, len(old) - 1) + 1, 1), message, "run 'tenantry fmt'")


def _write(root: Path, file: str, text: str, result: str) -> None:
    """Replace the file, unless somebody changed it since it was read."""
    if source.read_text(root, file) != text:
        raise MachineError(f"{file} was changed by another program in the meantime", "run the command again")
    try:
        with Confined(root) as folder:
            folder.replace(file, result.encode())
    except OSError as error:
        raise MachineError(f"{file} can't be written: {error.strerror}", "see permissions and space") from error
