"""`tenantry restore`"""

from __future__ import annotations

import click

from tenantry.cli.completion import names
from tenantry.cli.options import Options, common


@click.command("restore")
@click.argument("subject", metavar="TENANT|INSTANCE|CELL", shell_complete=names("Tenant", "Cell"))
@click.option(
    "--to", "target_time", default="", metavar="MOMENT", help="Begin: go back to this moment, as 2026-01-31T12:00:00Z."
)
@click.option("--backup", default="", metavar="ID", help="Begin: go back to this base backup, by its id.")
@click.option("--reason", default="", help="Begin: why, and who asked for it.")
@click.option("--in-place", is_flag=True, help="Begin: instead of the server that serves, not beside it.")
@click.option("--out-of-cell", is_flag=True, help="Begin: take one database out of the cell's restored server.")
@click.option(
    "--source", type=click.IntRange(1), help="Begin: generation whose archive is read (default: the one that serves)."
)
@click.option("--keep-source-until", "keep_until", default="", metavar="DATE", help="Begin: how long what served before is kept (default: 30 days).")  # fmt: skip
@click.option("--next", "forward", is_flag=True, help="Write the next step.")
@click.option("--back", is_flag=True, help="Work on what served before again, as long as it is kept.")
@click.option("--drop", is_flag=True, help="Give the restore up, before anything works on it.")
@common
def command(
    options: Options, subject: str, target_time: str, backup: str, reason: str, in_place: bool,
    out_of_cell: bool, source: int | None,
    keep_until: str, forward: bool, back: bool, drop: bool,
) -> None:  # fmt: skip
    """Restore an own PostgreSQL server, or a cell's, to a moment: recover, switch, done.

    Each step is one change of the file, to be reviewed and merged. The restored server is made beside the one that serves,
    and used by a second change. Without an option, it shows where a restore is, and the commands that tell whether its step
    is done.

    \b
      tenantry restore acme --to 2026-01-31T12:00:00Z --reason "Invoices deleted by an import, ticket 7"
      tenantry restore acme --next
      tenantry restore acme --out-of-cell --reason "Table dropped, ticket 8"
      tenantry restore euw1-shared-a --backup 20260131T013000 --reason "Corrupt index" --in-place
    """
    options.require_format("restore")
    space = options.workspace()
    from tenantry.commands import restore

    begins = bool(target_time or backup or out_of_cell)
    if sum((begins, forward, back, drop)) > 1:
        raise click.UsageError(
            "a restore begins (--to, --backup, --out-of-cell), goes on (--next), back (--back) or is given up (--drop): one of these"
        )
    if begins:
        if not reason:
            raise click.UsageError("--to, --backup and --out-of-cell need --reason WHY")
        wish = restore.Wish(
            reason,
            "database" if out_of_cell else "in-place" if in_place else "beside",
            target_time,
            backup,
            source,
            keep_until,
        )
        answer = restore.begin(space, subject, wish)
    elif reason or in_place or source or keep_until:
        raise click.UsageError(
            "--reason, --in-place, --source and --keep-source-until need --to, --backup or --out-of-cell"
        )
    elif forward:
        answer = restore.forward(space, subject)
    elif back:
        answer = restore.back(space, subject)
    else:
        answer = restore.drop(space, subject) if drop else restore.show(space, subject)
    options.document(answer)
