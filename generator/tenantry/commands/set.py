"""`tenantry set`: values of an entry changed, with every other byte of its file as it was."""

from __future__ import annotations

import copy
import errno
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tenantry.commands import entry
from tenantry.commands.entry import EntryFile
from tenantry.core.findings import Finding, MachineError, UsageError, in_order
from tenantry.inputs import edits, paths, schema, source
from tenantry.inputs.fleet import FOLDERS
from tenantry.inputs.scalars import flow_of
from tenantry.inputs.shape import Shape
from tenantry.inputs.source import Path_
from tenantry.plan.inputs import read_inputs
from tenantry.report.document import CommandAnswer
from tenantry.report.plain import one_line
from tenantry.runtime.confined import Confined
from tenantry.runtime.workspace import Workspace

_GONE = object()
_FORMS = "write FIELD=VALUE, or FIELD- to remove it"


def set_values(space: Workspace, subject: str, changes: Sequence[str]) -> CommandAnswer:
    """Change fields of one file. Raises UsageError, and writes nothing, when its schema would not accept the result.

    What the rules of the fleet say about it is reported but does not prevent it: a change may take more than one file.
    """
    found = entry.find(space.root, subject)
    text, done = found.text, []
    for change in changes:
        path, value = _parsed(found.shape, change)
        before = _value_at(source.parse(found.file, text)[0], path)
        text = _edited(found, text, path, value)
        done.append({"path": paths.shown(path), "before": _json(before), "after": _json(value)})
    if text == found.text:
        return CommandAnswer("set", f"{found.file} says so already.\n", {"file": found.file, "changes": []})
    _must_be_valid(found, text)
    later = _new_findings(space, found, text)
    _write(space.root, found, text)
    return CommandAnswer("set", _text(found.file, done, later), {
        "file": found.file, "changes": done,
        "findings": [{"code": f.code, "place": str(f.place), "message": f.message, "hint": f.hint} for f in later],
    })  # fmt: skip


def _parsed(shape: Shape, change: str) -> tuple[Path_, Any]:
    name, equals, value = change.partition("=")
    if not equals:
        if not name.endswith("-") or name == "-":
            raise UsageError(f"'{change}' has no value", _FORMS)
        name = name[:-1]
    path = paths.parse(name)
    if not path:
        raise UsageError(f"'{change}' names no field", _FORMS)
    if path in (("metadata", "name"), ("metadata",), ("kind",), ("apiVersion",)):
        raise UsageError(f"'{paths.shown(path)}' says what the file is and is not changed by 'set'", "write a new file")
    here = paths.must_exist(shape, path) if equals else None
    return path, _value(here, paths.shown(path), value) if here else _GONE


def _value(shape: Shape, name: str, text: str) -> Any:
    """Text is taken as it is; anything else, and text in double quotes, is read as JSON, or as YAML on one line."""
    if shape.type == "string" and not (len(text) > 1 and text[0] == text[-1] == '"'):
        return text
    document, findings = source.parse("value", f"- {text}\n") if "\n" not in text else (None, [])
    if document is None or findings or len(document.data) != 1:
        reason = f": {findings[0].message}" if findings else ""
        raise UsageError(f"the value for '{name}' can't be read{reason}", _example(shape))
    return document.data[0]


def _example(shape: Shape) -> str:
    return {
        "array": """write a list as JSON: '["a", "b"]'""",
        "object": """write a mapping as JSON: '{"name": "value"}'""",
    }.get(shape.type, "write a number, true, false, or text in double quotes")


def _edited(found: EntryFile, text: str, path: Path_, value: Any) -> str:
    """The text with one change. Raises UsageError when the place is not there or the change can't be made in place."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    body = text.removeprefix(mark)
    name = paths.shown(path)
    document, _ = source.parse(found.file, body)
    assert document is not None
    try:
        result = edits.without(body, path) if value is _GONE else edits.with_value(body, found.shape, path, value)
    except edits.EditError as error:
        there = paths.shown(error.path) or found.file
        raise UsageError(
            f"'{name}' is not set in {found.file}", f"'{there}' has no such entry; see 'tenantry get'"
        ) from None
    again, _ = source.parse(found.file, result)
    if again is None or again.data != _changed(document.data, path, value):
        raise UsageError(f"'{name}' can't be changed in place", f"change {found.file} in an editor")
    return mark + result


def _changed(data: Any, path: Path_, value: Any) -> Any:
    """Plain data with the same change, to compare with."""
    data = copy.deepcopy(data)
    here: Any = data
    step: Any
    for step, following in itertools.pairwise(path):
        if isinstance(here, list) and step == len(here):
            here.append(None)
        inner = here.get(step) if isinstance(here, dict) else here[step]
        if inner is None:
            inner = [] if isinstance(following, int) else {}
        here[step] = inner
        here = inner
    if value is _GONE:
        del here[path[-1]]
    elif isinstance(here, list) and path[-1] == len(here):
        here.append(value)
    else:
        here[path[-1]] = value
    return data


def _must_be_valid(found: EntryFile, text: str) -> None:
    """Raise UsageError for findings in the file that were not there before."""
    known = {(f.code, f.message) for f in _findings(found.file, found.text)}
    new = [f for f in _findings(found.file, text) if (f.code, f.message) not in known]
    if new:
        raise UsageError(f"{found.file} was not changed, for it would not be right:", _listed(in_order(new)))


def _findings(file: str, text: str) -> list[Finding]:
    document, findings = source.parse(file, text)
    if document is None:
        return findings
    bad = frozenset(finding.place for finding in findings)
    return findings + schema.validate(document, FOLDERS[file.rpartition("/")[0]], bad)


def _new_findings(space: Workspace, found: EntryFile, text: str) -> tuple[Finding, ...]:
    """What the fleet's rules say after the change and did not say before."""
    store = space.store("documents")
    known = {(f.code, f.message) for f in read_inputs(space.root, space.as_of, store).findings}
    after = read_inputs(space.root, space.as_of, store, {found.file: text}).findings
    return in_order(f for f in after if (f.code, f.message) not in known)


def _write(root: Path, found: EntryFile, text: str) -> None:
    """Replace the file, unless somebody changed it since it was read."""
    if source.read_text(root, found.file) != found.text:
        raise MachineError(f"{found.file} was changed by another program in the meantime", "run the command again")
    try:
        with Confined(root) as folder:
            folder.replace(found.file, text.encode())
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise UsageError(f"{found.file} is a link", "input files and folders are real ones") from error
        raise MachineError(f"{found.file} can't be written: {error.strerror}", "see permissions and space") from error


def _value_at(document: source.Document | None, path: Path_) -> Any:
    here: Any = document.data if document else None
    for step in path:
        inside = (isinstance(here, dict) and step in here) or (
            isinstance(here, list) and isinstance(step, int) and step < len(here)
        )
        if not inside:
            return _GONE
        here = here[step]
    return here


def _shown(value: Any) -> str:
    return "nothing" if value is None else flow_of(value)


def _json(value: Any) -> Any:
    return None if value is _GONE else value


def _listed(findings: Sequence[Finding]) -> str:
    return "\n  ".join(f"{f.place}: {f.code} {f.message}{f' ({f.hint})' if f.hint else ''}" for f in findings)


def _text(file: str, done: Sequence[dict[str, Any]], later: Sequence[Finding]) -> str:
    lines = [one_line(f"{file}: {one['path']} was {_shown(one['before'])}, is {_shown(one['after'])}") for one in done]
    if later:
        lines += ["'tenantry check' now also says:", *(f"  {line}" for line in _listed(later).split("\n  "))]
    return "\n".join(lines) + "\n"
