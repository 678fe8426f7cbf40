"""`tenantry suspend`"""

from __future__ import annotations

import click

from tenantry.cli.completion import names
from tenantry.cli.options import Options, common
from tenantry.model.common import ENVIRONMENTS


@click.command("suspend")
@click.argument("tenant", shell_complete=names("Tenant"))
@click.option("--environment", type=click.Choice(ENVIRONMENTS), default=None, help="Only this environment.")
@common
def command(options: Options, tenant: str, environment: str | None) -> None:
    """Stop a tenant's Pods and close its hosts; data and backups are kept."""
    options.require_format("suspend")
    from tenantry.commands.lifecycle import suspend

    options.document(suspend(options.workspace(), tenant, environment or ""))
