"""`tenantry resolve`: what git left in generated trees, resolved by rendering the merged inputs."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence

from tenantry.commands.render import render
from tenantry.core.findings import Finding, Place, Result, in_order
from tenantry.core.paths import GENERATED_TREES
from tenantry.publish.resolution import InProgress, in_progress, sides, start_from
from tenantry.publish.writer import Publisher
from tenantry.runtime.confined import Confined
from tenantry.runtime.index import put, stages, unmerged
from tenantry.runtime.listing import is_ours
from tenantry.runtime.repository import Repository
from tenantry.runtime.workspace import Workspace


def resolve(space: Workspace, publisher: Publisher) -> Result:
    """Render the trees from the inputs as merged, and stage them. Inputs with conflicts are findings.

    `publisher` has held the fleet's lock since before the trees were listed.
    """
    repository = Repository(space.root)
    fleet = os.path.relpath(os.path.realpath(space.root), repository.top)
    folders = [os.path.normpath(f"{fleet}/{tree}") for tree in GENERATED_TREES]
    going, left = in_progress(repository), unmerged(repository)
    if going is None and not left:
        return Result("resolve", notes=("Nothing to resolve: no merge is in progress.",))
    theirs = list(_to_people(fleet, folders, left))
    if theirs:
        return Result("resolve", in_order(theirs), notes=("Nothing was changed.",))
    _start(repository, folders, going)
    result = dataclasses.replace(render(space, publisher), command="resolve")
    if not result.ok:
        return result
    there = [folder for folder in folders if (repository.top / folder).is_dir()]
    repository.ask("--literal-pathspecs", "add", "--all", "--force", "--", *there, *_gone(repository, folders, there))
    following = f"Next: {going.next_step}." if going else "Next: git commit."
    return dataclasses.replace(result, notes=(*result.notes, f"The generated trees are staged. {following}"))


def _to_people(fleet: str, folders: Sequence[str], left: Sequence[str]) -> Iterator[Finding]:
    for path in left:
        if not path.startswith(tuple(f"{folder}/" for folder in folders)):
            hint = f"edit it, then 'git add {path}' (or 'git rm'), then 'tenantry resolve'"
            yield Finding(
                "G020", Place(os.path.relpath(path, fleet)), "has a merge conflict that is not resolved", hint
            )


def _start(repository: Repository, folders: Sequence[str], going: InProgress | None) -> None:
    """Bring the generated trees to a state without conflicts, in the index and on disk."""
    chosen = dict(start_from(sides(repository, folders, going)))
    wanted = {path: entry for path, entry in chosen.items() if entry is not None}
    known = {path for entries in stages(repository, folders).values() for path in entries}
    gone = (known | chosen.keys()) - wanted.keys()
    put(repository, wanted, gone)
    with Confined(repository.top) as tree:
        for path in sorted(gone):
            if (repository.top / path).is_file() and is_ours(repository.top, path):
                tree.remove(path)


def _gone(repository: Repository, folders: Sequence[str], there: Sequence[str]) -> list[str]:
    """Folders in the index that are not on disk any more."""
    return [folder for folder in folders if folder not in there and any(stages(repository, [folder]).values())]
