"""What lies in the generated trees and nothing makes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from tenantry.core.findings import Finding, Place
from tenantry.publish.known import KnownFolders
from tenantry.runtime.listing import Change, is_ours


def left_over(known: KnownFolders, wanted: Collection[str]) -> Iterator[str]:
    """Files of ours in folders that are not among the `wanted` ones."""
    for folder in sorted(known.listing.folders.keys() - known.trusted - set(wanted)):
        for name in known.listing.folders[folder].names:
            if is_ours(known.root / folder / name):
                yield f"{folder}/{name}"


def foreign(known: KnownFolders, wanted: Collection[str], changes: Sequence[Change]) -> Iterator[Finding]:
    """A finding for each file that is not ours, and that no change writes."""
    written = {change.file for change in changes if change.action == "changed"}  # its first line was edited away
    for path in sorted(known.listing.strangers):
        yield _foreign(path, "is a link, a special file, or a folder in a file's place")
    for folder in sorted(known.listing.folders.keys() - known.trusted):
        for name in known.listing.folders[folder].names:
            file = f"{folder}/{name}"
            rewritten = folder in wanted and file in written
            if not rewritten and not is_ours(known.root / file):
                yield _foreign(file, "is not made by tenantry")


def _foreign(file: str, why: str) -> Finding:
    message = f"{why}, so nothing in this tree is touched"
    return Finding("G001", Place(file), message, "move it out of base/, overlays/ and rendered/")
