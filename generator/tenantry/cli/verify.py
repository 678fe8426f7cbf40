"""`tenantry verify`"""

from __future__ import annotations

from pathlib import Path

import click

from tenantry.cli.options import FilePath, Options, common, fail_on_option
from tenantry.cli.text_input import standard_input
from tenantry.core.findings import Result, UsageError
from tenantry.runtime.workspace import require_fleet

_STDIN = "stdin"
_TYPES = "a folder, a file, or '-' for standard input"


@click.command("verify")
@click.argument("directory_or_file", required=False, type=FilePath(), metavar="[DIR]")
@click.option("--kubernetes", metavar="VERSION", default="", help="Kubernetes version to check against, such as 1.34.")
@fail_on_option
@common
def command(options: Options, directory_or_file: Path | None, kubernetes: str, fail_on: str) -> None:
    """Check plain manifests as the clusters and their operators would: rendered/, or any folder or file.

    Checks schemas of native and custom kinds, the operators' own rules, and references between objects, for each
    cluster's Kubernetes version. In a fleet, every promised control is proved on all clusters together, and Kyverno
    policies check every object; in Markdown or JSON the result is a report for auditors. Only the objects are read, not
    how they were generated. Whatever could not be checked is a finding. With '-', up to 16 MiB of manifests are read
    from standard input.
    """
    if str(directory_or_file) == "-":
        options.report(_standard_input(options, kubernetes), fail_on)
    elif directory_or_file is None:
        target = require_fleet(options.root) / "rendered"
        if target.is_symlink():
            raise UsageError("rendered/ is a link", "name the folder that it points to, if that should be checked")
        _verify(options, target, "rendered", kubernetes, fail_on)
    else:
        _verify(options, options.path(directory_or_file), str(directory_or_file), kubernetes, fail_on)


def _verify(options: Options, given: Path, shown: str, kubernetes: str, fail_on: str) -> None:
    try:
        target = given.resolve(strict=True)  # a path given by the user may be a link
        good = target.is_dir() or target.is_file()
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        hint = f"name {_TYPES}, or run 'tenantry render'"
        raise UsageError(f"{shown} can't be opened: {reason}", hint) from None
    if not good:
        raise UsageError(f"{shown} is neither a folder nor an ordinary file", f"name {_TYPES}")
    space = options.workspace()
    from tenantry.commands.verify import verify

    options.report(verify(space, target, kubernetes, shown), fail_on)


def _standard_input(options: Options, kubernetes: str) -> Result:
    text = standard_input("... | tenantry verify -")
    space = options.workspace()
    from tenantry.commands.verify import verify_text

    return verify_text(space, text, kubernetes, _STDIN)
