"""`tenantry init`"""

from __future__ import annotations

from pathlib import Path

import click

from tenantry.cli.options import FilePath, Options, common
from tenantry.commands import scaffold
from tenantry.commands.merge_driver import install_if_in_git
from tenantry.commands.minimal import Provider
from tenantry.report.document import CommandAnswer


@click.command("init")
@click.argument("folder", metavar="DIR", type=FilePath())
@click.option("--minimal", is_flag=True, help="One cluster without DR partner, one cell, one tier, one release.")
@click.option("--domain", metavar="HOST", help="With --minimal: parent domain of tenants' hosts.")
@click.option("--registry", metavar="HOST", help="With --minimal: registry of the images.")
@click.option("--dns-solver", metavar="GROUP/NAME", help="With --minimal: cert-manager's webhook for your DNS.")
@click.option("--git", metavar="URL", help="With --minimal: repository that Argo CD reads.")
@common
def command(options: Options, folder: Path, minimal: bool, **given: str | None) -> None:
    """Create an empty fleet in DIR.

    The fleet has an example platform, a cluster with its DR partner, cells and the three tiers, but no tenant. With
    --minimal it is the smallest one to make your own, and 'tenantry check' lists each placeholder that is left.
    Nothing is overwritten: DIR must be new or empty. In a git repository, the merge driver for generated trees is installed.
    """
    options.require_format("init")
    own = {name: value for name, value in given.items() if value}
    if own and not minimal:
        raise click.UsageError("--domain, --registry, --dns-solver and --git need --minimal")
    if "/" not in own.get("dns_solver", "/"):
        raise click.BadParameter("write it as GROUP/NAME", param_hint="--dns-solver")
    target = options.path(folder)
    files = scaffold.new_fleet(target, Provider(**own) if minimal else None)
    installed = install_if_in_git(target)
    driver = "" if installed else "  git init && tenantry merge-driver --install\n"
    text = (
        f"Created a fleet of {len(files)} files in {target}. Next:\n"
        f"  cd {target}\n{driver}  tenantry new tenant acme --tier shared\n  tenantry render\n  tenantry check\n"
    )
    fields = {"folder": str(target), "files": sorted(map(str, files)), "merge_driver": installed}
    options.document(CommandAnswer("init", text, fields))
