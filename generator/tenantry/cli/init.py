"""`tenantry init`"""

from __future__ import annotations

from pathlib import Path

import click

from tenantry.cli.options import FilePath, Options, common
from tenantry.commands import scaffold
from tenantry.commands.merge_driver import install_if_in_git
from tenantry.report.document import CommandAnswer


@click.command("init")
@click.argument("folder", metavar="DIR", type=FilePath())
@common
def command(options: Options, folder: Path) -> None:
    """Create an empty fleet in DIR.

    The fleet has an example platform, a cluster with its DR partner, cells and the three tiers, but no tenant. Nothing
    is overwritten: DIR must be new or empty. In a git repository, the merge driver for generated trees is installed.
    """
    options.require_format("init")
    target = options.path(folder)
    files = scaffold.new_fleet(target)
    installed = install_if_in_git(target)
    driver = "" if installed else "  git init && tenantry merge-driver --install\n"
    text = (
        f"Created a fleet of {len(files)} files in {target}. Next:\n"
        f"  cd {target}\n{driver}  tenantry new tenant acme --tier shared\n  tenantry render\n  tenantry check\n"
    )
    fields = {"folder": str(target), "files": sorted(map(str, files)), "merge_driver": installed}
    options.document(CommandAnswer("init", text, fields))
