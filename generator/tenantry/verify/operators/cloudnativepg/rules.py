"""What CloudNativePG's webhooks refuse: internal/webhook/v1 and pkg/postgres/configuration.go, v1.30.0."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, entries, items, mapping
from tenantry.verify import values
from tenantry.verify.registration import rule_for

MAX_CLUSTER_NAME = 50
FIXED_PARAMETERS = frozenset(
    [
        "allow_system_table_mods",
        "archive_cleanup_command",
        "archive_command",
        "archive_mode",
        "bonjour",
        "bonjour_name",
        "cluster_name",
        "config_file",
        "data_directory",
        "data_sync_retry",
        "event_source",
        "external_pid_file",
        "hba_file",
        "hot_standby",
        "ident_file",
        "jit_provider",
        "listen_addresses",
        "log_destination",
        "log_directory",
        "log_file_mode",
        "log_filename",
        "log_rotation_age",
        "log_rotation_size",
        "log_truncate_on_rotation",
        "logging_collector",
        "pg_failover_slots.primary_dsn",
        "pg_failover_slots.standby_slot_names",
        "port",
        "primary_conninfo",
        "primary_slot_name",
        "promote_trigger_file",
        "recovery_end_command",
        "recovery_min_apply_delay",
        "recovery_target",
        "recovery_target_action",
        "recovery_target_inclusive",
        "recovery_target_lsn",
        "recovery_target_name",
        "recovery_target_time",
        "recovery_target_timeline",
        "recovery_target_xid",
        "restart_after_crash",
        "restore_command",
        "shared_preload_libraries",
        "ssl",
        "ssl_ca_file",
        "ssl_cert_file",
        "ssl_crl_file",
        "ssl_dh_params_file",
        "ssl_ecdh_curve",
        "ssl_key_file",
        "ssl_passphrase_command",
        "ssl_passphrase_command_supports_reload",
        "ssl_prefer_server_ciphers",
        "stats_temp_directory",
        "synchronized_standby_slots",
        "synchronous_standby_names",
        "syslog_facility",
        "syslog_ident",
        "syslog_sequence_numbers",
        "syslog_split_messages",
        "temp_tablespaces",
        "unix_socket_directories",
        "unix_socket_group",
        "unix_socket_permissions",
    ]
)
"""Parameters that the operator owns (FixedConfigurationParameters)."""
GROUP = "postgresql.cnpg.io"

_RESERVED_ROLE = re.compile(r"postgres|streaming_replica|cnpg_.*|pg_.*")
_RESERVED_DATABASES = ("postgres", "template0", "template1")


@rule_for(GROUP, "Cluster")
def cluster(manifest: Manifest) -> Iterator[Problem]:
    name, spec = manifest.identity.name, manifest.spec
    if not values.is_dns_1035_label(name) or len(name) > MAX_CLUSTER_NAME:
        yield Problem(
            "V040", ("metadata", "name"), f"'{name}' is no cluster name: at most 50 of a-z, 0-9 and '-', a letter first"
        )
    if "imageName" in spec and "imageCatalogRef" in spec:
        yield Problem("V040", ("spec", "imageName"), "imageName and imageCatalogRef exclude each other")
    image = spec.get("imageName")
    if isinstance(image, str):
        yield from _image(image)
    yield from _storage(mapping(spec.get("storage")), ("spec", "storage"))
    if "walStorage" in spec:
        yield from _storage(mapping(spec.get("walStorage")), ("spec", "walStorage"))
    yield from _parameters(manifest)
    yield from _replication(manifest)
    yield from _roles(manifest)
    yield from _plugins(manifest)
    yield from _sources(manifest)
    yield from _first_statements(manifest)


def _image(image: str) -> Iterator[Problem]:
    reference, _, digest = image.partition("@")
    tag = reference.rpartition("/")[2].partition(":")[2]
    if tag == "latest":
        yield Problem("V040", ("spec", "imageName"), "the tag 'latest' tells no PostgreSQL version")
    elif not re.match(r"\d+", tag):
        yield Problem(
            "V040",
            ("spec", "imageName"),
            f"'{image}' tells no PostgreSQL version: its tag must begin with one",
            "a digest alone is not enough" if digest else "",
        )


def _storage(storage: object, path: Path) -> Iterator[Problem]:
    content = mapping(storage)
    size = content.get("size")
    template = mapping(mapping(mapping(content.get("pvcTemplate")).get("resources")).get("requests"))
    if size is None and "storage" not in template:
        yield Problem("V040", path, "a size is needed")
    elif size is not None and (values.quantity(size) or 0) <= 0:
        yield Problem("V033", (*path, "size"), f"'{size}' is no quantity over 0", "write it like 20Gi")


def _parameters(manifest: Manifest) -> Iterator[Problem]:
    parameters = mapping(mapping(manifest.spec.get("postgresql")).get("parameters"))
    for key in parameters:
        if key in FIXED_PARAMETERS:
            hint = (
                "spec.postgresql.shared_preload_libraries is a list of its own"
                if key == "shared_preload_libraries"
                else "remove it"
            )
            yield Problem(
                "V040", ("spec", "postgresql", "parameters", key), f"the operator owns the parameter '{key}'", hint
            )
    buffers = _postgres_bytes(parameters.get("shared_buffers"))
    memory = mapping(mapping(manifest.spec.get("resources")).get("requests")).get("memory")
    request = values.quantity(memory)
    if buffers is not None and request is not None and request < buffers:
        path: Path = ("spec", "postgresql", "parameters", "shared_buffers")
        yield Problem(
            "V040", path, f"shared_buffers {parameters['shared_buffers']} is over the memory request {memory}"
        )
    wal = values.quantity(mapping(manifest.spec.get("walStorage")).get("size"))
    for name in ("max_wal_size", "min_wal_size"):
        size = _postgres_bytes(parameters.get(name))
        if wal is not None and size is not None and size >= wal:
            yield Problem(
                "V040",
                ("spec", "postgresql", "parameters", name),
                f"{name} {parameters[name]} does not fit into walStorage",
            )


def _postgres_bytes(value: object) -> int | None:
    match = re.fullmatch(r"([0-9]{1,18})\s{0,9}(kB|MB|GB|TB)", str(value))
    return int(match[1]) << {"kB": 10, "MB": 20, "GB": 30, "TB": 40}[match[2]] if match else None


def _replication(manifest: Manifest) -> Iterator[Problem]:
    spec = manifest.spec
    instances = spec.get("instances", 1)
    synchronous = mapping(spec.get("postgresql")).get("synchronous")
    path: Path = ("spec", "postgresql", "synchronous")
    if isinstance(synchronous, dict):
        number = synchronous.get("number")
        standbys = len(items(synchronous.get("standbyNamesPre"))) + len(items(synchronous.get("standbyNamesPost")))
        if isinstance(number, int) and isinstance(instances, int) and (number < 1 or number >= instances + standbys):
            yield Problem(
                "V040",
                (*path, "number"),
                f"{number} synchronous standbys, but {instances} instances",
                "number is 1 to instances - 1",
            )
        if synchronous.get("dataDurability") == "preferred" and standbys:
            yield Problem(
                "V040", (*path, "dataDurability"), "'preferred' excludes standbyNamesPre and standbyNamesPost"
            )
        if spec.get("minSyncReplicas") or spec.get("maxSyncReplicas"):
            yield Problem("V040", path, "synchronous excludes minSyncReplicas and maxSyncReplicas")
    low, high = spec.get("minSyncReplicas", 0), spec.get("maxSyncReplicas", 0)
    if isinstance(low, int) and isinstance(high, int) and isinstance(instances, int):
        if low > high:
            yield Problem("V040", ("spec", "minSyncReplicas"), "minSyncReplicas is over maxSyncReplicas")
        if high and high >= instances:
            yield Problem("V040", ("spec", "maxSyncReplicas"), f"must be below instances ({instances})")


def _roles(manifest: Manifest) -> Iterator[Problem]:
    seen = set()
    for index, role_ in entries(mapping(manifest.spec.get("managed")).get("roles")):
        path: Path = ("spec", "managed", "roles", index)
        name = str(role_.get("name"))
        if name in seen:
            yield Problem("V040", (*path, "name"), f"the role '{name}' is there twice")
        seen.add(name)
        yield from _role(role_, path)


def _role(content: object, path: Path) -> Iterator[Problem]:
    fields = mapping(content)
    name = str(fields.get("name"))
    if _RESERVED_ROLE.fullmatch(name):
        yield Problem("V040", (*path, "name"), f"the role '{name}' is PostgreSQL's or the operator's")
    if fields.get("disablePassword") and fields.get("passwordSecret"):
        yield Problem("V040", (*path, "disablePassword"), "disablePassword and passwordSecret exclude each other")
    limit = fields.get("connectionLimit")
    if isinstance(limit, int) and limit < -1:
        yield Problem("V040", (*path, "connectionLimit"), "-1 (no limit) or more")


def _plugins(manifest: Manifest) -> Iterator[Problem]:
    plugins = [p for _, p in entries(manifest.spec.get("plugins")) if p.get("enabled", True)]
    archivers = [p for p in plugins if p.get("isWALArchiver")]
    store = mapping(manifest.spec.get("backup")).get("barmanObjectStore")
    if len(archivers) > 1:
        yield Problem("V040", ("spec", "plugins"), "only one plugin can archive WAL")
    if archivers and store:
        yield Problem("V040", ("spec", "backup", "barmanObjectStore"), "a plugin archives WAL already")
    names = [p.get("name") for p in plugins]
    for name in sorted({str(n) for n in names if names.count(n) > 1}):
        yield Problem("V040", ("spec", "plugins"), f"the plugin '{name}' is there twice")


def _sources(manifest: Manifest) -> Iterator[Problem]:
    spec = manifest.spec
    external = {str(e.get("name")) for _, e in entries(spec.get("externalClusters"))}
    replica = mapping(spec.get("replica"))
    bootstrap = mapping(spec.get("bootstrap"))
    places: list[tuple[Path, object]] = [
        (("spec", "replica", role), replica.get(role)) for role in ("source", "primary", "self")
    ]
    places += [
        (("spec", "bootstrap", way, "source"), mapping(bootstrap.get(way)).get("source"))
        for way in ("recovery", "pg_basebackup")
    ]
    for path, source in places:
        if isinstance(source, str) and source and source not in external:
            yield Problem("V060", path, f"externalClusters has no '{source}'")
    if replica.get("enabled") and replica.get("primary"):
        yield Problem("V040", ("spec", "replica", "enabled"), "enabled and primary exclude each other")
    if replica.get("enabled") and not ({"recovery", "pg_basebackup"} & bootstrap.keys()):
        yield Problem("V040", ("spec", "replica"), "a replica cluster begins with bootstrap.recovery or pg_basebackup")
    if len(bootstrap) > 1:
        yield Problem("V040", ("spec", "bootstrap"), f"one way to begin, not {' and '.join(sorted(bootstrap))}")


@rule_for(GROUP, "DatabaseRole")
def role(manifest: Manifest) -> Iterator[Problem]:
    yield from _role(manifest.spec, ("spec",))


@rule_for(GROUP, "Database")
def database(manifest: Manifest) -> Iterator[Problem]:
    if manifest.spec.get("name") in _RESERVED_DATABASES:
        yield Problem("V040", ("spec", "name"), f"the database '{manifest.spec['name']}' is PostgreSQL's")


@rule_for(GROUP, "Pooler")
def pooler(manifest: Manifest) -> Iterator[Problem]:
    spec = manifest.spec
    if mapping(spec.get("cluster")).get("name") == manifest.identity.name:
        yield Problem("V040", ("metadata", "name"), "a Pooler can't be called like its Cluster")
    bouncer = mapping(spec.get("pgbouncer"))
    if bouncer.get("authQuery") and not (bouncer.get("authQuerySecret") or bouncer.get("serverTLSSecret")):
        yield Problem("V040", ("spec", "pgbouncer", "authQuery"), "authQuery needs serverTLSSecret or authQuerySecret")


_LATER_ROLES = ("streaming_replica", "cnpg_metrics_exporter")
"""Created once the server runs (internal/cmd/manager/instance/run/lifecycle/run.go), after the statements of initdb."""
_READ = 4096
"""Characters of a statement that are looked at."""


def _first_statements(manifest: Manifest) -> Iterator[Problem]:
    """A statement of initdb that names a role which is not there yet ends the bootstrap, each time."""
    initdb = mapping(mapping(manifest.spec.get("bootstrap")).get("initdb"))
    made: set[str] = set()
    for part in ("postInitSQL", "postInitTemplateSQL", "postInitApplicationSQL"):
        for number, given in enumerate(items(initdb.get(part))):
            statement = str(given)[:_READ]
            made |= {
                role for role in _LATER_ROLES if re.search(rf"(?i)\bCREATE\s+(?:ROLE|USER)\s+\"?{role}\b", statement)
            }
            for role in _LATER_ROLES:
                if role not in made and re.search(rf"\b{role}\b", statement):
                    path = ("spec", "bootstrap", "initdb", part, number)
                    yield Problem(
                        "V040",
                        path,
                        f"the role '{role}' does not exist yet",
                        f"create it first: CREATE ROLE {role} LOGIN REPLICATION" if role == _LATER_ROLES[0] else "",
                    )
