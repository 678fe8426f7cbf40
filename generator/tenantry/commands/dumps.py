"""`tenantry migrate dump`: what a backup of another system holds, and what stands between it and a tenant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tenantry.change.dumps import Dump, added, not_named, obstacles, read_dump
from tenantry.commands.usable import usable_inputs
from tenantry.core.findings import UsageError
from tenantry.core.suggestions import choices
from tenantry.core.wording import first_few
from tenantry.model.cell import Cell
from tenantry.model.release import Release
from tenantry.report.document import CommandAnswer
from tenantry.report.plain import one_line
from tenantry.runtime.workspace import Workspace

_GIBIBYTE = 1 << 30
_LISTED = 40


def examine(space: Workspace, path: Path, shown: str, release_name: str, cell_name: str) -> CommandAnswer:
    """Compare a backup with a release and the PostgreSQL of a cell; not ok if it can't come like this. Writes nothing.

    Raises UsageError for a file that is not a backup, and for names that do not exist.
    """
    inputs = usable_inputs(space)
    release, cell = inputs.fleet.find(Release, release_name), inputs.fleet.find(Cell, cell_name)
    if release is None:
        raise UsageError(
            f"there is no release '{release_name}'", choices(release_name, inputs.fleet.all(Release), "releases")
        )
    if cell is None:
        raise UsageError(f"there is no cell '{cell_name}'", choices(cell_name, inputs.fleet.all(Cell), "cells"))
    major = (cell.postgresql.major if cell.postgresql else cell.postgresql_major) or 0
    dump = read_dump(path, shown)
    against = list(obstacles(dump, release, major))
    lines = [
        *_contents(dump),
        *(f"NOT LIKE THIS: {why}." for why in against),
        *_modules(dump, release),
        *_trial(shown, dump),
    ]
    text = "".join(f"{one_line(line)}\n" for line in lines)
    fields = {
        "database": dump.database, "odoo": dump.major, "enterprise": dump.enterprise, "postgresql": dump.postgresql,
        "modules": list(dump.modules), "sql_bytes": dump.sql_bytes, "files": dump.files, "file_bytes": dump.file_bytes,
        "obstacles": against, "not_named": list(not_named(dump, release)), "added": list(added(dump, release)),
    }  # fmt: skip
    return CommandAnswer("migrate", text, fields, ok=not against)


def _contents(dump: Dump) -> Iterator[str]:
    edition = "Enterprise" if dump.enterprise else "Community"
    yield f"'{dump.database}': Odoo {dump.major} {edition}, PostgreSQL {dump.postgresql}, {len(dump.modules)} modules."
    yield f"Unpacked: {_size(dump.sql_bytes)} of SQL, {dump.files:,} attachments of {_size(dump.file_bytes)}."


def _modules(dump: Dump, release: Release) -> Iterator[str]:
    missing, more = not_named(dump, release), added(dump, release)
    if missing:
        yield f"Release '{release.name}' does not name {len(missing)} of its modules: {first_few(list(missing), _LISTED)}."
        yield "Those that its image has, as dependencies or otherwise, don't stand in the way. This lists the ones that it lacks:"
        search = f'for module in {" ".join(missing)}; do find / -path "*/$module/__manifest__.py" 2>/dev/null | grep -q . || echo "$module"; done'
        yield f"  podman run --rm --entrypoint /bin/sh {release.image} -c '{search}'"
    if more:
        yield f"The migration installs {first_few(list(more), _LISTED)}."
    if dump.enterprise:
        yield "It is of Odoo Enterprise: the image must be, too, with a subscription for each user."


def _trial(shown: str, dump: Dump) -> Iterator[str]:
    """Commands that try on a server of one's own whether the dump is whole, and how long it takes."""
    yield "Try it on a server of your own first; the time is about that of the real thing:"
    yield f"  createdb --template template0 --encoding UTF8 trial && time unzip -p {_quoted(shown)} dump.sql | psql --quiet --set ON_ERROR_STOP=1 trial"
    yield '  psql trial --command "SELECT count(*) FROM ir_attachment WHERE store_fname IS NOT NULL"'
    yield f"  unzip -l {_quoted(shown)} 'filestore/*' | tail -n 1  # {dump.files:,} files"
    yield "  dropdb trial"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _size(number: int) -> str:
    return f"{number / _GIBIBYTE:.1f} GiB" if number >= _GIBIBYTE else f"{number / (1 << 20):.1f} MiB"
