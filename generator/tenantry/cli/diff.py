"""`tenantry diff`"""

from __future__ import annotations

import click

from tenantry.cli.options import Options, common
from tenantry.runtime.workspace import require_fleet


@click.command("diff")
@click.argument("revision", default="HEAD", metavar="[REVISION]")
@common
def command(options: Options, revision: str) -> None:
    """Show what changes in rendered/ since a commit (default: HEAD), object by object and field by field.

    Objects are compared by identity, list entries by their Kubernetes merge keys; order and formatting are ignored.
    Values of Secrets are hidden. The exit code is 0 even if there are differences.
    """
    options.require_format_of_changes("diff")
    root = require_fleet(options.root)
    space = options.workspace()
    from tenantry.diff import compare

    options.report(compare.diff(root, revision, space.say))
