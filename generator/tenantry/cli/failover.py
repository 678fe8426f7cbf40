"""`tenantry failover`"""

from __future__ import annotations

import click

from tenantry.cli.completion import names
from tenantry.cli.options import Options, common


@click.command("failover")
@click.argument("tenant", shell_complete=names("Tenant"))
@click.option(
    "--to", shell_complete=names("Cluster"), help="Begin: let this cluster serve, the DR site's or the home again."
)
@click.option("--reason", default="", help="Begin: why, and who decided it.")
@click.option("--lost", is_flag=True, help="Begin: the place that serves is lost, and can't end cleanly.")
@click.option("--next", "forward", is_flag=True, help="Write the next step.")
@click.option("--token", default="", help="With --next after 'demote': the demoted server's status.demotionToken.")
@click.option("--drop", is_flag=True, help="Give the failover up, before the other place was promoted.")
@common
def command(
    options: Options, tenant: str, to: str | None, reason: str, lost: bool, forward: bool, token: str, drop: bool
) -> None:
    """Let the production of a tenant serve at its DR site, or at home again: demote, promote, done; when its place is
    lost: promote, rebuild, done.

    Each step is one change of the tenant's file, to be reviewed and merged. While it lasts, no window holds a sync up. At
    each moment one place writes at most; a place that was lost stays fenced, and gets a new copy by the step 'rebuild'.
    Without an option, it shows where a failover is, and the commands that tell whether its step is done.

    \b
      tenantry failover acme --to euc1-acme --lost --reason "Region eu-west is lost, incident 12"
      tenantry failover acme --to euc1-acme --reason "Yearly exercise"
      tenantry failover acme --next --token TOKEN
      tenantry failover acme
    """
    options.require_format("failover")
    space = options.workspace()
    from tenantry.commands import failover

    if sum((to is not None, forward, drop)) > 1:
        raise click.UsageError("a failover begins (--to), goes on (--next) or is given up (--drop): one of these")
    if (reason or lost) and to is None:
        raise click.UsageError("--reason and --lost need --to CLUSTER")
    if token and not forward:
        raise click.UsageError("--token needs --next")
    if to is not None:
        if not reason:
            raise click.UsageError("--to needs --reason WHY")
        answer = failover.begin(space, tenant, failover.Flight(to, reason, lost))
    elif forward:
        answer = failover.forward(space, tenant, token)
    else:
        answer = failover.drop(space, tenant) if drop else failover.show(space, tenant)
    options.document(answer)
