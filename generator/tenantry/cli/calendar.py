"""`tenantry calendar`"""

from __future__ import annotations

import click

from tenantry.cli.options import Options, common


@click.command("calendar")
@click.option(
    "--within",
    "days",
    type=click.IntRange(0, 36500),
    metavar="DAYS",
    help="Only what is over, or will be in so many days.",
)
@common
def command(options: Options, days: int | None) -> None:
    """List what is out of support when, and who is hit: Odoo, PostgreSQL, Kubernetes and the operators that publish it.

    Read from releases, cells, clusters and platform.yaml. Dates are those that upstream publishes, with the page that
    says so; where upstream publishes a rule, the rule stands there. Support that was bought beyond that counts where a release or a cluster says so ('extendedSupport').

    \b
      tenantry calendar
      tenantry calendar --within 90 --as-of 2027-01-15
    """
    options.require_format("calendar")
    from tenantry.commands import calendar

    options.document(calendar.document(options.workspace(), days))
