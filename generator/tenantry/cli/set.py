"""`tenantry set`"""

from __future__ import annotations

import click

from tenantry.cli.completion import names
from tenantry.cli.options import Options, common
from tenantry.commands import set as change


@click.command("set")
@click.argument("entry", shell_complete=names("Tenant"))
@click.argument("changes", nargs=-1, required=True, metavar="FIELD=VALUE...")
@common
def command(options: Options, entry: str, changes: tuple[str, ...]) -> None:
    """Change values of an input file, and leave every other byte as it is.

    ENTRY is named as for 'get'. Lists and mappings are written as JSON; FIELD- removes a field. Nothing is written
    unless the schema accepts the result.

    \b
      tenantry set acme spec.users=120
      tenantry set acme 'spec.residency=["eu-west", "eu-central"]'
      tenantry set acme spec.environments.staging-
    """
    options.require_format("set")
    options.document(change.set_values(options.workspace(), entry, changes))
