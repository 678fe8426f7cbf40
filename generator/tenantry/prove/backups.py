"""Backups: BKP-01 (all state), BKP-02 (one instance each), BKP-03 (no restore across), BKP-04 (encrypted, kept, locked)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, dig, entries, items, mapping, text
from tenantry.engine.languages import Refusal
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof
from tenantry.prove.schedules import FOREVER, interval, longest_hours
from tenantry.verify.values import duration

_PLUGIN = "barman-cloud.cloudnative-pg.io"
_LEFT_OUT = frozenset({"pods", "replicasets.apps", "events", "endpointslices.discovery.k8s.io"})
"""What controllers recreate; excluding more would lose state."""
_CLOCKS_GO_BACK = 1
"""Hours by which a day of a schedule's time zone may be longer."""
_DAYS = re.compile(r"([1-9][0-9]{0,8})([dwm])")


@proof("BKP-01", "BKP-05")
def databases(state: State) -> Iterator[Breach]:
    """BKP-01: PostgreSQL archives its WAL and has base backups on time."""
    for manifest in state.of("postgresql.cnpg.io", "Cluster"):
        home = state.home(manifest)
        if home is None:
            continue
        archivers = [(n, p) for n, p in entries(manifest.spec.get("plugins")) if p.get("name") == _PLUGIN]
        working = [p for _, p in archivers if p.get("isWALArchiver") and p.get("enabled", True)]
        path: Path = ("spec", "plugins", archivers[0][0]) if archivers else ("spec", "plugins")
        if not working:
            message = "the database archives no WAL: what is written after a base backup is lost with the server"
            yield breach(
                manifest, "BKP-01", path, message, f"plugin {_PLUGIN} with isWALArchiver: true", tenant=home.tenant
            )
        elif dig(working[0], "parameters", "barmanObjectName") != "postgresql":
            message = f"the database archives into the store '{dig(working[0], 'parameters', 'barmanObjectName')}', which is not its own"
            yield breach(manifest, "BKP-01", path, message, "barmanObjectName: postgresql", tenant=home.tenant)
        timeout = text(dig(manifest.spec, "postgresql", "parameters", "archive_timeout"))
        if timeout in ("0", "0s", "0min"):
            message = "archive_timeout is off, so a quiet database archives nothing"
            where: Path = ("spec", "postgresql", "parameters", "archive_timeout")
            yield breach(manifest, "BKP-05", where, message, "archive_timeout: 5min", tenant=home.tenant)
        yield from _in_time(manifest, home)
        if not home.fenced:
            yield from _base_backups(state, manifest, home)


def minutes(value: str) -> float:
    """A time of PostgreSQL's configuration, in minutes."""
    match = _TIME.fullmatch(value.strip())
    return int(match[1]) * _MINUTES[match[2]] if match else FOREVER


def archive_timeout(server: Manifest) -> float:
    """After how many minutes a server archives a segment that is not full; infinite when it never does."""
    given = text(dig(server.spec, "postgresql", "parameters", "archive_timeout")) or _DEFAULT_ARCHIVE_TIMEOUT
    return minutes(given) or FOREVER


def _in_time(manifest: Manifest, home: Home) -> Iterator[Breach]:
    """A segment is written when it is closed: half of the RPO is left for that, and for the alert that it fails."""
    objectives, given = home.tier.objectives, archive_timeout(manifest)
    if objectives.archive_rpo_minutes / 2 < given < FOREVER:
        path: Path = ("spec", "postgresql", "parameters", "archive_timeout")
        message = f"archive_timeout is {given:g} minutes, which leaves no time to write the segment: the RPO is {objectives.archive_rpo_minutes} minutes"
        fix = f"archive_timeout: {objectives.archive_minutes}min"
        yield breach(manifest, "BKP-05", path, message, fix, tenant=home.tenant)


_TIME = re.compile(r"([0-9]{1,9})\s{0,9}(ms|s|min|h|d)?")
_MINUTES = {"ms": 1 / 60000, "s": 1 / 60, "min": 1.0, "h": 60.0, "d": 1440.0, None: 1 / 60}
_DEFAULT_ARCHIVE_TIMEOUT = "5min"


@proof("BKP-01")
def credentials(state: State) -> Iterator[Breach]:
    """BKP-01: an ObjectStore has credentials to write: two keys, or the node's role."""
    for store in state.of("barmancloud.cnpg.io", "ObjectStore"):
        home = state.home(store)
        keys = mapping(dig(store.spec, "configuration", "s3Credentials"))
        if home is None or keys.get("inheritFromIAMRole") is True or {"accessKeyId", "secretAccessKey"} <= keys.keys():
            continue
        message = "the store has no credentials, so neither WAL nor base backups are written"
        path: Path = ("spec", "configuration", "s3Credentials")
        yield breach(store, "BKP-01", path, message, "accessKeyId and secretAccessKey", tenant=home.tenant)


@proof("BKP-01")
def checksums(state: State) -> Iterator[Breach]:
    """BKP-01: a store with an endpoint of its own takes what the plugin's client sends.

    Since boto3 1.36 that has its checksum behind the content, in chunks without a length, unless it is set otherwise; seen
    with rclone's S3 server, which answers MissingContentLength to each WAL segment.
    """
    for store in state.of("barmancloud.cnpg.io", "ObjectStore"):
        home = state.home(store)
        if home is None or not dig(store.spec, "configuration", "endpointURL"):
            continue
        given = {text(dig(one, "name")): dig(one, "value") for _, one in entries(dig(store.spec, *_SIDECAR_ENV))}
        if given.get(_CHECKSUMS) != "when_required":
            message = f"without {_CHECKSUMS} the plugin sends WAL in a form that few stores but Amazon's take"
            fix = f"{_CHECKSUMS}: when_required"
            yield breach(store, "BKP-01", ("spec", *_SIDECAR_ENV), message, fix, tenant=home.tenant)


_SIDECAR_ENV = ("instanceSidecarConfiguration", "env")
_CHECKSUMS = "AWS_REQUEST_CHECKSUM_CALCULATION"


def base_backups(state: State, cluster: Manifest) -> list[Manifest]:
    """The ScheduledBackups of a PostgreSQL cluster that are not suspended."""
    return [manifest for manifest in _schedules(state, cluster) if not manifest.spec.get("suspend")]


def _schedules(state: State, cluster: Manifest) -> list[Manifest]:
    return [
        manifest
        for manifest in state.of("postgresql.cnpg.io", "ScheduledBackup", cluster.identity.namespace)
        if dig(manifest.spec, "cluster", "name") == cluster.identity.name
    ]


def _base_backups(state: State, cluster: Manifest, home: Home) -> Iterator[Breach]:
    schedules = _schedules(state, cluster)
    if not schedules:
        message = "no ScheduledBackup takes base backups of this database"
        yield breach(cluster, "BKP-01", (), message, "a ScheduledBackup is needed", tenant=home.tenant)
    asleep = home.instance is not None and home.instance.environment == "recovery"
    for manifest in schedules:
        if manifest.spec.get("suspend") and not asleep:
            message = "base backups are suspended"
            yield breach(manifest, "BKP-01", ("spec", "suspend"), message, "suspend: false", tenant=home.tenant)
        if manifest.spec.get("method") != "plugin" or dig(manifest.spec, "pluginConfiguration", "name") != _PLUGIN:
            message = "base backups are not stored with the WAL, so it can't be replayed on them"
            yield breach(
                manifest, "BKP-01", ("spec", "method"), message, f"method: plugin, {_PLUGIN}", tenant=home.tenant
            )
    promised = home.tier.backup.base_backup_every_hours
    often = (manifest for manifest in schedules if longest_hours(state, manifest) <= promised + _CLOCKS_GO_BACK)
    if schedules and next(often, None) is None:
        yield _seldom(state, schedules[0], home, promised)


def _seldom(state: State, manifest: Manifest, home: Home, promised: int) -> Breach:
    found = interval(state, manifest)
    if isinstance(found, Refusal):
        what = "no backup is ever taken" if found.kind == "never" else "it is unknown when a backup is taken"
        message = f"{what}: {found}"
    else:
        message = (
            f"up to {found.longest_seconds / 3600:,.4g} h pass between two backups; one every {promised} h is promised"
        )
    return breach(manifest, "BKP-01", ("spec", "schedule"), message, "run 'tenantry render'", tenant=home.tenant)


@proof("BKP-01", "BKP-02", "BKP-03", "BKP-04")
def namespaces(state: State) -> Iterator[Breach]:
    """BKP-01 and BKP-02: each instance's namespace is in a schedule of its own, and in no other's."""
    space = state.promises.platform.namespaces.velero
    promised: dict[str, Home] = {}
    for home in state.homes_at("instance"):
        assert home.instance is not None
        names = [home.instance.name, *([f"{home.instance.name}-dr"] if home.tier.backup.velero_in_dr_region else [])]
        for name in names:
            promised[name] = home
            manifest = state.get("velero.io", "Schedule", space, name)
            if manifest is None:
                message = f"no Velero Schedule '{name}' backs up the namespace and its volumes"
                yield breach(state.anchor(home), "BKP-01", (), message, "run 'tenantry render'", tenant=home.tenant)
                continue
            location = "dr" if name.endswith("-dr") and name != home.instance.name else "default"
            yield from _schedule(manifest, home, location)
            promised_hours = home.tier.backup.velero_every_hours
            if longest_hours(state, manifest) > promised_hours + _CLOCKS_GO_BACK:
                yield _seldom(state, manifest, home, promised_hours)
    for manifest in state.of("velero.io", "Schedule"):
        if manifest.identity.name not in promised:
            message = "this schedule belongs to no instance"
            yield breach(manifest, "BKP-02", ("metadata", "name"), message, "remove it")
    for kind, why in (
        ("Restore", "restores objects as soon as it is synced"),
        ("Backup", "takes one backup, outside any schedule"),
    ):
        for manifest in state.of("velero.io", kind):
            control = "BKP-03" if kind == "Restore" else "BKP-02"
            yield breach(manifest, control, ("kind",), f"a {kind} in git {why}", "create it manually, in a drill")


def _schedule(manifest: Manifest, home: Home, location: str) -> Iterator[Breach]:
    template = mapping(manifest.spec.get("template"))
    base: Path = ("spec", "template")
    included = [text(n) for n in items(template.get("includedNamespaces"))]
    if included != [home.namespace]:
        what = (
            f"holds {', '.join(included)}"
            if included
            else "names no namespace, so it includes all of them, with their Secrets"
        )
        message = f"the backup of {home} {what}"
        yield breach(
            manifest, "BKP-02", (*base, "includedNamespaces"), message, f"only {home.namespace}", tenant=home.tenant
        )
    left_out = set(map(text, items(template.get("excludedResources")))) - _LEFT_OUT
    faults: tuple[tuple[object, Path, str], ...] = (
        (manifest.spec.get("paused"), ("spec", "paused"), "is paused"),
        (template.get("labelSelector") or template.get("orLabelSelectors"), (*base, "labelSelector"), "includes some objects only"),
        (template.get("includedResources"), (*base, "includedResources"), "includes some kinds only"),
        (left_out, (*base, "excludedResources"), f"leaves out {', '.join(sorted(left_out))}"),
        (template.get("excludedNamespaces"), (*base, "excludedNamespaces"), "leaves namespaces out"),
        (template.get("snapshotVolumes") is False, (*base, "snapshotVolumes"), "leaves volumes out"),
        (template.get("snapshotMoveData") is not True, (*base, "snapshotMoveData"), "keeps the volumes' data in the cluster"),
        (template.get("storageLocation") != location, (*base, "storageLocation"),
         f"goes to '{template.get('storageLocation')}' instead of '{location}'"),
    )  # fmt: skip
    for fault, path, what in faults:
        if fault:
            yield breach(
                manifest,
                "BKP-01",
                path,
                f"the backup of {home} {what}",
                "back up the whole namespace",
                tenant=home.tenant,
            )
    seconds = duration(template.get("ttl"))
    wanted = home.tier.backup.velero_retention_days
    if seconds is None or seconds < wanted * 86400:
        kept = "Velero's default of 30 days" if seconds is None else f"{seconds / 86400:g} days"
        message = f"backups are kept for {kept}; {wanted} days are promised"
        yield breach(manifest, "BKP-04", (*base, "ttl"), message, f"ttl: {wanted * 24}h0m0s", tenant=home.tenant)


@proof("BKP-01")
def locations(state: State) -> Iterator[Breach]:
    """BKP-01: Velero may write where it is meant to."""
    for manifest in state.of("velero.io", "BackupStorageLocation"):
        if manifest.spec.get("accessMode", "ReadWrite") != "ReadWrite":
            message = f"the location '{manifest.identity.name}' takes no backup: it is {manifest.spec['accessMode']}"
            path: Path = ("spec", "accessMode")
            yield breach(manifest, "BKP-01", path, message, "accessMode: ReadWrite", tenant="")


@proof("BKP-03")
def restores(state: State) -> Iterator[Breach]:
    """BKP-03: the policy against restores into other namespaces is there; without it a Restore can map anything."""
    policy = state.get("policies.kyverno.io", "ValidatingPolicy", "", "velero-restore-home")
    if policy is None and "velero-restore-home" in state.promises.fleet.entries["Policy"]:
        yield breach(
            state.manifests[0],
            "BKP-03",
            (),
            "no policy denies restores into another tenant's namespace",
            "ship velero-restore-home",
            tenant="",
        )


@proof("BKP-04")
def kept(state: State) -> Iterator[Breach]:
    """BKP-04: retention, encryption, lock, and that nothing is deleted with its object."""
    for manifest in state.of("barmancloud.cnpg.io", "ObjectStore"):
        home = state.home(manifest)
        if home is None or manifest.identity.name != "postgresql":
            continue
        wanted = home.instance.settings.backup_retention_days if home.instance else home.tier.backup.retention_days
        days = in_days(text(manifest.spec.get("retentionPolicy")))
        if days is None or days < wanted:
            message = f"base backups and WAL are kept for {f'{days} days' if days else 'an unknown time'}; {wanted} days are promised"
            yield breach(
                manifest,
                "BKP-04",
                ("spec", "retentionPolicy"),
                message,
                f"retentionPolicy: {wanted}d",
                tenant=home.tenant,
            )
        for part in ("data", "wal"):
            if not dig(manifest.spec, "configuration", part, "encryption"):
                message = f"{'base backups' if part == 'data' else 'WAL'} would be stored unencrypted in object storage"
                yield breach(
                    manifest,
                    "BKP-04",
                    ("spec", "configuration", part),
                    message,
                    "encryption: AES256",
                    tenant=home.tenant,
                )
    yield from _deletion(state)
    for home in state.homes_at("instance"):
        lock, promised = home.cluster.object_storage.lock_days, home.tier.backup.lock_days
        if lock < promised:
            message = f"backups of {home} are locked for {lock} days in the buckets of {home.cluster.name}; {promised} are promised"
            yield breach(
                state.anchor(home),
                "BKP-04",
                (),
                message,
                "raise objectStorage.lockDays, and the bucket's lock",
                tenant=home.tenant,
            )
    yield from _attachments(state)


def _attachments(state: State) -> Iterator[Breach]:
    """Odoo deletes files that its database no longer names, so a database of last week needs last week's objects."""
    for home in state.homes_at("instance"):
        assert home.instance is not None
        kept, wanted = (
            home.cluster.object_storage.attachment_versions_days,
            home.instance.settings.backup_retention_days,
        )
        if kept < wanted:
            message = (
                f"deleted attachments of {home} are kept for {kept} days in the buckets of {home.cluster.name}, its database for {wanted}: "
                "an older one would come back without its files"
            )
            hint = "set versioning and a lifecycle rule on the bucket, and objectStorage.attachmentVersionsDays"
            yield breach(state.anchor(home), "BKP-04", (), message, hint, tenant=home.tenant)


def in_days(value: str) -> int | None:
    """Days of a retention such as `30d`, `4w` or `1m` (30 days); None if it is not one."""
    found = _DAYS.fullmatch(value)
    return int(found[1]) * {"d": 1, "w": 7, "m": 30}[found[2]] if found else None


_HOLDS_DATA = (
    ("postgresql.cnpg.io", "Cluster"),
    ("postgresql.cnpg.io", "Database"),
    ("postgresql.cnpg.io", "DatabaseRole"),
    ("", "Namespace"),
)


def _deletion(state: State) -> Iterator[Breach]:
    """Objects that hold data are not removed when their file is."""
    for group, kind in _HOLDS_DATA:
        for manifest in state.of(group, kind):
            home = state.home(manifest)
            if home is None:
                continue
            options = text(manifest.annotations.get("argocd.argoproj.io/sync-options")).replace(" ", "").split(",")
            path: Path = ("metadata", "annotations", "argocd.argoproj.io/sync-options")
            if home.role == "cell" and kind in ("Database", "DatabaseRole"):
                owner = next((m for m in home.known if m.names.database == manifest.spec.get("name")), None)
            else:
                owner = home.instance
            tenant, erased = (owner.tenant.name, owner.erased) if owner is not None else ("", False)
            if "Prune=false" not in options or "Delete=false" not in options:
                message = f"Argo CD would remove the {kind}, with all its data, when its file is removed"
                yield breach(manifest, "BKP-04", path, message, "Prune=false,Delete=false", tenant=tenant)
            if manifest.spec.get("ensure") == "absent" and not (erased and home.role == "cell"):
                message = "the operator drops the database, and nobody approved that it is erased"
                yield breach(
                    manifest, "BKP-04", ("spec", "ensure"), message, "'tenantry erase' says when", tenant=tenant
                )
            for field in ("databaseReclaimPolicy", "databaseRoleReclaimPolicy"):
                if manifest.spec.get(field) == "delete" and not (erased and home.role == "cell"):
                    yield breach(
                        manifest,
                        "BKP-04",
                        ("spec", field),
                        f"{field}: delete drops the data with the object",
                        "retain",
                        tenant=tenant,
                    )
