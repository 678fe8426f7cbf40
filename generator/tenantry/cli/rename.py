"""`tenantry rename`"""

from __future__ import annotations

import click

from tenantry.cli.completion import names
from tenantry.cli.options import Options, common


@click.command("rename")
@click.argument("tenant", shell_complete=names("Tenant"))
@click.argument("display_name")
@common
def command(options: Options, tenant: str, display_name: str) -> None:
    """Change the name under which a tenant is shown.

    Its id never changes: databases, buckets, secrets and namespaces are named by it, so a tenant with another id would be a
    new one, and start empty.
    """
    options.require_format("rename")
    from tenantry.commands.lifecycle import rename

    options.document(rename(options.workspace(), tenant, display_name))
