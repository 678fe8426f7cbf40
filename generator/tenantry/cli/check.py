"""`tenantry check`"""

from __future__ import annotations

import click

from tenantry.cli.options import Options, common, fail_on_option
from tenantry.core.paths import GENERATED_TREES
from tenantry.engine.engines import Engines
from tenantry.runtime.workspace import require_fleet


@click.command("check")
@click.option(
    "--base",
    default="",
    metavar="REVISION",
    help="The branch or commit that the change starts from (default: the default branch of this clone).",
)
@fail_on_option
@common
def command(options: Options, base: str, fail_on: str) -> None:
    """Check that inputs are valid and generated trees are up to date.

    Reads tenants/, tiers/, platform/ and policies/, and compares base/, overlays/ and rendered/ with what they should
    contain. Manual edits, stale and unmanaged files are findings. In a git repository, the inputs are also compared with
    those that the change starts from (its common ancestor with --base): data that would be removed or left behind, versions
    that go back, and volumes that shrink are findings. Writes nothing. Run this in CI.
    """
    require_fleet(options.root)
    space = options.workspace()
    with Engines(space.say) as engines:
        listing = engines.begin_listing(space.root, GENERATED_TREES)  # while the rest of the program is loaded
        from tenantry.commands.check import check_listed
        from tenantry.commands.run import Run

        result = check_listed(Run(space, engines, listing), base)
    options.report(result, fail_on)
