"""`tenantry check`"""

from __future__ import annotations

import click

from tenantry.cli.options import Options, common
from tenantry.runtime.workspace import require_fleet


@click.command("check")
@common
def command(options: Options) -> None:
    """Check that inputs are valid and generated trees are up to date.

    Reads tenants/, tiers/, platform/ and policies/, and compares base/, overlays/ and rendered/ with what they should
    contain. Manual edits, stale and unmanaged files are findings. Writes nothing. Run this in CI.
    """
    require_fleet(options.root)
    space = options.workspace()
    from tenantry.commands.check import check

    options.report(check(space))
