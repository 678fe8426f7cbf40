"""`tenantry new`"""

from __future__ import annotations

import click

from tenantry.cli.completion import names
from tenantry.cli.options import Options, common
from tenantry.commands import platform_files, scaffold
from tenantry.core.findings import FindingsError
from tenantry.plan.inputs import Inputs, read_inputs
from tenantry.report.document import CommandAnswer


@click.group("new")
def command() -> None:
    """Write a new tenant, cell, cluster, release, channel or exception.

    The file is complete and passes 'tenantry check' after 'tenantry render'; edit it from there.
    """


@command.command()
@click.argument("name")
@click.option("--tier", required=True, shell_complete=names("Tier"), help="Tier of the service catalog.")
@click.option("--display-name", help="Display name of the customer.")
@click.option("--users", type=click.IntRange(1), help="Named users (default: the tier's reference size).")
@click.option(
    "--channel",
    shell_complete=names("Channel"),
    help="Release channel (default: the tier's first that accepts new tenants).",
)
@click.option("--cell", shell_complete=names("Cell"), help="Cell for production (default: the emptiest suitable cell).")
@click.option("--contact", metavar="MAIL", help="Contact responsible for the tenant at the provider.")
@common
def tenant(options: Options, name: str, tier: str, **wishes: str | int | None) -> None:
    """Write tenants/NAME.yaml and propose a cell for it."""
    inputs = _inputs(options)
    file, text = scaffold.new_tenant(inputs.fleet, inputs.resolution, name, tier, **wishes)
    _write(options, inputs, file, text)


@command.command()
@click.argument("name")
@click.option("--cluster", required=True, shell_complete=names("Cluster"), help="Cluster of the cell.")
@click.option("--tier", required=True, shell_complete=names("Tier"), help="Tier whose instances it hosts.")
@common
def cell(options: Options, name: str, cluster: str, tier: str) -> None:
    """Write platform/cells/NAME.yaml, modelled on the tier's first cell."""
    inputs = _inputs(options)
    _write(options, inputs, *scaffold.new_cell(inputs.fleet, name, cluster, tier))


@command.command()
@click.argument("name")
@click.option("--region", required=True, help="Region of the cluster.")
@click.option("--like", help="Cluster whose node pools it gets (default: the first in the region).")
@common
def cluster(options: Options, name: str, region: str, like: str | None) -> None:
    """Write platform/clusters/NAME.yaml, with address ranges that are free and buckets of its own.

    It has no DR partner: partners name each other, so that is a change of two files.
    """
    inputs = _inputs(options)
    _write(options, inputs, *platform_files.new_cluster(inputs.fleet, name, region, like))


@command.command()
@click.argument("name")
@click.option("--image", required=True, help="Image of Odoo, with its digest.")
@click.option("--odoo", required=True, metavar="VERSION", help="Version of Odoo, such as 18.0.")
@click.option("--built", metavar="DATE", help="Day on which the image was built (default: today).")
@click.option("--like", help="Release whose modules it has (default: the last one of this Odoo).")
@common
def release(options: Options, name: str, image: str, odoo: str, built: str | None, like: str | None) -> None:
    """Write platform/releases/NAME.yaml; 'tenantry promote' then brings it to tenants."""
    inputs = _inputs(options)
    day = built or options.workspace().as_of
    _write(options, inputs, *platform_files.new_release(inputs.fleet, name, image, odoo, day, like))


@command.command()
@click.argument("name")
@click.option(
    "--release",
    "runs",
    required=True,
    metavar="RELEASE",
    shell_complete=names("Release"),
    help="Release that every environment runs.",
)
@click.option("--description", required=True, help="Whom it is for.")
@common
def channel(options: Options, name: str, runs: str, description: str) -> None:
    """Write platform/releases/NAME.yaml; tiers list the channels that their tenants may follow."""
    inputs = _inputs(options)
    _write(options, inputs, *platform_files.new_channel(inputs.fleet, name, runs, description))


@command.command()
@click.argument("name")
@click.option("--tenant", required=True, shell_complete=names("Tenant"), help="Tenant that is exempt from the control.")
@click.option("--control", required=True, help="Id of the control, such as EDGE-04.")
@click.option("--reason", required=True, help="Why.")
@click.option("--compensating-control", required=True, help="What reduces the risk in the meantime.")
@click.option("--owner", required=True, metavar="MAIL", help="Who owns the risk.")
@click.option("--approver", required=True, metavar="MAIL", help="Who approved it; not the owner.")
@click.option("--expires", required=True, metavar="DATE", help="Last day on which it is valid (YYYY-MM-DD).")
@common
def exception(options: Options, name: str, tenant: str, **fields: str) -> None:
    """Write policies/exceptions/NAME.yaml."""
    inputs = _inputs(options)
    _write(options, inputs, *scaffold.new_exception(inputs.fleet, name, tenant, **fields))


def _inputs(options: Options) -> Inputs:
    options.require_format("new")
    space = options.workspace()
    inputs = read_inputs(space.root, space.as_of, space.store("documents"))
    if not inputs.fleet.has_platform:
        raise FindingsError(inputs.findings)
    return inputs


def _write(options: Options, inputs: Inputs, file: str, text: str) -> None:
    """Write the file, unless it would break a rule that the fleet complies with now."""
    space = options.workspace()
    if not (space.root / file).exists():
        with_it = read_inputs(space.root, space.as_of, space.store("documents"), {file: text})
        scaffold.must_be_right(file, inputs.findings, with_it.findings)
    scaffold.write_new(space.root, file, text)
    text = f"Wrote {file}. Edit it, then 'tenantry render' and 'tenantry check'.\n"
    options.document(CommandAnswer("new", text, {"files": [file]}))
