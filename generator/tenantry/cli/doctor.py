"""`tenantry doctor`"""

from __future__ import annotations

import click

from tenantry.cli.options import Options, common
from tenantry.commands import doctor


@click.command("doctor")
@common
def command(options: Options) -> None:
    """Check that this machine has what tenantry needs: Python, Go, the engine, git, a writable cache, a fleet."""
    examination = doctor.examine(options.workspace())
    options.write(doctor.to_json(examination) if options.format == "json" else doctor.to_text(examination))
    raise SystemExit(0 if all(item.ok for item in examination) else 4)
