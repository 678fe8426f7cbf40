"""`tenantry publish`"""

from __future__ import annotations

from pathlib import Path

import click

from tenantry.cli.options import FilePath, Options, common
from tenantry.runtime.workspace import require_fleet


@click.command("publish")
@click.argument("inputs", nargs=-1, metavar="[INPUT]...", type=FilePath())
@click.option("--branch", default="", metavar="NAME", help="Commit on a new branch (default: the current one).")
@click.option("--push", is_flag=True, help="Push the branch; if the remote moved, render again on top of it.")
@click.option("--remote", default="", metavar="NAME", help="Remote to push to (default: the branch's own, or origin).")
@click.option("--message", default="", metavar="TEXT", help="First line of the commit's message.")
@click.option("--dry-run", is_flag=True, help="Show what would be committed; change nothing.")
@click.option("--tree-programs", is_flag=True, help="Let git run hooks and programs that are in the working tree.")
@common
def command(
    options: Options, inputs: tuple[Path, ...], branch: str, push: bool, remote: str, message: str, dry_run: bool, tree_programs: bool
) -> None:  # fmt: skip
    """Render, check, and commit the generated trees with the named inputs.

    Commits base/, overlays/, rendered/ and the files or folders that are named, and nothing else. Any other change
    in the working tree is a finding, and so is a branch that lacks commits of its remote. Without a change, there is
    no commit. Hooks, signing and credentials are those of your git. The message names tenants, and what the trees
    were made with.
    """
    require_fleet(options.root)
    space = options.workspace()
    from tenantry.commands.publish import Order, publish

    paths = [options.path(path) for path in inputs]
    order = Order(paths, branch, push, remote, " ".join(message.split()), dry_run, tree_programs)
    options.report(publish(space, order))
