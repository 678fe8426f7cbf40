"""PostgreSQL: it is down, its archive stands, or somebody wants yesterday back."""

from __future__ import annotations

import shlex

from tenantry.change.restores import FIRST_STEPS, GUIDES, RestoredPlace, commands, follows
from tenantry.model.restore import Restore, RestoreStep, RestoreWay
from tenantry.runbook.book import Command, Writer
from tenantry.runbook.registration import incident

_CNPG, _BARMAN = "postgresql.cnpg.io", "barman-cloud.cloudnative-pg.io"


def _instances(writer: Writer, role: str = "") -> str:
    chosen = f"cnpg.io/cluster={writer.server},cnpg.io/podRole=instance"
    return f"{chosen},cnpg.io/instanceRole={role}" if role else chosen


@incident("database-down", "PostgreSQL is down")
def down(writer: Writer) -> None:
    """From what is seen to a restore."""
    platform = writer.instance.site.platform
    writer.step(
        "See which instances answer, which is the primary, and whether replication runs.", writer.cnpg("status")
    )
    writer.step(
        "See what Kubernetes says of the Pods and volumes. Pending: a node or a zone is gone, see the runbook zone-lost.",
        writer.at_server("get", "pods", "--selector", _instances(writer), "--output", "wide"),
        writer.at_server("get", "persistentvolumeclaims", "--selector", f"cnpg.io/cluster={writer.server}"),
        writer.at_server("get", "events", "--sort-by", ".lastTimestamp"),
    )
    writer.step(
        "A full volume stops the server. Volumes grow while they are in use: raise the size in the inputs, render, merge and sync.",
        ("tenantry", "get", _size_of(writer)[0], _size_of(writer)[1]),
    )
    writer.step(
        "See that the operator works; nothing is repaired without it.",
        writer.kubectl(
            "get",
            "pods",
            "--selector",
            "app.kubernetes.io/name=cloudnative-pg",
            namespace=platform.namespaces.cloudnative_pg,
        ),
        writer.kubectl(
            "logs",
            "--selector",
            "app.kubernetes.io/name=cloudnative-pg",
            "--tail",
            "100",
            namespace=platform.namespaces.cloudnative_pg,
        ),
    )
    writer.step(
        "If the primary hangs and standbys are well, delete its Pod: the operator promotes one that has all commits.",
        writer.at_server("delete", "pod", "--selector", _instances(writer, "primary")),
    )
    writer.step("If the data is damaged, go on with the runbook restore-to-a-moment.")
    deployment = writer.named("apps", "Deployment", "odoo-web")
    writer.step("See that Odoo has come back.", writer.kubectl("rollout", "status", deployment, "--timeout", "30m"))


def _size_of(writer: Writer) -> tuple[str, str]:
    """Where the size of the server's volume is decided."""
    if writer.instance.settings.postgresql is not None:
        return f"tenant/{writer.instance.tenant.name}", "spec.users"
    return f"cell/{writer.instance.site.cell.name}", "spec.postgresql.storageGiB"


@incident("archive-standing", "The WAL archive stands, or base backups are too old")
def standing(writer: Writer) -> None:
    """Until it works again, each minute is one that a restore would lose."""
    own = writer.instance.settings.postgresql is not None
    writer.step("See when the last segment was archived, and why not since.", writer.cnpg("status"))
    writer.step(
        "Read what the plugin says on the primary.",
        writer.at_server(
            "logs", "--selector", _instances(writer, "primary"), "--container", "plugin-barman-cloud", "--tail", "200"
        ),
    )
    store = writer.named("barmancloud.cnpg.io", "ObjectStore", "postgresql", writer.database_namespace)
    keys = writer.named(
        "external-secrets.io",
        "ExternalSecret",
        "backup-storage" if own else "object-storage",
        writer.database_namespace,
    )
    writer.step(
        "Refused: the keys were changed or taken away. See that they were fetched, and where they come from.",
        writer.at_server("get", keys), writer.at_server("get", store, "--output", "yaml"),
    )  # fmt: skip
    writer.step(
        "'Expected empty archive': another server writes there. No two do by the inputs (BKP-06), so look for one that was made manually.",
        writer.at_server("get", "clusters.postgresql.cnpg.io"),
    )
    writer.step(
        "WAL that can't be archived stays on its volume, and stops the server when that is full. See how much is left.",
        writer.query("postgres", "SELECT pg_size_pretty(sum(size)) FROM pg_ls_waldir()"),
    )
    writer.step(
        "When it works again, take a base backup at once: what lies before a gap can't be replayed across it.",
        writer.cnpg("backup", "--method", "plugin", "--plugin-name", _BARMAN),
        writer.at_server("get", "backups.postgresql.cnpg.io"),
    )


@incident("restore-to-a-moment", "Data was lost, and must come back as it was at a moment")
def restore(writer: Writer) -> None:
    """By the states of `tenantry restore`; what is in capitals is to be filled in."""
    instance = writer.instance
    own = instance.settings.postgresql is not None
    writer.step(
        "Agree with the customer on the moment, the last at which all was well, and on what is lost: all that was entered since. Write it in UTC "
        "in the place of MOMENT, such as 2026-01-31T12:00:00Z."
    )
    writer.step(
        "See that the archive works, and how far back it reaches.", writer.cnpg("status"),
        writer.at_server("get", "backups.postgresql.cnpg.io"),
    )  # fmt: skip
    writer.named("apps", "Deployment", "odoo-web")  # by the commands of the step switch
    subject = instance.name if own else instance.site.cell.name
    whose = "Its server" if own else "The server of its cell, which nobody uses until it is dropped,"
    writer.step(
        f"{whose} is recovered beside the one that serves. Merge each change, and sync it manually.",
        ("tenantry", "restore", subject, "--to", "MOMENT", "--reason", "REASON"), *_merged(),
        *_guide(writer, "beside", "recover"),
    )  # fmt: skip
    if own:
        writer.step(
            "If only some records are missing, read them there, enter them again, and give the restore up.",
            ("tenantry", "restore", subject, "--drop"),
        )
        writer.step(
            "Else switch. Odoo restarts.",
            ("tenantry", "restore", subject, "--next"),
            *_merged(),
            *_guide(writer, "beside", "switch"),
        )
    else:
        writer.step(
            "Take the one database out. Neighbours notice nothing.",
            ("tenantry", "restore", instance.name, "--out-of-cell", "--reason", "REASON"), *_merged(), *_guide(writer, "database", "copy"),
        )  # fmt: skip
        writer.step(
            "Switch. Odoo restarts.",
            ("tenantry", "restore", instance.name, "--next"),
            *_merged(),
            *_guide(writer, "database", "switch"),
        )
        writer.step(
            "Give the restored server of the cell up, and delete it as the command says.",
            ("tenantry", "restore", subject, "--drop"),
            *_merged(),
        )
    writer.step(
        "Bring attachments back to that moment (docs/how-to/restore-a-database.md), and have the customer look."
    )


def _merged() -> tuple[Command, ...]:
    return ("tenantry", "plan"), ("tenantry", "render"), ("tenantry", "check")


def _guide(writer: Writer, way: RestoreWay, step: RestoreStep) -> list[Command]:
    """The commands that `tenantry restore` prints for a step of the next restore."""
    instance = writer.instance
    placed = instance.tenant.environments[instance.environment].restores
    known = placed if way == "database" or instance.settings.postgresql is not None else instance.site.cell.restores
    generation = max((r.generation for r in known), default=1) + 1
    made = Restore(generation=generation, source=generation - 1, step=step, way=way, reason="", keep_source_until="")
    assert step in (
        FIRST_STEPS[way],
        *follows(Restore(generation=2, source=1, step=FIRST_STEPS[way], way=way, reason="", keep_source_until="")),
    )
    owner = writer.database_namespace if instance.settings.postgresql is None else instance.name
    place = RestoredPlace(owner, writer.database_namespace, writer.namespace, instance.names.database)
    lines = commands(GUIDES[way, step], [*known, made], place)
    return [_in_context(tuple(shlex.split(line)), writer.cluster) for line in lines]


def _in_context(command: Command, cluster: str) -> Command:
    """Flags of kubectl stand before those of the program that it starts."""
    end = command.index("--") if "--" in command else len(command)
    return (*command[:end], "--context", cluster, *command[end:])
