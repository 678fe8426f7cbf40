"""`tenantry migrate`"""

from __future__ import annotations

from pathlib import Path

import click

from tenantry.cli.completion import names
from tenantry.cli.options import FilePath, Options, common
from tenantry.cli.text_input import named_file


@click.group("migrate")
def command() -> None:
    """Bring customers of other systems in."""


@command.command("plan")
@click.argument("table", type=FilePath(), metavar="FILE")
@click.option("--write", is_flag=True, help="Write the files of the proposed tenants.")
@common
def plan(options: Options, table: Path, write: bool) -> None:
    """Propose a tier and a cell for each customer of a table, with reasons, and the waves in which they come.

    FILE is CSV with the columns name, displayName, users, dataSensitivity, customization, integration, availability,
    obligations (separated by spaces) and databaseGiB. Simple customers come first; a wave takes no more than its window
    has room for. The exit code is 1 if somebody has no place.
    """
    options.require_format("migrate")
    text = named_file(options, table)
    space = options.workspace()
    from tenantry.commands import migrate

    found = migrate.migrate_plan(space, text)
    written = migrate.write_files(space, found) if write else []
    answer = migrate.document(found, written)
    options.document(answer)
    raise SystemExit(0 if answer.ok else 1)


@command.command("dump")
@click.argument("file", type=FilePath(), metavar="FILE")
@click.option("--release", required=True, shell_complete=names("Release"), help="Release that the tenant will run.")
@click.option("--cell", required=True, shell_complete=names("Cell"), help="Cell that it will be in.")
@common
def dump(options: Options, file: Path, release: str, cell: str) -> None:
    """Tell what a backup of Odoo holds, and what the release lacks.

    FILE is the zip archive of Odoo's database manager or of Odoo.sh. Nothing is unpacked or written. The exit code is 1 if
    the backup can't come to that release and cell like this.
    """
    options.require_format("migrate")
    space = options.workspace()
    from tenantry.commands import dumps

    answer = dumps.examine(space, options.path(file), str(file), release, cell)
    options.document(answer)
    raise SystemExit(0 if answer.ok else 1)
