"""A renderer of a few lines in place of the real one, for tests of what `publish` and `resolve` do with git.

Each tenant gets a file of its own, and all are in a list that any two changes of tenants conflict in. Runs as a
program too (`python -m fake_renderer publish ...`), so that a test can kill it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tenantry.commands import check as check_command
from tenantry.commands import publish, resolve
from tenantry.commands import render as render_command
from tenantry.commands.run import Run
from tenantry.core.findings import Finding, ObjectChange, ObjectId, Place, Result
from tenantry.publish.writer import Publisher
from tenantry.runtime.listing import Change
from tenantry.runtime.workspace import Workspace

HEADER = "# Made by tenantry from overlays/{}; do not edit.\n"
UNIT = "euw1-a/production/{}/app"
SHARED = "euw1-a/cells/euw1-shared-a"
REPLACED = [
    (publish, "render"), (publish, "check"), (publish, "diff"), (publish, "plan"), (publish, "engine_version"),
    (resolve, "render"), (render_command, "render"), (check_command, "check"),
    (check_command, "check_listed"),
]  # fmt: skip
"""The functions that are replaced: module and name."""


def wanted(root: Path) -> dict[str, str]:
    """The trees that the inputs give."""
    tier = hashlib.sha256((root / "tiers/shared.yaml").read_bytes()).hexdigest()
    users = {
        path.stem: re.findall(r"users: (\d+)", path.read_text()) for path in sorted((root / "tenants").glob("*.yaml"))
    }
    files = {
        f"rendered/{UNIT.format(name)}/service_{name}.yaml": f"{HEADER.format(UNIT.format(name))}users: {found}\ntier: {tier}\n"
        for name, found in users.items()
    }
    members = "".join(f"- {name} {found}\n" for name, found in users.items())
    return {**files, f"rendered/{SHARED}/members.yaml": f"{HEADER.format(SHARED)}total: {len(users)}\n{members}"}


def changes(root: Path) -> Iterator[Change]:
    files = wanted(root)
    there = {str(path.relative_to(root)) for path in (root / "rendered").rglob("*") if path.is_file()}
    for file, text in files.items():
        if file not in there or (root / file).read_text() != text:
            yield Change(file, "changed" if file in there else "added", text.encode())
    for file in sorted(there - files.keys()):
        yield Change(file, "removed")


def render(space: Workspace, publisher: Publisher, tenants: Sequence[str] = (), *, write: bool = True) -> Result:
    conflicts = [path for path in (space.root / "tenants").glob("*.yaml") if "<<<<<<<" in path.read_text()]
    if conflicts:
        return Result("render", tuple(Finding("S014", Place(f"tenants/{path.name}"), "conflict") for path in conflicts))
    for change in list(changes(space.root)):
        publisher.stage(change)
    if write:
        publisher.commit()
    return Result("render", notes=("Rendered.",))


def check(space: Workspace, base: str = "") -> Result:
    return Result("check", tuple(Finding("G003", Place(change.file), "differs") for change in changes(space.root)))


def check_listed(run: Run, base: str = "") -> Result:
    return check(run.space, base)


def diff(root: Path, revision: str, say: object, planned: object = ()) -> Result:
    names = sorted(path.stem for path in (root / "tenants").glob("*.yaml"))
    found = (ObjectChange("changed", ObjectId("", "Service", t, t), t, "euw1-a", "app", UNIT.format(t)) for t in names)
    return Result("diff", changes=tuple(found))


def plan(space: Workspace, compared: object) -> Result:
    return Result("plan")


def engine_version(say: object) -> str:
    return "kustomize v0"


def fleet(root: Path, *tenants: str) -> None:
    """Input files, just enough for this renderer, and the trees."""
    for folder in ("platform", "tiers", "tenants", "policies"):
        (root / folder).mkdir(parents=True)
    (root / "platform/platform.yaml").write_text("metadata: {name: platform}\n")
    (root / "tiers/shared.yaml").write_text(
        "metadata:\n  name: shared\nspec:\n" + "".join(f"  size{i}: 1\n" for i in range(9))
    )
    (root / ".gitignore").write_text("/.tenantry\n")
    for name in tenants:
        tenant(root, name)
    for change in list(changes(root)):
        (root / change.file).parent.mkdir(parents=True, exist_ok=True)
        (root / change.file).write_bytes(change.content or b"")


def tenant(root: Path, name: str, users: int = 24) -> None:
    """Write a tenant's file."""
    text = f"metadata:\n  name: {name}\nspec:\n  tier: shared\n  users: {users}\n  channel: standard\n"
    (root / f"tenants/{name}.yaml").write_text(text)


if __name__ == "__main__":
    from tenantry.cli.main import main

    for module, name in REPLACED:
        setattr(module, name, globals()[name])
    main()
