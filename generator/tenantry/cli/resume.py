"""`tenantry resume`"""

from __future__ import annotations

import click

from tenantry.cli.completion import names
from tenantry.cli.options import Options, common
from tenantry.model.common import ENVIRONMENTS


@click.command("resume")
@click.argument("tenant", shell_complete=names("Tenant"))
@click.option("--environment", type=click.Choice(ENVIRONMENTS), default=None, help="Only this environment.")
@common
def command(options: Options, tenant: str, environment: str | None) -> None:
    """Bring a suspended or offboarding tenant back into service."""
    options.require_format("resume")
    from tenantry.commands.lifecycle import resume

    options.document(resume(options.workspace(), tenant, environment or ""))
