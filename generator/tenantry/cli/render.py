"""`tenantry render`"""

from __future__ import annotations

import click

from tenantry.cli.completion import names
from tenantry.cli.options import Options, common
from tenantry.publish.writer import Publisher
from tenantry.runtime.state import fleet_state
from tenantry.runtime.workspace import require_fleet


@click.command("render")
@click.argument("tenants", nargs=-1, metavar="[TENANT]...", shell_complete=names("Tenant"))
@common
def command(options: Options, tenants: tuple[str, ...]) -> None:
    """Generate base/, overlays/ and rendered/ from the inputs.

    If tenants are named, only their overlays and cells are generated. Nothing is written unless all inputs are valid;
    then everything is written, or nothing. Unchanged files are not touched.
    """
    root = require_fleet(options.root)
    with Publisher(root, fleet_state(root), options.workspace().say) as publisher:
        space = options.workspace()
        from tenantry.commands.render import render

        result = render(space, publisher, tenants)
    options.report(result)
