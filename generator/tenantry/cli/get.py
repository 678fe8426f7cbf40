"""`tenantry get`"""

from __future__ import annotations

import click

from tenantry.cli.completion import names
from tenantry.cli.options import Options, common
from tenantry.commands import get


@click.command("get")
@click.argument("entry", shell_complete=names("Tenant"))
@click.argument("field", default="")
@common
def command(options: Options, entry: str, field: str) -> None:
    """Show fields of an input file and the lines that set them.

    ENTRY is a tenant, KIND/NAME (such as cell/euw1-shared-a), 'platform', or an input file. FIELD is a path such as
    spec.users or spec.residency[0]; without it, all fields are shown.

    \b
      tenantry get acme spec.users
      tenantry get tier/shared spec.edge
    """
    options.require_format("get")
    options.document(get.get(options.workspace(), entry, field))
