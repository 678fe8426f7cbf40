"""`tenantry merge-driver`"""

from __future__ import annotations

from pathlib import Path

import click

from tenantry.cli.options import Options, common
from tenantry.commands import merge_driver
from tenantry.core.findings import UsageError
from tenantry.report.plain import one_line
from tenantry.runtime.workspace import require_fleet


@click.command("merge-driver")
@click.argument("files", nargs=-1, metavar="[%O %A %B %P]")
@click.option("--install", is_flag=True, help="Let git in this clone call this installation for files of the fleet.")
@common
def command(options: Options, files: tuple[str, ...], install: bool) -> None:
    """Merge a file of a fleet for git, or install that (--install).

    Git calls it with the ancestor's version (%O), ours (%A), theirs (%B) and the file's path (%P), for files with the
    attribute merge=tenantry. Of a generated file, our side is kept; run 'tenantry render' after the merge. Any other
    file is merged as git does, unless git takes the file of one entry for a renamed one of another: that is a conflict.

    The attribute is in .gitattributes, which 'tenantry init' writes. The program is a setting of each clone.
    """
    if install and not files:
        options.require_format("merge-driver")
        options.document(merge_driver.install(require_fleet(options.root)))
        return
    if install or len(files) != 4:
        raise UsageError("git calls 'merge-driver' with four arguments", "run 'tenantry merge-driver --install'")
    *versions, path = files
    merged = merge_driver.merge_files([Path(file) for file in versions], path)
    if merged.generated and not options.quiet:
        click.echo(one_line(f"tenantry: kept one side of {path}; run 'tenantry render' after the merge"), err=True)
    if merged.renamed:
        names = " and ".join(merged.renamed)
        click.echo(one_line(f"tenantry: {path}: git takes {names} for one renamed file; resolve it yourself"), err=True)
    raise SystemExit(1 if merged.conflicts else 0)
