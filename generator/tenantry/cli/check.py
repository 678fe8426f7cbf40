"""`tenantry check`"""

from __future__ import annotations

import click

from tenantry.cli.options import Options, common
from tenantry.runtime.workspace import require_fleet


@click.command("check")
@common
def command(options: Options) -> None:
    """Say whether inputs are right and trees are current.

    Reads tenants/, tiers/, platform/ and policies/exceptions/, and compares base/, overlays/ and rendered/ with what
    they give. Hand edits, left-over and foreign files are findings. Writes nothing. This is what CI runs.
    """
    require_fleet(options.root)
    space = options.workspace()
    from tenantry.commands import operations

    options.report(operations.check(space))
