"""The message of a published commit: what changes, for whom, and what it was made with."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_SUBJECT = 72
_NAMED = 3
"""More tenants than this are counted in the subject; the trailer names all of them."""


@dataclass(frozen=True, slots=True)
class ChangeSummary:
    """What a commit changes. A plan of the change also gives its risk, and who must approve it."""

    counts: Mapping[str, int]
    """Objects by action: added, changed, removed."""
    tenants: tuple[str, ...]
    risk: str = ""
    approvers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a commit was made with and from; `inputs` identifies the content of all input files."""

    version: str
    engine: str
    inputs: str


def subject(summary: ChangeSummary) -> str:
    """The first line, unless the user gives another."""
    if not any(summary.counts.values()):
        return "Publish inputs that change no object"
    names = summary.tenants
    if not names:
        return "Publish changes that affect no tenant"
    line = f"Publish changes of {_listed(names)}"
    return line if len(names) <= _NAMED and len(line) <= _SUBJECT else f"Publish changes of {len(names)} tenants"


def message(first_line: str, summary: ChangeSummary, made: Provenance) -> str:
    """The whole message; facts stand in trailers, which `git interpret-trailers --parse` reads."""
    parts = [f"{count} {action}" for action, count in summary.counts.items() if count]
    body = f"Objects: {', '.join(parts)}." if parts else "No object changes."
    trailers = {
        "Tenantry-Version": made.version,
        "Tenantry-Engine": made.engine,
        "Tenantry-Inputs": made.inputs,
        "Tenantry-Tenants": ", ".join(summary.tenants) or "none",
        "Tenantry-Risk": summary.risk,
        "Tenantry-Approvers": ", ".join(summary.approvers),
    }
    lines = [_trailer(name, value) for name, value in trailers.items() if value]
    return f"{first_line.strip()}\n\n{body}\n\n" + "\n".join(lines) + "\n"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _trailer(name: str, value: str) -> str:
    """A trailer; its further lines are indented, so that git joins them."""
    width = 100
    return "\n".join(
        textwrap.wrap(f"{name}: {' '.join(value.split())}", width, subsequent_indent=" ", break_on_hyphens=False)
    )
