"""Findings: one shape for the problems that all stages report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tenantry.core.assurance import ControlStatement, TenantAssurance

if TYPE_CHECKING:
    from tenantry.core.changes import Plan

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class ObjectId:
    """Identity of a Kubernetes object. `group` is empty for the core group, `namespace` for cluster-scoped kinds."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        kind = f"{self.kind}.{self.group}" if self.group else self.kind
        return f"{kind} {self.namespace}/{self.name}" if self.namespace else f"{kind} {self.name}"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A file below the fleet's root; line and column are 1-based, and 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class RelatedPlace:
    """Another place that explains a finding on a rendered object.

    `role` says what it is: the `input` that decided the value, the `template` that wrote it (a path below the package's
    folder of templates), or the `overlay` by which Kustomize added it.
    """

    role: Literal["input", "template", "overlay"]
    place: Place


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a rendered value is what it is: one sentence, and the places that it names."""

    text: str = ""
    places: tuple[RelatedPlace, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem: a stable code, its place, one sentence, and how to fix it."""

    code: str
    place: Place
    message: str
    hint: str = ""
    severity: Severity = "error"
    tenant: str = ""
    object: ObjectId | None = None
    control: str = ""
    related: tuple[RelatedPlace, ...] = ()

    @property
    def sort_key(self) -> tuple[Place, str, str]:
        return self.place, self.code, self.message


Action = Literal["added", "changed", "removed"]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of an object; None means that the field is absent."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One changed object of the rendered tree. `tenant` is empty for objects of a cell or of the platform; `tree` is
    infra, app, standby, cell or platform; `unit` is the folder below rendered/."""

    action: Action
    object: ObjectId
    tenant: str
    cluster: str
    tree: str
    unit: str
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What a command found and did. Writers turn it into text or JSON; it never prints itself."""

    command: str
    findings: tuple[Finding, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    changes: tuple[ObjectChange, ...] = ()
    alike: tuple[tuple[str, ...], ...] = ()
    """Groups of units in which exactly the same changes."""
    assurances: tuple[TenantAssurance, ...] = ()
    """What was proved, by tenant; empty unless objects were checked against promises."""
    statements: tuple[ControlStatement, ...] = ()
    """What the objects show of each control; empty if they were checked against promises."""
    plan: Plan | None = None
    """What a change of the inputs means."""
    folder: str = ""
    """The fleet's folder below the top of its repository, ending in `/`; empty if it is the top, or there is no repository."""

    @property
    def ok(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sorted by place, code and text, without duplicates."""
    return tuple(sorted(dict.fromkeys(findings), key=lambda finding: finding.sort_key))


class TenantryError(Exception):
    """A failure that ends the run and that the user can fix; `exit_code` is the process's."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class FindingsError(TenantryError):
    """Findings that prevent the next stage from running."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = in_order(findings)
        super().__init__(f"{len(self.findings)} findings")

    def __reduce__(self) -> tuple[type[FindingsError], tuple[tuple[Finding, ...]]]:
        """Survive pickling from another process."""
        return FindingsError, (self.findings,)


class UsageError(TenantryError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class MachineError(TenantryError):
    """A refusal by the machine: no space, no permission, a limit on files or memory."""

    exit_code = 4


class ToolError(TenantryError):
    """An external tool is missing, outdated or broken."""

    exit_code = 4
