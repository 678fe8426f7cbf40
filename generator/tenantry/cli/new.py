"""`tenantry new`"""

from __future__ import annotations

import click

from tenantry.cli.options import Options, common
from tenantry.commands import scaffold
from tenantry.core.findings import FindingsError
from tenantry.plan.inputs import Inputs, read_inputs


@click.group("new")
def command() -> None:
    """Write a new tenant, cell or exception.

    The file is complete and passes 'tenantry check' after 'tenantry render'; go on from there in your editor.
    """


@command.command()
@click.argument("name")
@click.option("--tier", required=True, help="Entry of the service catalog.")
@click.option("--display-name", help="Name of the customer as people write it.")
@click.option("--users", type=click.IntRange(1), help="Named users (default: the tier's reference size).")
@click.option("--channel", help="Release channel (default: the tier's first that takes new tenants).")
@click.option("--cell", help="Cell of production (default: the emptiest of the tier that has room).")
@click.option("--contact", metavar="MAIL", help="Who answers for the tenant at the provider.")
@common
def tenant(options: Options, name: str, tier: str, **wishes: str | int | None) -> None:
    """Write tenants/NAME.yaml and propose a cell for it."""
    inputs = _inputs(options)
    file, text = scaffold.new_tenant(inputs.fleet, inputs.resolution, name, tier, **wishes)
    _write(options, inputs, file, text)


@command.command()
@click.argument("name")
@click.option("--cluster", required=True, help="Cluster that the cell is a slice of.")
@click.option("--tier", required=True, help="Tier whose instances it takes.")
@common
def cell(options: Options, name: str, cluster: str, tier: str) -> None:
    """Write platform/cells/NAME.yaml, shaped like the tier's first cell."""
    inputs = _inputs(options)
    _write(options, inputs, *scaffold.new_cell(inputs.fleet, name, cluster, tier))


@command.command()
@click.argument("name")
@click.option("--tenant", required=True, help="Tenant for which the control is lifted.")
@click.option("--control", required=True, help="Id of the control, such as EDGE-04.")
@click.option("--reason", required=True, help="Why.")
@click.option("--compensating-control", required=True, help="What keeps the risk small meanwhile.")
@click.option("--owner", required=True, metavar="MAIL", help="Who owns the risk.")
@click.option("--approver", required=True, metavar="MAIL", help="Who approved it; not the owner.")
@click.option("--expires", required=True, metavar="DATE", help="Last day on which it holds (YYYY-MM-DD).")
@common
def exception(options: Options, name: str, tenant: str, **fields: str) -> None:
    """Write policies/exceptions/NAME.yaml."""
    inputs = _inputs(options)
    _write(options, inputs, *scaffold.new_exception(inputs.fleet, name, tenant, **fields))


def _inputs(options: Options) -> Inputs:
    space = options.workspace()
    inputs = read_inputs(space.root, space.as_of, space.store("documents"))
    if not inputs.fleet.has_platform:
        raise FindingsError(inputs.findings)
    return inputs


def _write(options: Options, inputs: Inputs, file: str, text: str) -> None:
    """Write the file, unless it, or the fleet with it, would break a rule that the fleet keeps now."""
    space = options.workspace()
    if not (space.root / file).exists():
        with_it = read_inputs(space.root, space.as_of, space.store("documents"), {file: text})
        scaffold.must_be_right(file, inputs.findings, with_it.findings)
    scaffold.write_new(space.root, file, text)
    options.write(f"Wrote {file}. Edit it, then 'tenantry render' and 'tenantry check'.\n")
