"""`tenantry rollback`"""

from __future__ import annotations

import click

from tenantry.cli.completion import names
from tenantry.cli.options import Options, common


@click.command("rollback")
@click.argument("channel", shell_complete=names("Channel"))
@common
def command(options: Options, channel: str) -> None:
    """Take back a rollout, as far as no database was migrated, and say what to do where one was.

    What is not merged yet is taken out of the channel's file. An older release can't read a database that a newer one
    migrated, so for what was merged the dumps made before are named, and the exit code is 1.
    """
    options.require_format("rollback")
    space = options.workspace()
    from tenantry.commands.promote import rollback

    answer = rollback(space, channel)
    options.document(answer)
    raise SystemExit(0 if answer.ok else 1)
