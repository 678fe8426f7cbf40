"""`tenantry verify`"""

from __future__ import annotations

from pathlib import Path

import click

from tenantry.cli.options import Options, common
from tenantry.core.findings import UsageError
from tenantry.runtime.workspace import require_fleet


@click.command("verify")
@click.argument("directory_or_file", required=False, type=click.Path(path_type=Path), metavar="[DIR]")
@click.option("--kubernetes", metavar="VERSION", default="", help="Judge as this Kubernetes would, like 1.34.")
@common
def command(options: Options, directory_or_file: Path | None, kubernetes: str) -> None:
    """Judge plain manifests as the clusters and their operators would: rendered/, or any folder or file.

    Schemas of native and custom kinds, the operators' own rules, references between the objects. Each cluster's folder
    is judged by its Kubernetes version. In a fleet, every control that it promises is proved on all clusters together,
    and Kyverno's policies judge every object; as Markdown or JSON the answer is a report for auditors. Reads the objects
    only, never how they were made. What could not be checked is a finding.
    """
    fleet = options.directory.resolve()
    target = directory_or_file.absolute() if directory_or_file else require_fleet(fleet) / "rendered"
    if not target.exists():
        raise UsageError(
            f"{directory_or_file or 'rendered/'} does not exist", "name a folder of manifests, or run 'tenantry render'"
        )
    space = options.workspace()
    from tenantry.commands import verification

    known = verification.known_fleet(space)
    shown = str(directory_or_file) if directory_or_file else "rendered"
    options.report(verification.verify(target, known, kubernetes, space.say, shown))
