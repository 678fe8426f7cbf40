"""Odoo and what it depends on: load, credentials, certificates, delivery, releases."""

from __future__ import annotations

from tenantry.runbook.book import Writer
from tenantry.runbook.registration import incident

_ESO = "external-secrets.io"


@incident("noisy-neighbour", "One tenant slows others down, or is slowed down")
def neighbour(writer: Writer) -> None:
    """Who uses what, what holds them, and the way to another place."""
    instance = writer.instance
    quota = writer.named("", "ResourceQuota", "quota")
    writer.step(
        "See what this instance uses of what it may.",
        writer.kubectl("top", "pods", "--containers"),
        writer.kubectl("describe", quota),
    )
    writer.step(
        "See who works in the database, and on what. Names of others are seen here: pass none on.",
        writer.query(
            "postgres",
            "SELECT usename, state, count(*), max(now() - query_start) FROM pg_stat_activity GROUP BY 1, 2 ORDER BY 3 DESC",
        ),
        writer.at_server("top", "pods", "--containers"),
    )
    writer.step("See the largest tables and the longest statements of this database.", writer.query(
        instance.names.database, "SELECT relname, pg_size_pretty(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' ORDER BY pg_total_relation_size(oid) DESC LIMIT 10",
    ))  # fmt: skip
    subject = f"tenant/{instance.tenant.name}"
    writer.step(
        "Hold it at the edge: N requests a second from one address, with a reason, then render, merge and sync.",
        ("tenantry", "set", subject, 'spec.overrides.requestsPerSecond={"value": N, "reason": "REASON"}'), ("tenantry", "render"), ("tenantry", "check"),
    )  # fmt: skip
    if instance.settings.postgresql is None:
        writer.step(
            "If it has outgrown its cell, move it; a cell with room is proposed.",
            ("tenantry", "move", instance.tenant.name, "--cell", "CELL"),
        )


@incident("credential-leaked", "A credential of this tenant was leaked")
def leaked(writer: Writer) -> None:
    """Change it at its source, see that everyone follows, then see what was done with it."""
    instance = writer.instance
    own = instance.settings.postgresql is not None
    tenant = instance.tenant.name
    writer.step(
        "See what each is for, who uses it, and the steps that replace it while everybody goes on.",
        ("tenantry", "secrets", tenant, "--rotation"),
    )
    writer.step(
        "A password of Redis, a key of attachments, the master password: take the steps of the table, one after the other, "
        "each as soon as the one before is synced. The old value is refused, or revoked where it was made, with the last."
    )
    refresh, now = "force-sync=INCIDENT", "read-again=INCIDENT"
    mine = writer.named(_ESO, "ExternalSecret", "database-user")
    name = f"database-{instance.names.database_object}"
    server = () if own else (writer.named(_ESO, "ExternalSecret", name, writer.database_namespace),)
    writer.step(
        f"The password of the database: write a new value over the old one, in {instance.names.secret_path}/database. Then have it "
        "read by the server, by PgBouncer, and by the kubelet, at once: new connections wait meanwhile.",
        *(writer.at_server("annotate", found, refresh, "--overwrite") for found in server),
        writer.kubectl("annotate", mine, refresh, "--overwrite"),
        writer.kubectl("annotate", "pods", "--selector", "app.kubernetes.io/name=odoo", now, "--overwrite"),
    )
    backups = writer.named(_ESO, "ExternalSecret", "backup-storage")
    writer.step(
        f"The key of backups: write a new one to {instance.names.secret_path}/backup-storage, have it read, and revoke the old one "
        "where it was made.",
        writer.kubectl("annotate", backups, refresh, "--overwrite"),
    )
    # The name of a role has letters, digits and `_` (model/names.py).
    sessions = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{instance.names.database}'"  # noqa: S608
    writer.step("End sessions that were opened with the old one.", writer.query("postgres", sessions))
    writer.step(f"Say it to {instance.tenant.owner.contact}, and see in the logs of the time between who used it.")


@incident("certificate-failing", "A certificate is not issued or not renewed")
def certificate(writer: Writer) -> None:
    """From the host to the record that is missing."""
    instance = writer.instance
    platform = instance.site.platform
    found = [writer.named("cert-manager.io", "Certificate", name) for name in instance.certificates]
    writer.step(
        f"See which one, and until when the present one holds ({', '.join(instance.certificates.values())}).",
        *(writer.kubectl("describe", name) for name in found),
    )
    writer.step(
        "See where the issuer waits.",
        writer.kubectl(
            "get", "certificaterequests.cert-manager.io,orders.acme.cert-manager.io,challenges.acme.cert-manager.io"
        ),
        writer.kubectl(
            "logs",
            "--selector",
            "app.kubernetes.io/name=cert-manager",
            "--tail",
            "100",
            namespace=platform.namespaces.cert_manager,
        ),
    )
    for host, record in instance.challenge_records.items():
        writer.step(
            f"{host} is the customer's own domain, and can only be issued with this record in it: {record}",
            ("dig", "+short", "CNAME", f"_acme-challenge.{host}"),
        )


@incident("argocd-stuck", "Argo CD does not apply what was merged")
def stuck(writer: Writer) -> None:
    """A window, a sync that waits, or an object that is refused."""
    instance = writer.instance
    space = instance.site.platform.namespaces.argocd
    parts = [instance.names.infra_application, instance.names.app_application]
    named = [writer.named("argoproj.io", "Application", name, space) for name in parts]
    writer.step(
        "See what is out of sync, and what was said of it.",
        *(writer.kubectl("get", name, "--output", "yaml", namespace=space) for name in named),
    )
    writer.step(
        "A window may be closed; see the windows of its projects.",
        *(("argocd", "proj", "windows", "list", name) for name in parts),
    )
    writer.step(
        "A sync may wait for a hook or an object that never becomes healthy. End it once you know which.",
        *(("argocd", "app", "terminate-op", name) for name in parts),
    )
    writer.step(
        "Apply it manually, infra before app, and watch.",
        *(("argocd", "app", "sync", name, "--timeout", "3600") for name in parts),
    )
    writer.step(
        "If an object is refused, the same is seen without a cluster.", ("tenantry", "check"), ("tenantry", "verify")
    )


@incident("release-failed", "A release was not installed, or Odoo does not start after it")
def release(writer: Writer) -> None:
    """Read why, then go back while that is possible."""
    instance = writer.instance
    if instance.running:
        jobs = [writer.named("batch", "Job", name) for name in ("odoo-backup", "odoo-migration")]
        writer.step(
            "Read what backup and migration have said.",
            *(writer.kubectl("logs", name, "--tail", "200") for name in jobs),
        )
    web = writer.named("apps", "Deployment", "odoo-web")
    writer.step(
        "See what Odoo's Pods wait for: the gate says which release the database carries.",
        writer.kubectl("describe", web),
        writer.kubectl("logs", web, "--all-containers", "--tail", "100"),
    )
    writer.step(
        "See what the database carries.",
        writer.query(instance.names.database, "SELECT release, state FROM tenantry_release"),
    )
    writer.step(
        f"While no database was migrated to {instance.release.name}, the rollout can be taken back.", ("tenantry", "rollback", instance.tenant.channel),
    )  # fmt: skip
    bucket = f"{instance.site.cluster.object_storage.backup_bucket}/{instance.names.object_prefix}/before-{instance.release.name}"
    writer.step(
        f"Else the state before it is the dump {bucket}, and the archive: go on with the runbook restore-to-a-moment, to just before the sync."
    )
