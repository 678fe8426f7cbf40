"""`tenantry runbook`"""

from __future__ import annotations

import click

from tenantry.cli.completion import names, of_incidents
from tenantry.cli.options import Options, common
from tenantry.model.common import ENVIRONMENTS


@click.command("runbook")
@click.argument("tenant", shell_complete=names("Tenant"))
@click.argument("incident", default="", metavar="[INCIDENT]", shell_complete=names(known=of_incidents))
@click.option(
    "--environment", type=click.Choice(ENVIRONMENTS), default=None, help="Environment (default: the tenant's first)."
)
@common
def command(options: Options, tenant: str, incident: str, environment: str | None) -> None:
    """Say what to do about an incident of a tenant: who is called, what is promised, and commands with the real names.

    Without an incident, those that there are are listed. With --format markdown, it is a page.

    \b
      tenantry runbook acme
      tenantry runbook acme database-down
      tenantry runbook acme restore-to-a-moment --format markdown --output restore-acme.md
    """
    options.require_format("runbook")
    from tenantry.commands import runbook

    options.document(runbook.document(options.workspace(), tenant, incident, environment or ""))
