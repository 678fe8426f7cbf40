"""`tenantry resolve`"""

from __future__ import annotations

import click

from tenantry.cli.options import Options, common
from tenantry.publish.writer import Publisher
from tenantry.runtime.state import fleet_state
from tenantry.runtime.workspace import require_fleet


@click.command("resolve")
@common
def command(options: Options) -> None:
    """Resolve what a merge left in generated trees: render the merged inputs, and stage the result.

    For a merge, rebase, cherry-pick or revert that git stopped, with the merge driver or without. Conflicts in
    other files are findings; nothing is changed until a person resolved them. Commits nothing.
    """
    root = require_fleet(options.root)
    with Publisher(root, fleet_state(root), options.workspace().say) as publisher:
        space = options.workspace()
        from tenantry.commands.resolve import resolve

        result = resolve(space, publisher)
    options.report(result)
