"""`tenantry plan`"""

from __future__ import annotations

import click

from tenantry.cli.options import Options, common
from tenantry.core.findings import UsageError


@click.command("plan")
@click.argument("before", default="", metavar="[BASE]")
@click.argument("after", default="", metavar="[HEAD]")
@click.option("--prove", is_flag=True, help="Also prove the controls of the clusters that are touched, in both states.")
@common
def command(options: Options, before: str, after: str, *, prove: bool) -> None:
    """Show what a change of the inputs means: for whom, at what risk and cost, in which order, and who must agree.

    Compares the inputs of two states; nothing has to be rendered, and nothing is written.

    \b
      tenantry plan                    the working tree with its common ancestor with the default branch
      tenantry plan release-1          the same with another branch, tag or commit
      tenantry plan main...feature     two revisions: what feature changes since it left main
      tenantry plan ./before ./after   two folders

    With --prove, all objects of the clusters that are touched are built and proved before and after, as 'check' does
    for the working tree: the plan then says which controls are breached, for whom.

    The exit code is 1 if the inputs are invalid, or if the change must not be made: data that would be removed or left
    behind, versions that go back, volumes that shrink.
    """
    base, dots, head = before.partition("...")
    if dots:
        if after:
            raise UsageError(f"'{before}' names both revisions already", f"leave out '{after}'")
        before, after = base, head or "HEAD"
    space = options.workspace()
    from tenantry.commands.plan import Compared, plan

    options.report(plan(space, Compared(before, after, prove)))
