"""Values of postgresql.conf and pgbouncer.ini: numbers and units (PostgreSQL, utils/misc/guc.c; PgBouncer, doc/config.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, mapping
from tenantry.verify.registration import rule_for

_NUMBER = r"\s*[-+]?(?:0[xX][0-9a-fA-F]+|[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+)\s*"
_MEMORY = (re.compile(rf"{_NUMBER}(?:B|kB|MB|GB|TB)?\s*"), "a size: a number and B, kB, MB, GB or TB")
_TIME = (re.compile(rf"{_NUMBER}(?:us|ms|s|min|h|d)?\s*"), "a time: a number and us, ms, s, min, h or d")
_PLAIN = (re.compile(_NUMBER), "a number")
_SWITCH = (
    re.compile(r"(?i)\s*(?:on|off|of|0|1|t(?:r(?:u(?:e)?)?)?|f(?:a(?:l(?:s(?:e)?)?)?)?|y(?:e(?:s)?)?|no?)\s*"),
    "on or off",
)
_KINDS = {
    _MEMORY: """autovacuum_work_mem effective_cache_size logical_decoding_work_mem maintenance_work_mem
        max_slot_wal_keep_size max_stack_depth max_wal_size min_dynamic_shared_memory min_wal_size shared_buffers
        temp_buffers temp_file_limit wal_buffers wal_keep_size wal_skip_threshold wal_writer_flush_after work_mem""",
    _TIME: """archive_timeout authentication_timeout autovacuum_naptime autovacuum_vacuum_cost_delay bgwriter_delay
        checkpoint_timeout checkpoint_warning deadlock_timeout idle_in_transaction_session_timeout
        idle_session_timeout lock_timeout log_autovacuum_min_duration log_min_duration_statement
        max_standby_archive_delay max_standby_streaming_delay statement_timeout tcp_keepalives_idle
        tcp_keepalives_interval tcp_user_timeout transaction_timeout wal_receiver_status_interval
        wal_receiver_timeout wal_sender_timeout wal_writer_delay""",
    _PLAIN: """autovacuum_max_workers autovacuum_vacuum_scale_factor autovacuum_vacuum_threshold
        checkpoint_completion_target commit_delay cpu_tuple_cost default_statistics_target
        effective_io_concurrency hash_mem_multiplier maintenance_io_concurrency max_connections
        max_locks_per_transaction max_parallel_maintenance_workers max_parallel_workers
        max_parallel_workers_per_gather max_pred_locks_per_transaction max_prepared_transactions
        max_replication_slots max_wal_senders max_worker_processes random_page_cost reserved_connections
        seq_page_cost superuser_reserved_connections tcp_keepalives_count vacuum_cost_limit""",
    _SWITCH: """autovacuum fsync full_page_writes hot_standby_feedback jit log_checkpoints
        log_disconnections log_lock_waits track_activities track_counts track_io_timing
        wal_log_hints""",
}
_POSTGRESQL = {name: kind for kind, names in _KINDS.items() for name in names.split()}
_PGBOUNCER = frozenset(
    [
        "autodb_idle_timeout",
        "cancel_wait_timeout",
        "client_idle_timeout",
        "client_login_timeout",
        "default_pool_size",
        "dns_max_ttl",
        "idle_transaction_timeout",
        "listen_backlog",
        "max_client_conn",
        "max_db_connections",
        "max_packet_size",
        "max_prepared_statements",
        "max_user_connections",
        "min_pool_size",
        "pkt_buf",
        "query_timeout",
        "query_wait_timeout",
        "reserve_pool_size",
        "reserve_pool_timeout",
        "server_check_delay",
        "server_connect_timeout",
        "server_idle_timeout",
        "server_lifetime",
        "server_login_retry",
        "stats_period",
        "suspend_timeout",
        "tcp_keepcnt",
        "tcp_keepidle",
        "tcp_keepintvl",
        "transaction_timeout",
    ]
)
_LONGEST = 64


@rule_for("postgresql.cnpg.io", "Cluster")
def server_parameters(manifest: Manifest) -> Iterator[Problem]:
    for name, value in mapping(mapping(manifest.spec.get("postgresql")).get("parameters")).items():
        path: Path = ("spec", "postgresql", "parameters", name)
        if name not in _POSTGRESQL or not isinstance(value, str):
            continue
        pattern, what = _POSTGRESQL[name]
        bare = value.strip("'")
        if len(bare) > _LONGEST or not pattern.fullmatch(bare):
            yield Problem("V040", path, f"PostgreSQL does not start with '{value[:_LONGEST]}': {name} is {what}")


@rule_for("postgresql.cnpg.io", "Pooler")
def pooler_parameters(manifest: Manifest) -> Iterator[Problem]:
    for name, value in mapping(mapping(manifest.spec.get("pgbouncer")).get("parameters")).items():
        if (
            name in _PGBOUNCER
            and isinstance(value, str)
            and not re.fullmatch(r"\s*[0-9]{1,18}(?:\.[0-9]{1,9})?\s*", value)
        ):
            path = ("spec", "pgbouncer", "parameters", name)
            yield Problem("V040", path, f"PgBouncer does not start with '{value[:_LONGEST]}': {name} is a number")
