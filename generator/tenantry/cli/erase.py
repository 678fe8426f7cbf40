"""`tenantry erase`"""

from __future__ import annotations

import click

from tenantry.cli.completion import names
from tenantry.cli.options import Options, common


@click.command("erase")
@click.argument("tenant", shell_complete=names("Tenant"))
@click.option("--begin", is_flag=True, help="Write the step 'erase': databases on shared servers are dropped.")
@click.option("--record", default="", metavar="PLACE", help="Write that a place was erased today (--as-of).")
@click.option("--by", default="", metavar="NAME", help="Who erased it, and looked that it is done; with --record.")
@click.option("--certificate", is_flag=True, help="Certify what was erased; refused until every place is recorded.")
@common
def command(options: Options, tenant: str, begin: bool, record: str, by: str, certificate: bool) -> None:
    """Say where a leaving tenant's data lies, what erases it, until when it can't be, and the commands.

    Nothing is erased by this command. --begin and --record edit the tenant's file; the objects that the file asks for
    drop databases once they are merged, and all else is erased by people.

    \b
      tenantry erase acme
      tenantry erase acme --begin
      tenantry erase acme --record dumps --by "A. Meyer"
      tenantry erase acme --certificate --format markdown --output acme-erased.md
    """
    options.require_format("erase")
    if sum((begin, bool(record), certificate)) > 1:
        raise click.UsageError("--begin, --record and --certificate are taken one at a time")
    if bool(record) != bool(by):
        raise click.UsageError("--record and --by go together")
    from tenantry.commands import erase

    space = options.workspace()
    if begin:
        options.document(erase.begin(space, tenant))
    elif record:
        options.document(erase.record(space, tenant, record, by))
    else:
        options.document(erase.certificate(space, tenant) if certificate else erase.listed(space, tenant))
