"""`tenantry move`"""

from __future__ import annotations

import click

from tenantry.cli.completion import names
from tenantry.cli.options import Options, common
from tenantry.model.common import ENVIRONMENTS


@click.command("move")
@click.argument("tenant", shell_complete=names("Tenant"))
@click.option("--cell", shell_complete=names("Cell"), help="Begin: move to this cell.")
@click.option("--tier", shell_complete=names("Tier"), help="Begin: move to this tier; cells are proposed.")
@click.option("--cluster", shell_complete=names("Cluster"), help="Begin: move to cells of this cluster.")
@click.option(
    "--environment", type=click.Choice(ENVIRONMENTS), help="Environment for --cell (default: the tenant's first)."
)
@click.option(
    "--keep-source-until", default="", metavar="DATE", help="Begin: how long the source is kept (default: 30 days)."
)
@click.option("--next", "forward", is_flag=True, help="Record that the present step is done, and write the next one.")
@click.option("--by", metavar="WHO", help="With --next: who saw that the present step is done.")
@click.option("--minutes", type=click.IntRange(1), help="With --next: how long the trial copy took.")
@click.option("--back", is_flag=True, help="Go back to where the source serves; from there, give the move up.")
@common
def command(
    options: Options,
    tenant: str,
    forward: bool,
    by: str | None,
    minutes: int | None,
    back: bool,
    keep_source_until: str,
    **wishes: str | None,
) -> None:
    """Move a tenant to another cell, tier or cluster: prepare, copy, compare, freeze, switch, watch, remove.

    Each step is one change of the tenant's file, to be reviewed and merged; the data is copied by a Job, and the source is
    kept until a day. Without an option, it shows where a move is, and what must be true before it goes on.

    \b
      tenantry move acme --cell euw1-shared-b
      tenantry move acme --next --by "A. Person"
      tenantry move acme --back
    """
    options.require_format("move")
    space = options.workspace()
    from tenantry.commands import move

    given = {key: value for key, value in wishes.items() if value}
    if sum((bool(given), forward, back)) > 1:
        raise click.UsageError(
            "a move begins (--cell, --tier, --cluster), goes on (--next) or back (--back): one of these"
        )
    if (by or minutes) and not forward:
        raise click.UsageError("--by and --minutes belong to --next")
    if given:
        if given.keys() == {"environment"}:
            raise click.UsageError("--environment needs --cell")
        answer = move.begin(space, tenant, given, keep_source_until)
    elif forward:
        if not by:
            raise click.UsageError("--next needs --by WHO: somebody who saw that the present step is done")
        answer = move.forward(space, tenant, by, minutes)
    else:
        answer = move.back(space, tenant) if back else move.show(space, tenant)
    options.document(answer)
