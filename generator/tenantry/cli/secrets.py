"""`tenantry secrets`"""

from __future__ import annotations

from pathlib import Path

import click

from tenantry.cli.completion import names
from tenantry.cli.options import FilePath, Options, common
from tenantry.cli.text_input import named_file, standard_input
from tenantry.commands import bucket_policies as policies
from tenantry.commands import grants as granted
from tenantry.commands import rotation as rotated
from tenantry.commands import secrets
from tenantry.runtime.workspace import require_fleet


@click.command("secrets")
@click.argument("tenant", default="", metavar="[TENANT]", shell_complete=names("Tenant"))
@click.option(
    "--present",
    type=FilePath(),
    metavar="FILE",
    help="Names that the store holds ('-': standard input); report what is missing.",
)
@click.option(
    "--cluster",
    default="",
    shell_complete=names("Cluster"),
    help="Only what is read in this cluster: each cluster may have a store of its own.",
)
@click.option("--grants", is_flag=True, help="Print what the store must allow each reader, as commands for its kind.")
@click.option(
    "--rotation",
    is_flag=True,
    help="Say who uses each secret and certificate, how they follow, and how it is replaced.",
)
@click.option(
    "--bucket-policies", is_flag=True, help="Print what each key of the object store may do, as IAM policies."
)
@common
def command(
    options: Options,
    tenant: str,
    present: Path | None,
    cluster: str,
    grants: bool,
    rotation: bool,
    bucket_policies: bool,
) -> None:
    """List what the secret store must hold: every path and property, what it is for, who provides it and who reads it.

    Only names are handled. With --present, a list of names (PATH or PATH PROPERTY a line) is compared, and the exit code is
    1 when something is missing. With --grants, the roles and policies are printed that let each namespace read its own
    names and no others. See docs/how-to/fill-the-secret-store.md for how to list names in each kind of store. With --rotation,
    the table is made from the rendered objects; the exit code is 1 when something would keep an old value. See
    docs/how-to/rotate-a-credential.md. With --bucket-policies, the policy of each key's user is printed: the places that the
    rendered objects name, to read or to write, and no others.
    """
    options.require_format("secrets")
    require_fleet(options.root)
    if sum((grants, rotation, bucket_policies, present is not None)) > 1:
        raise click.UsageError("--grants, --present, --rotation and --bucket-policies exclude each other")
    if bucket_policies:
        options.document(policies.document(policies.bucket_policies(options.workspace(), tenant, cluster)))
        return
    if rotation:
        table = rotated.document(rotated.rotation(options.workspace(), tenant, cluster))
        options.document(table)
        raise SystemExit(0 if table.ok else 1)
    if grants:
        options.document(granted.document(*granted.grants(options.workspace(), tenant, cluster)))
        return
    there = None if present is None else secrets.read_present(_names(options, present))
    answer = secrets.document(secrets.secrets(options.workspace(), tenant, there, cluster))
    options.document(answer)
    raise SystemExit(0 if answer.ok else 1)


def _names(options: Options, present: Path) -> str:
    if str(present) == "-":
        return standard_input("... | tenantry secrets --present -")
    return named_file(options, present)
