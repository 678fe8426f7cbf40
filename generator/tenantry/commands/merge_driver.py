"""`tenantry merge-driver`: what git calls to merge a file of a fleet, and how a clone comes to call it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tenantry.core.findings import MachineError, TenantryError
from tenantry.publish.merge_driver import Merged, Versions, merge
from tenantry.report.document import CommandAnswer
from tenantry.runtime import merge_setting
from tenantry.runtime.repository import Repository


def merge_files(files: Sequence[Path], path: str) -> Merged:
    """Merge the files that git prepared (ancestor, ours, theirs); the result replaces ours. Raises MachineError."""
    try:
        base, ours, theirs = (file.read_bytes() for file in files)
        merged = merge(path, Versions(base, ours, theirs))
        if merged.content != ours:
            files[1].write_bytes(merged.content)
    except OSError as error:
        raise MachineError(f"{error.filename} can't be merged: {error.strerror}", "git passes %O %A %B %P") from error
    return merged


def install(root: Path) -> CommandAnswer:
    """Let git call this installation in the clone around a fleet. Raises UsageError outside of a repository."""
    repository = Repository(root)
    merge_setting.install(repository)
    lines = [f"Installed in {repository.top}: git keeps one side of a generated file that two branches changed."]
    lines += ["After a merge, a rebase or a cherry-pick, run 'tenantry render' and commit."]
    asked = merge_setting.is_asked_for(repository, root)
    if not asked:
        lines.append(f"{ATTRIBUTE_HINT[0].upper()}{ATTRIBUTE_HINT[1:]}.")
    fields = {"driver": merge_setting.installed(repository), "attributes": asked}
    return CommandAnswer("merge-driver", "".join(f"{line}\n" for line in lines), fields)


def install_if_in_git(root: Path) -> bool:
    """Install the driver if the folder is in a repository; whether it was."""
    try:
        repository = Repository(root)
    except TenantryError:
        return False
    merge_setting.install(repository)
    return True


ATTRIBUTE_HINT = "add 'rendered/** merge=tenantry' to .gitattributes, and the same for the other folders of the fleet"
