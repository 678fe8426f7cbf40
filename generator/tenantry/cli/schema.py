"""`tenantry schema`"""

from __future__ import annotations

import click

from tenantry.cli.options import Options, common
from tenantry.inputs import schema


@click.command("schema")
@click.argument("kind", type=click.Choice(schema.KINDS, case_sensitive=False))
@common
def command(options: Options, kind: str) -> None:
    """Print the JSON Schema (2020-12) of an input KIND.

    Editors with a YAML language server use it to complete and validate files; its descriptions are the reference.
    A schema is JSON in either format.
    """
    options.require_format("schema")
    options.write(schema.schema_text(kind))
