"""`tenantry simulate`"""

from __future__ import annotations

from typing import get_args

import click

from tenantry.cli.options import Options, common
from tenantry.simulate.loss import LossKind


@click.command("simulate")
@click.argument("loss", type=click.Choice(get_args(LossKind)))
@click.argument("name", metavar="NAME")
@common
def command(options: Options, loss: LossKind, name: str) -> None:
    """Say who is hit when a region, a zone or a node is lost, where each instance goes on, in which order, and what is missing.

    Read from rendered/: replicas, what keeps them apart, volumes, replicas at DR sites, copies of backups, and the room
    that cells and node pools have. RPO and RTO of each path are compared with the tier's promise. At the worst: the part
    that is lost holds every primary. Nothing is changed, and nothing is asked of a cluster.

    A zone is named REGION/ZONE, a node by its pool, CLUSTER/POOL; the last part is enough where it is the only one.

    \b
      tenantry simulate region-loss eu-west
      tenantry simulate zone-loss eu-west/a
      tenantry simulate node-loss euw1-a/shared-db --format json
    """
    options.require_format("simulate")
    from tenantry.commands import simulate

    options.document(simulate.document(options.workspace(), loss, name))
