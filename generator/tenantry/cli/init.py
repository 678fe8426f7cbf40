"""`tenantry init`"""

from __future__ import annotations

from pathlib import Path

import click

from tenantry.cli.options import FilePath, Options, common
from tenantry.commands import scaffold
from tenantry.report.document import CommandAnswer


@click.command("init")
@click.argument("folder", metavar="DIR", type=FilePath())
@common
def command(options: Options, folder: Path) -> None:
    """Create an empty fleet in DIR.

    The fleet has an example platform, a cluster with its DR partner, cells and the three tiers, but no tenant. Nothing
    is overwritten: DIR must be new or empty.
    """
    options.require_format("init")
    target = options.path(folder)
    files = scaffold.new_fleet(target)
    text = (
        f"Created a fleet of {len(files)} files in {target}. Next:\n"
        f"  cd {target}\n  tenantry new tenant acme --tier shared\n  tenantry render\n  tenantry check\n"
    )
    options.document(CommandAnswer("init", text, {"folder": str(target), "files": sorted(map(str, files))}))
