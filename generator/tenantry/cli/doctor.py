"""`tenantry doctor`"""

from __future__ import annotations

import click

from tenantry.cli.options import Options, common
from tenantry.commands import doctor


@click.command("doctor")
@common
def command(options: Options) -> None:
    """Check that this machine has what tenantry needs: Python, Go, the engine, git, a writable cache, a fleet."""
    options.require_format("doctor")
    examination = doctor.examine(options.workspace())
    options.document(doctor.document(examination))
    raise SystemExit(0 if all(item.ok for item in examination) else 4)
