"""`tenantry fmt`"""

from __future__ import annotations

from pathlib import Path

import click

from tenantry.cli.options import FilePath, Options, common
from tenantry.commands import fmt


@click.command("fmt")
@click.argument("paths", nargs=-1, metavar="[PATHS]...", type=FilePath())
@click.option("--check", is_flag=True, help="Write nothing; report the files that are not in canonical form.")
@common
def command(options: Options, paths: tuple[Path, ...], check: bool) -> None:
    """Bring input files into canonical form.

    Fields stand in the order of the schema, values are quoted only where they must be, and indentation is two spaces.
    Comments, empty lines and values stay. Without PATHS, all input files are formatted.
    """
    options.report(fmt.fmt(options.workspace(), [options.path(path) for path in paths], check=check))
