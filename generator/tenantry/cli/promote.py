"""`tenantry promote`"""

from __future__ import annotations

import click

from tenantry.cli.completion import names
from tenantry.cli.options import Options, common

_RESULT = click.Choice(["passed", "failed"])


@click.command("promote")
@click.argument("channel", shell_complete=names("Channel"))
@click.argument("release", shell_complete=names("Release"))
@click.option(
    "--record", type=click.Choice(["staging", "production"]), help="Record what was seen of RELEASE there instead."
)
@click.option("--by", metavar="WHO", help="Who looked at it.")
@click.option("--migration", type=_RESULT, help="Result of the migration.")
@click.option("--probes", type=_RESULT, help="Whether the Pods became ready and stayed so.")
@common
def command(
    options: Options,
    channel: str,
    release: str,
    record: str | None,
    by: str | None,
    migration: str | None,
    probes: str | None,
) -> None:
    """Write the next step of a release through a channel: staging, canaries, waves, everybody.

    Each step is one change of the channel's file, to be reviewed and merged. A step is refused until the one before it was
    proved: somebody recorded with --record that migration and probes passed.

    \b
      tenantry promote standard odoo-18.0-20261109
      tenantry promote standard odoo-18.0-20261109 --record staging --by A --migration passed --probes passed
    """
    options.require_format("promote")
    space = options.workspace()
    from tenantry.commands import promote

    results = {"by": by, "migration": migration, "probes": probes}
    given = {key: value for key, value in results.items() if value}
    if record is None:
        if given:
            raise click.UsageError("--by, --migration and --probes belong to --record")
        options.document(promote.promote(space, channel, release))
        return
    missing = [f"--{key}" for key in results if key not in given]
    if missing:
        raise click.UsageError(f"--record needs {', '.join(missing)}")
    options.document(promote.record(space, release, record, given))
