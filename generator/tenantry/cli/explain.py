"""`tenantry explain`"""

from __future__ import annotations

import click

from tenantry import explain
from tenantry.cli.options import Options, common


@click.command("explain")
@click.argument("subject", metavar="TENANT|INSTANCE|CODE|FILE:LINE")
@common
def command(options: Options, subject: str) -> None:
    """Say where a tenant's values come from, or what a code means.

    \b
      tenantry explain acme              every value of acme's instances, with file and line
      tenantry explain acme-staging      one instance
      tenantry explain F001              what the code of a finding means
      tenantry explain rendered/.../deployment.apps_acme-production_odoo-web.yaml:40   what decided a rendered line
    """
    file, _, line = subject.rpartition(":")
    if file and line.isdigit():
        told = explain.explain_line(options.workspace(), file, int(line))
        options.write(explain.line_to_json(told) if options.format == "json" else explain.line_to_text(told))
        return
    code = explain.explain_code(subject)
    if code is not None:
        options.write(code)
        return
    explanation = explain.explain_tenant(options.workspace(), subject)
    options.write(explain.to_json(explanation) if options.format == "json" else explain.to_text(explanation))
