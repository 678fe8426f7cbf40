"""`tenantry offboard`"""

from __future__ import annotations

import click

from tenantry.cli.completion import names
from tenantry.cli.options import Options, common


@click.command("offboard")
@click.argument("tenant", shell_complete=names("Tenant"))
@click.option("--delete-after", required=True, metavar="DATE", help="Last day on which the data is kept (YYYY-MM-DD).")
@click.option("--approver", required=True, help="Who approved that the data is deleted.")
@click.option("--reason", required=True, help="Why the tenant leaves, and where the data was handed over.")
@common
def command(options: Options, tenant: str, delete_after: str, approver: str, reason: str) -> None:
    """Begin to remove a tenant: its application goes, its data is kept until a day that somebody approved.

    The second step is another change: delete the tenant's file after that day. See docs/how-to/remove-a-tenant.md.
    """
    options.require_format("offboard")
    from tenantry.commands.lifecycle import offboard

    options.document(offboard(options.workspace(), tenant, delete_after, approver, reason))
