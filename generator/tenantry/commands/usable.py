"""Inputs of a command that can do nothing with a fleet that is not valid."""

from __future__ import annotations

from collections.abc import Iterable

from tenantry.core.findings import FindingsError, UsageError, in_order
from tenantry.core.suggestions import did_you_mean
from tenantry.plan.inputs import Inputs, read_inputs
from tenantry.runtime.workspace import Workspace


def usable_inputs(space: Workspace) -> Inputs:
    """The fleet's inputs. Raises FindingsError with what is wrong with them."""
    inputs = read_inputs(space.root, space.as_of, space.store("documents"))
    if not inputs.usable:
        raise FindingsError(inputs.findings)
    return inputs


def new_errors(space: Workspace, inputs: Inputs, file: str, text: str) -> str:
    """What the rules say of another text of one file that they don't say of `inputs`; an entry a line, empty when nothing."""
    known = {(f.code, f.message) for f in inputs.findings}
    after = read_inputs(space.root, space.as_of, space.store("documents"), {file: text}).findings
    new = in_order(f for f in after if f.severity == "error" and (f.code, f.message) not in known)
    return "\n  ".join(f"{f.place}: {f.code} {f.message}{f' ({f.hint})' if f.hint else ''}" for f in new)


def require_name(name: str, names: Iterable[str], what: str, where: str) -> None:
    """Raises UsageError for a name that a person gave and nothing has; `where` says where such names stand."""
    if name and name not in names:
        raise UsageError(f"'{name}' is not a {what}", did_you_mean(name, names) or where)
