"""Names of parameters, and the values that they take: PostgreSQL's (utils/misc/guc_tables.c, 13 to 18) and PgBouncer's.

Versions, kinds and limits were compared with the table by which Patroni judges each version's parameters (patroni v4.1.4,
patroni/postgresql/available_parameters/0_postgres.yml), and with what a server of version 15 says (postgres --describe-config).
"""

from __future__ import annotations

import re

from tenantry.verify.operators.cloudnativepg.rules import FIXED_PARAMETERS

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
POSTGRESQL = {name: kind for kind, names in _KINDS.items() for name in names.split()}
CHOICES = {
    "backslash_quote": "safe_encoding on off true false yes no 1 0",
    "bytea_output": "escape hex",
    "client_min_messages": "debug debug1 debug2 debug3 debug4 debug5 error info log notice warning",
    "compute_query_id": "auto regress on off true false yes no 1 0",
    "constraint_exclusion": "partition on off true false yes no 1 0",
    "debug_logical_replication_streaming": "buffered immediate",
    "debug_parallel_query": "regress on off true false yes no 1 0",
    "default_toast_compression": "lz4 pglz",
    "default_transaction_isolation": "read_committed read_uncommitted repeatable_read serializable",
    "dynamic_shared_memory_type": "mmap posix sysv",
    "file_copy_method": "clone copy",
    "huge_pages": "try on off true false yes no 1 0",
    "icu_validation_level": "debug debug1 debug2 debug3 debug4 debug5 disabled error info log notice warning",
    "intervalstyle": "iso_8601 postgres postgres_verbose sql_standard",
    "io_method": "io_uring sync worker",
    "log_error_verbosity": "default terse verbose",
    "log_min_error_statement": "debug debug1 debug2 debug3 debug4 debug5 error fatal info log notice panic warning",
    "log_min_messages": "debug debug1 debug2 debug3 debug4 debug5 error fatal info log notice panic warning",
    "log_statement": "all ddl mod none",
    "password_encryption": "md5 scram-sha-256",
    "plan_cache_mode": "auto force_custom_plan force_generic_plan",
    "recovery_init_sync_method": "fsync syncfs",
    "recovery_prefetch": "try on off true false yes no 1 0",
    "session_replication_role": "local origin replica",
    "shared_memory_type": "mmap sysv",
    "ssl_max_protocol_version": "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3",
    "ssl_min_protocol_version": "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3",
    "stats_fetch_consistency": "cache none snapshot",
    "synchronous_commit": "local remote_apply remote_write on off true false yes no 1 0",
    "track_functions": "all none pl",
    "wal_compression": "lz4 pglz zstd on off true false yes no 1 0",
    "wal_level": "logical minimal replica",
    "wal_sync_method": "fdatasync fsync open_datasync open_sync",
    "xmlbinary": "base64 hex",
    "xmloption": "content document",
}
"""Values that parameters take, in any case."""
LIMITS: dict[str, tuple[float, float]] = {
    "autovacuum_analyze_scale_factor": (0, 100),
    "autovacuum_max_workers": (1, 262143),
    "autovacuum_vacuum_scale_factor": (0, 100),
    "checkpoint_completion_target": (0, 1),
    "default_statistics_target": (1, 10000),
    "hash_mem_multiplier": (1, 1000),
    "max_connections": (1, 262143),
    "max_locks_per_transaction": (10, 2**31 - 1),
    "max_parallel_workers_per_gather": (0, 1024),
    "max_replication_slots": (0, 262143),
    "max_wal_senders": (0, 262143),
    "max_worker_processes": (0, 262143),
    "vacuum_cost_limit": (1, 10000),
}
LEAST_KB = {
    "min_wal_size": 32 << 10,
    "max_wal_size": 32 << 10,
    "shared_buffers": 128,
    "temp_buffers": 800,
    "work_mem": 64,
}
_OTHERS = """allow_alter_system allow_in_place_tablespaces application_name archive_library array_nulls
    autovacuum_analyze_threshold autovacuum_freeze_max_age autovacuum_multixact_freeze_max_age
    autovacuum_vacuum_cost_limit autovacuum_vacuum_insert_scale_factor autovacuum_vacuum_insert_threshold
    autovacuum_vacuum_max_threshold autovacuum_worker_slots backend_flush_after backtrace_functions
    bgwriter_flush_after bgwriter_lru_maxpages bgwriter_lru_multiplier check_function_bodies checkpoint_flush_after
    client_connection_check_interval client_encoding commit_siblings commit_timestamp_buffers cpu_index_tuple_cost
    cpu_operator_cost createrole_self_grant cursor_tuple_fraction datestyle db_user_namespace debug_discard_caches
    debug_io_direct debug_pretty_print debug_print_parse debug_print_plan debug_print_rewritten
    default_table_access_method default_tablespace default_text_search_config default_transaction_deferrable
    default_transaction_read_only dynamic_library_path enable_async_append enable_bitmapscan
    enable_distinct_reordering enable_gathermerge enable_group_by_reordering enable_hashagg enable_hashjoin
    enable_incremental_sort enable_indexonlyscan enable_indexscan enable_material enable_memoize enable_mergejoin
    enable_nestloop enable_parallel_append enable_parallel_hash enable_partition_pruning
    enable_partitionwise_aggregate enable_partitionwise_join enable_presorted_aggregate enable_self_join_elimination
    enable_seqscan enable_sort enable_tidscan escape_string_warning event_triggers exit_on_error
    extension_control_path extra_float_digits force_parallel_mode from_collapse_limit geqo geqo_effort
    geqo_generations geqo_pool_size geqo_seed geqo_selection_bias geqo_threshold gin_fuzzy_search_limit
    gin_pending_list_limit gss_accept_delegation huge_page_size idle_replication_slot_timeout
    ignore_checksum_failure ignore_invalid_pages ignore_system_indexes io_combine_limit io_max_combine_limit
    io_max_concurrency io_workers jit_above_cost jit_debugging_support jit_dump_bitcode jit_expressions
    jit_inline_above_cost jit_optimize_above_cost jit_profiling_support jit_tuple_deforming join_collapse_limit
    krb_caseins_users krb_server_keyfile lc_messages lc_monetary lc_numeric lc_time lo_compat_privileges
    local_preload_libraries log_connections log_duration log_executor_stats log_hostname log_line_prefix
    log_lock_failures log_min_duration_sample log_parameter_max_length log_parameter_max_length_on_error
    log_parser_stats log_planner_stats log_recovery_conflict_waits log_replication_commands
    log_startup_progress_interval log_statement_sample_rate log_statement_stats log_temp_files log_timezone
    log_transaction_sample_rate logical_replication_mode max_active_replication_origins max_files_per_process
    max_logical_replication_workers max_notify_queue_pages max_parallel_apply_workers_per_subscription
    max_pred_locks_per_page max_pred_locks_per_relation max_sync_workers_per_subscription md5_password_warnings
    min_parallel_index_scan_size min_parallel_table_scan_size multixact_member_buffers multixact_offset_buffers
    notify_buffers oauth_validator_libraries old_snapshot_threshold operator_precedence_warning
    parallel_leader_participation parallel_setup_cost parallel_tuple_cost post_auth_delay pre_auth_delay
    quote_all_identifiers recursive_worktable_factor remove_temp_files_after_crash restrict_nonsystem_relation_kind
    row_security scram_iterations search_path send_abort_for_crash send_abort_for_kill serializable_buffers
    session_preload_libraries ssl_ciphers ssl_crl_dir ssl_groups ssl_tls13_ciphers standard_conforming_strings
    subtransaction_buffers summarize_wal sync_replication_slots synchronize_seqscans timezone timezone_abbreviations
    trace_connection_negotiation trace_notify trace_recovery_messages trace_sort track_activity_query_size
    track_commit_timestamp track_cost_delay_timing track_wal_io_timing transaction_buffers transaction_deferrable
    transaction_isolation transaction_read_only transform_null_equals update_process_title vacuum_buffer_usage_limit
    vacuum_cleanup_index_scale_factor vacuum_cost_delay vacuum_cost_page_dirty vacuum_cost_page_hit
    vacuum_cost_page_miss vacuum_defer_cleanup_age vacuum_failsafe_age vacuum_freeze_min_age vacuum_freeze_table_age
    vacuum_max_eager_freeze_failure_rate vacuum_multixact_failsafe_age vacuum_multixact_freeze_min_age
    vacuum_multixact_freeze_table_age vacuum_truncate wal_consistency_checking wal_decode_buffer_size wal_init_zero
    wal_receiver_create_temp_slot wal_recycle wal_retrieve_retry_interval wal_summary_keep_time zero_damaged_pages"""
_OLD_NAMES = ("sort_mem", "ssl_ecdh_curve", "vacuum_mem")
"""Names that PostgreSQL still takes for others (guc.c, map_old_guc_names)."""
KNOWN = frozenset((*_OLD_NAMES, *POSTGRESQL, *CHOICES, *LIMITS, *LEAST_KB, *FIXED_PARAMETERS, *_OTHERS.split()))
"""All names of PostgreSQL 13 to 18 that a file may set; builds for developers and forks have more."""
SINCE: dict[str, int] = {
    parameter: major
    for major, parameters in {
        15: """allow_in_place_tablespaces archive_library debug_discard_caches enable_memoize log_startup_progress_interval
            recovery_prefetch recursive_worktable_factor stats_fetch_consistency wal_decode_buffer_size""",
        16: """createrole_self_grant debug_io_direct debug_parallel_query enable_presorted_aggregate gss_accept_delegation
            icu_validation_level logical_replication_mode max_parallel_apply_workers_per_subscription
            reserved_connections scram_iterations send_abort_for_crash send_abort_for_kill
            vacuum_buffer_usage_limit""",
        17: """allow_alter_system commit_timestamp_buffers debug_logical_replication_streaming enable_group_by_reordering
            event_triggers io_combine_limit max_notify_queue_pages multixact_member_buffers
            multixact_offset_buffers notify_buffers restrict_nonsystem_relation_kind serializable_buffers
            subtransaction_buffers summarize_wal sync_replication_slots synchronized_standby_slots
            trace_connection_negotiation transaction_buffers transaction_timeout wal_summary_keep_time""",
        18: """autovacuum_vacuum_max_threshold autovacuum_worker_slots enable_distinct_reordering
            enable_self_join_elimination extension_control_path file_copy_method
            idle_replication_slot_timeout io_max_combine_limit io_max_concurrency io_method io_workers
            log_lock_failures max_active_replication_origins md5_password_warnings oauth_validator_libraries
            ssl_groups ssl_tls13_ciphers track_cost_delay_timing vacuum_max_eager_freeze_failure_rate
            vacuum_truncate""",
    }.items()
    for parameter in parameters.split()
}
"""The first version that knows a parameter, where it is later than 14."""
LAST: dict[str, int] = {
    parameter: major
    for major, parameters in {
        13: """operator_precedence_warning vacuum_cleanup_index_scale_factor""",
        14: """stats_temp_directory""",
        15: """force_parallel_mode promote_trigger_file vacuum_defer_cleanup_age""",
        16: """db_user_namespace logical_replication_mode old_snapshot_threshold trace_recovery_messages""",
    }.items()
    for parameter in parameters.split()
}
"""The last version that knows a parameter, where a later one is there."""

_NUMBERED = """autodb_idle_timeout cancel_wait_timeout client_idle_timeout client_login_timeout default_pool_size dns_max_ttl
    dns_nxdomain_ttl idle_transaction_timeout listen_backlog max_client_conn max_db_connections max_packet_size
    max_prepared_statements max_user_connections min_pool_size pkt_buf query_timeout query_wait_timeout
    reserve_pool_size reserve_pool_timeout sbuf_loopcnt server_check_delay server_connect_timeout server_idle_timeout
    server_lifetime server_login_retry stats_period suspend_timeout tcp_keepcnt tcp_keepidle tcp_keepintvl
    tcp_socket_buffer tcp_user_timeout"""
PGBOUNCER_NUMBERS = frozenset(_NUMBERED.split())
PGBOUNCER_CHOICES = {
    "client_tls_sslmode": "allow disable prefer require verify-ca verify-full",
    "server_tls_sslmode": "allow disable prefer require verify-ca verify-full",
}
_REST = """application_name_add_host auth_type auth_user client_tls_ciphers client_tls13_ciphers disable_pqexec
    ignore_startup_parameters log_connections log_disconnections log_pooler_errors log_stats server_check_query
    server_fast_close server_reset_query server_reset_query_always server_round_robin server_tls_ciphers
    server_tls13_ciphers server_tls_protocols tcp_defer_accept tcp_keepalive track_extra_parameters verbose"""
PGBOUNCER = frozenset((*PGBOUNCER_NUMBERS, *PGBOUNCER_CHOICES, *_REST.split()))
"""Those that CloudNativePG lets people set."""
