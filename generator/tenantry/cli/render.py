"""`tenantry render`"""

from __future__ import annotations

import click

from tenantry import operations
from tenantry.cli.options import Options, common


@click.command("render")
@click.argument("tenants", nargs=-1, metavar="[TENANT]...")
@common
def command(options: Options, tenants: tuple[str, ...]) -> None:
    """Make base/, overlays/ and rendered/ from the inputs.

    With tenants named, only their overlays and their cells are made. Nothing is written unless all inputs are right;
    then all of it is, or nothing. Files with equal bytes are left alone.
    """
    options.report(operations.render(options.workspace(), tenants))
