"""DATA-05: Odoo is bound to its own database, by odoo.conf, arguments, environment and the PgBouncer beside it."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from tenantry.core.manifest import Manifest, Path, items, mapping, text
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof
from tenantry.prove.workloads import Workload, runs_odoo, workloads
from tenantry.resolve.drills import NAME as DRILL
from tenantry.resolve.instance import Instance, attachment_folder, copies_folder, copy_source_host, database_host

_POOLS_TO = re.compile(r"\b(\w+)=(\S+)")
_BOUND = {
    "listen_addr": "127.0.0.1", "pool_mode": "session", "auth_type": "trust", "auth_file": "/etc/pgbouncer-users/userlist.txt", "server_tls_sslmode": "verify-full",
    "server_tls_ca_file": "/etc/pgbouncer-ca/ca.crt", "server_tls_protocols": "secure",
}  # fmt: skip
_ARGUMENTS = (
    "-d",
    "--database",
    "--db-filter",
    "--db_",
    "-r",
    "-w",
    "--load",
    "-c",
    "--config",
    "--no-database-list",
    "--proxy-mode",
    "--addons-path",
)
CONFIGURATION = "/run/odoo/odoo.conf"
"""What Odoo reads: options of the instance, with the passwords that a Pod puts beside them."""
_ENVIRONMENT = {
    "ODOO_RC": CONFIGURATION,
    "PGHOST": "127.0.0.1",
    "PGUSER": "",
    "PGDATABASE": "",
    "MIGRATION_DATABASE": "",
    "PGSSLMODE": "disable",
}


_LONGEST = 64 << 10
"""Longest INI file, in characters; Python's parser is very slow on long files with many errors."""


@lru_cache(maxsize=4096)
def sections(content: str) -> Mapping[str, Mapping[str, str]]:
    """Sections of an INI file; an unreadable one has none."""
    if len(content) > _LONGEST:
        return {}
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",), comment_prefixes=(";", "#"))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(content)
    except configparser.Error:
        return {}
    return {name: dict(parser[name]) for name in parser.sections()}


@proof("DATA-05", "DATA-08", "DATA-09")
def bound(state: State) -> Iterator[Breach]:
    """DATA-05: configuration, pooler, arguments and environment of each instance name its own database only."""
    for home in state.homes_at("instance"):
        instance = home.instance
        assert instance is not None
        for manifest in state.of("", "ConfigMap", home.namespace):
            yield from _absent(manifest, instance, home)
            for key, content in mapping(manifest.value.get("data")).items():
                if key == "options.conf":
                    yield from _configuration(manifest, ("data", key), text(content), instance, home)
                elif text(key).endswith(".ini") and manifest.identity.name == "pgbouncer":
                    yield from _pooler(manifest, ("data", key), text(content), instance, home)
        for work in workloads(state, home.namespace):
            yield from _workload(work, instance, home)


def _absent(manifest: Manifest, instance: Instance, home: Home) -> Iterator[Breach]:
    """Keys of files that the Pods read."""
    given = mapping(manifest.value.get("data"))
    if manifest.identity.name in ("odoo-config", "odoo-migration"):
        wanted = {
            "options.conf": ("DATA-05", "Odoo would not be bound to its database"),
            "sections.conf": ("DATA-08", "attachments would be stored in the Pod and lost with it"),
        }
    elif manifest.identity.name == "pgbouncer":
        pools = ("web", "websocket", "cron") if instance.split else ("web",)
        wanted = {f"{pool}.ini": ("DATA-05", "Odoo could not reach its database") for pool in (*pools, "migration")}
    else:
        return
    for key, (control, why) in wanted.items():
        if key not in given:
            yield breach(manifest, control, ("data",), f"{key} is missing: {why}", f"add {key}", tenant=home.tenant)


def _configuration(manifest: Manifest, path: Path, content: str, instance: Instance, home: Home) -> Iterator[Breach]:
    options = sections(content).get("options", {})
    own = instance.names.database
    wanted = {
        "db_name": own, "db_user": own, "db_host": "127.0.0.1", "db_port": "5432", "list_db": "False", "proxy_mode": "True",
        "server_wide_modules": ",".join(instance.release.server_wide_modules),
    }  # fmt: skip
    if instance.release.addons_path:
        wanted["addons_path"] = ",".join(instance.release.addons_path)
    for key, value in wanted.items():
        if options.get(key) != value:
            message = f"{key} is {options.get(key, 'not set')}: {_why(key)}"
            yield breach(manifest, "DATA-05", path, message, f"{key} = {value}", tenant=home.tenant)
    for key in ("dbfilter", "db_replica_host", "admin_passwd", "db_system"):
        if options.get(key) and not (key == "db_system" and options[key] == own):
            message = f"{key} is set: {_why(key)}"
            yield breach(manifest, "DATA-05", path, message, f"remove {key}", tenant=home.tenant)


def _why(key: str) -> str:
    return {
        "db_name": "without it, or with another, requests and cron work on other databases",
        "db_user": "Odoo logs in with its own role only",
        "db_host": "Odoo reaches PostgreSQL only through its PgBouncer sidecar",
        "list_db": "the database manager must be off",
        "server_wide_modules": "what the release loads for every database, its session store too, would be missing",
        "addons_path": "this file replaces the image's own, so its add-ons would not be found",
        "dbfilter": "it is useless with db_name, and a broad one lets a request choose its database",
        "admin_passwd": "the master password comes from a Secret",
        "db_replica_host": "a second connection to a server, bypassing PgBouncer",
    }.get(key, "it must have the promised value")


def _pooler(manifest: Manifest, path: Path, content: str, instance: Instance, home: Home) -> Iterator[Breach]:
    parts = sections(content)
    own = instance.names.database
    here = database_host(instance)
    hosts = {here, f"{here}.{home.namespace}.svc"} if home.own_postgresql else {here}
    aliases = parts.get("databases", {})
    for alias, target in aliases.items():
        words = dict(_POOLS_TO.findall(target))
        if alias not in (own, "postgres"):
            message = f"PgBouncer maps '{alias}' to a database; Odoo needs only its own and 'postgres'"
            yield breach(manifest, "DATA-05", path, message, "remove the line", tenant=home.tenant)
        if words.get("dbname") != own:
            message = f"PgBouncer maps '{alias}' to the database '{words.get('dbname', alias)}'"
            yield breach(manifest, "DATA-05", path, message, f"dbname={own}", tenant=home.tenant)
        if words.get("host") not in hosts:
            control = "DATA-09" if home.own_postgresql else "DATA-05"
            message = f"PgBouncer sends '{alias}' to {words.get('host')}; {home}'s server is {min(hosts)}"
            yield breach(manifest, control, path, message, f"host={min(hosts)}", tenant=home.tenant)
        if "user" in words or "password" in words:
            yield breach(
                manifest,
                "DATA-05",
                path,
                f"PgBouncer logs in to '{alias}' as another user",
                "remove user and password",
                tenant=home.tenant,
            )
    for alias in (own, "postgres"):
        if alias not in aliases:
            message = f"PgBouncer does not know '{alias}', so Odoo can't start"
            yield breach(manifest, "DATA-05", path, message, f"{alias} = host=... dbname={own}", tenant=home.tenant)
    settings = parts.get("pgbouncer", {})
    for key, value in _BOUND.items():
        if settings.get(key) != value:
            message = (
                f"{key} is {settings.get(key, 'not set')}: PgBouncer must serve its own Pod only, and verify the server"
            )
            yield breach(manifest, "DATA-05", path, message, f"{key} = {value}", tenant=home.tenant)


def _fixed(work: Workload, instance: Instance, own: str) -> Mapping[str, str]:
    """Variables, each of which has this value where it is set. The Job of a move speaks to servers itself."""
    fixed = {name: value or own for name, value in _ENVIRONMENT.items()}
    if work.name == "odoo-backup":
        return {**fixed, "ATTACHMENT_TARGET": attachment_folder(instance)}
    if work.name == DRILL:
        return {**fixed, "ODOO_RC": "/etc/restore-drill-odoo/odoo.conf"}
    other = instance.move.other if instance.move is not None else instance.copied_to
    if work.name != "odoo-move" or other is None:
        return fixed
    ends = {"SOURCE": other, "TARGET": instance} if instance.waits else {"SOURCE": instance, "TARGET": other}
    fixed |= {f"ATTACHMENT_{end}": attachment_folder(place) for end, place in ends.items()} | {
        "PGSSLMODE": "verify-full"
    }
    if instance.transfers:
        return {**fixed, "PGHOST": database_host(instance), "COPIES_FOLDER": copies_folder(instance)}
    hosts = {"SOURCE_HOST": copy_source_host(instance), "TARGET_HOST": database_host(other)}
    return {**fixed, **hosts, "TARGET_DATABASE": other.names.database}


def _workload(work: Workload, instance: Instance, home: Home) -> Iterator[Breach]:
    own = instance.names.database
    for container in work.containers:
        if runs_odoo(container):
            if "ODOO_RC" not in container.environment:
                message = "ODOO_RC is not set: Odoo reads its image's own file, which binds it to no database"
                path: Path = (*container.path, "env")
                yield breach(work.manifest, "DATA-05", path, message, f"ODOO_RC={CONFIGURATION}", tenant=home.tenant)
            for number, argument in enumerate(map(text, items(container.value.get("args")))):
                if argument.startswith(_ARGUMENTS):
                    message = f"the argument '{argument.partition('=')[0]}' overrides what odoo.conf binds"
                    yield breach(
                        work.manifest,
                        "DATA-05",
                        (*container.path, "args", number),
                        message,
                        "remove it",
                        tenant=home.tenant,
                    )
        for name, value in _fixed(work, instance, own).items():
            entry = container.environment.get(name)
            if entry is not None and entry.get("value") != value:
                message = f"{name} is '{entry.get('value')}'"
                yield breach(
                    work.manifest, "DATA-05", (*container.path, "env"), message, f"{name}={value}", tenant=home.tenant
                )
