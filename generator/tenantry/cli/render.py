"""`tenantry render`"""

from __future__ import annotations

import click

from tenantry.cli.options import Options, common
from tenantry.publish.writer import Publisher
from tenantry.runtime.state import fleet_state
from tenantry.runtime.workspace import require_fleet


@click.command("render")
@click.argument("tenants", nargs=-1, metavar="[TENANT]...")
@common
def command(options: Options, tenants: tuple[str, ...]) -> None:
    """Make base/, overlays/ and rendered/ from the inputs.

    With tenants named, only their overlays and their cells are made. Nothing is written unless all inputs are right;
    then all of it is, or nothing. Files with equal bytes are left alone.
    """
    root = require_fleet(options.root)
    with Publisher(root, fleet_state(root), options.workspace().say) as publisher:
        space = options.workspace()
        from tenantry.commands import operations

        result = operations.render(space, publisher, tenants)
    options.report(result)
