"""`tenantry schema`"""

from __future__ import annotations

import click

from tenantry.cli.options import Options, common
from tenantry.inputs import schema
from tenantry.report.plan.schema import plan_schema

PLAN = "plan"


@click.command("schema")
@click.argument("kind", type=click.Choice([*schema.KINDS, PLAN], case_sensitive=False))
@common
def command(options: Options, kind: str) -> None:
    """Print the JSON Schema (2020-12) of an input KIND, or of what 'plan --format json' writes.

    Editors with a YAML language server use it to complete and validate files; its descriptions are the reference.
    A schema is JSON in either format.
    """
    options.require_format("schema")
    options.write(plan_schema() if kind == PLAN else schema.schema_text(kind))
