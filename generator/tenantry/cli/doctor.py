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
    answer = doctor.document(doctor.examine(options.workspace()))
    options.document(answer)
    raise SystemExit(0 if answer.ok else 4)
