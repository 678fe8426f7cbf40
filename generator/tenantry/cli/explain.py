"""`tenantry explain`"""

from __future__ import annotations

import os
from pathlib import Path

import click

from tenantry.cli.completion import codes_and_controls, names
from tenantry.cli.options import Options, common
from tenantry.commands import explain


@click.command("explain")
@click.argument(
    "subject",
    shell_complete=names("Tenant", known=codes_and_controls),
    metavar="TENANT|INSTANCE|CODE|CONTROL|FILE:LINE",
)
@click.option(
    "--objectives", is_flag=True, help="Derive a tenant's RPO, RTO, availability and retention from its objects."
)
@common
def command(options: Options, subject: str, objectives: bool) -> None:
    """Show where a tenant's values come from, how its objectives are derived, or what a code or control means.

    \b
      tenantry explain acme              every value of acme's instances, with file and line
      tenantry explain acme-staging      one instance
      tenantry explain acme --objectives how RPO, RTO and availability are derived from the objects
      tenantry explain F001              what the code of a finding means
      tenantry explain NET-03            what a control requires, and how it is proved
      tenantry explain rendered/.../deployment.apps_acme-production_odoo-web.yaml:40   what decided a rendered line
    """
    options.require_format("explain")
    if objectives:
        derived = explain.explain_objectives(options.workspace(), subject)
        options.document(explain.objectives_document(subject, derived))
        return
    file, _, line = subject.rpartition(":")
    if file and line.isascii() and line.isdigit():
        told = explain.explain_line(options.workspace(), _below(options, file), int(line[:18]))
        options.document(explain.line_document(told))
        return
    code = explain.explain_code(subject)
    if code is not None:
        options.document(code)
        return
    options.document(explain.tenant_document(explain.explain_tenant(options.workspace(), subject)))


def _below(options: Options, file: str) -> str:
    """A file's path relative to the fleet's folder, as in findings, whatever the working directory."""
    root = options.root
    for start in (root, Path.cwd()):
        path = os.path.normpath(start / file)
        if os.path.lexists(path):
            return os.path.relpath(path, root)
    return file
