"""The arithmetic from users to workers, memory, CPU, connections and storage, with numbers that are easy to follow."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.model.tier import CpuSizing, CronWorkersStep, MemorySizing, OwnPostgresql, PostgresqlSizeStep, Sizing
from tenantry.resolve.sizing import (
    MEBIBYTE,
    PodSize,
    PostgresqlSize,
    concurrent_users,
    http_workers,
    pod_size,
    postgresql_size,
    step_for,
)

SIZING = Sizing(
    reference_users=20, concurrent_share=0.3, users_per_worker=6, min_workers=2, max_workers_per_pod=6,
    cron_workers=(CronWorkersStep(workers=1, up_to_users=100), CronWorkersStep(workers=2)),
    connections_per_process=4, connections_websocket=8,
    memory=MemorySizing(request_base_mib=1000, request_per_worker_mib=100, limit_base_mib=2000, limit_per_worker_mib=200),
    cpu=CpuSizing(request_base_millicores=100, request_per_worker_millicores=10, limit_factor=2.0),
)  # fmt: skip
POSTGRESQL = OwnPostgresql(
    instances=3, synchronous_standbys=1, data_durability="required", spread_over_zones=True,
    sizes=(PostgresqlSizeStep(cpu_millicores=2000, memory_mib=8192, up_to_users=100), PostgresqlSizeStep(cpu_millicores=4000, memory_mib=16384)),
    storage_base_gib=10, storage_per_user_gib=0.5, wal_share=0.3, wal_min_gib=4, reserved_connections=10,
    read_only_pooler=False, replica_in_dr_region=False,
)  # fmt: skip
USERS = st.integers(1, 5000)


@pytest.mark.parametrize(("users", "workers"), [(1, 1), (100, 1), (101, 2), (5000, 2)])
def test_a_step_holds_up_to_its_number_of_users_and_the_last_for_all_others(users: int, workers: int) -> None:
    assert step_for(SIZING.cron_workers, users).workers == workers


@pytest.mark.parametrize(("users", "concurrent"), [(1, 1), (10, 3), (11, 4), (20, 6), (100, 30)])
def test_concurrent_users_are_a_share_rounded_up(users: int, concurrent: int) -> None:
    assert concurrent_users(SIZING, users) == concurrent


def test_a_share_that_binary_numbers_miss_by_a_hair_gives_no_user_more() -> None:
    assert 1100 * 0.07 > 77
    assert concurrent_users(dataclasses.replace(SIZING, concurrent_share=0.07), 1100) == 77


@pytest.mark.parametrize(("users", "workers"), [(1, 2), (40, 2), (41, 3), (60, 3), (61, 4)])
def test_a_worker_serves_its_number_of_concurrent_users_and_there_is_a_least(users: int, workers: int) -> None:
    assert http_workers(SIZING, users) == workers


@given(USERS, USERS)
def test_more_users_never_get_fewer_workers(one: int, more: int) -> None:
    assert http_workers(SIZING, one) <= http_workers(SIZING, one + more)


@given(USERS)
def test_workers_are_enough_for_the_concurrent_users_and_not_one_too_many(users: int) -> None:
    workers = http_workers(SIZING, users)
    assert workers * SIZING.users_per_worker >= concurrent_users(SIZING, users)
    assert workers == SIZING.min_workers or (workers - 1) * SIZING.users_per_worker < concurrent_users(SIZING, users)


def test_a_web_pod_is_sized_by_its_processes() -> None:
    assert pod_size(SIZING, workers=3, cron_workers=1, websocket=True) == PodSize(
        workers=3, cron_workers=1, cpu_request_millicores=140, cpu_limit_millicores=280,
        memory_request_mib=1400, memory_limit_mib=2800, connections=(4 + 1) * 4 + 8,
    )  # fmt: skip


def test_a_pod_of_one_process_has_room_for_a_second() -> None:
    size = pod_size(SIZING, workers=1, cron_workers=0, websocket=False)
    assert (size.memory_request_mib, size.memory_limit_mib, size.connections) == (1100, 2400, 8)


def test_a_websocket_pod_has_no_workers_and_connections_of_its_own_alone() -> None:
    size = pod_size(SIZING, workers=0, cron_workers=0, websocket=True)
    assert (size.workers, size.cpu_request_millicores, size.memory_request_mib, size.connections) == (0, 100, 1100, 8)


def test_a_tier_without_a_limit_factor_sets_no_cpu_limit() -> None:
    free = dataclasses.replace(SIZING, cpu=dataclasses.replace(SIZING.cpu, limit_factor=None))
    assert pod_size(free, workers=1, cron_workers=0, websocket=False).cpu_limit_millicores is None


@given(st.integers(0, 12), st.integers(0, 4))
def test_odoo_ends_a_worker_before_the_kernel_ends_the_pod(workers: int, cron_workers: int) -> None:
    size = pod_size(SIZING, workers=workers, cron_workers=cron_workers, websocket=False)
    assert size.memory_soft_bytes < size.memory_hard_bytes < size.memory_limit_mib * MEBIBYTE
    assert size.memory_hard_bytes <= 2560 * MEBIBYTE
    assert size.memory_request_mib <= size.memory_limit_mib


def test_memory_limits_leave_128_mebibytes_to_the_pod_and_the_soft_one_is_four_fifths() -> None:
    size = pod_size(SIZING, workers=1, cron_workers=0, websocket=False)
    assert size.memory_hard_bytes == (2400 - 128) * MEBIBYTE
    assert size.memory_soft_bytes == size.memory_hard_bytes * 4 // 5


def test_an_own_cluster_is_sized_by_users() -> None:
    assert postgresql_size(POSTGRESQL, 100, connections=90, share=1.0, storage_gib=None) == PostgresqlSize(
        instances=3, cpu_millicores=2000, memory_mib=8192, storage_gib=60, wal_gib=18, max_connections=100
    )


def test_more_users_take_the_next_step_of_cpu_and_memory() -> None:
    size = postgresql_size(POSTGRESQL, 101, connections=90, share=1.0, storage_gib=None)
    assert (size.cpu_millicores, size.memory_mib, size.storage_gib) == (4000, 16384, 61)


def test_a_share_makes_all_but_the_connections_smaller() -> None:
    size = postgresql_size(POSTGRESQL, 101, connections=90, share=0.5, storage_gib=None)
    assert (size.cpu_millicores, size.memory_mib, size.storage_gib) == (2000, 8192, 31)
    assert size.max_connections == 100


def test_no_share_goes_below_what_postgresql_needs() -> None:
    size = postgresql_size(POSTGRESQL, 1, connections=1, share=0.01, storage_gib=None)
    assert (size.cpu_millicores, size.memory_mib, size.storage_gib, size.wal_gib) == (500, 2048, 5, 4)


def test_an_override_of_storage_takes_the_formulas_place_and_the_log_grows_with_it() -> None:
    size = postgresql_size(POSTGRESQL, 100, connections=90, share=1.0, storage_gib=200)
    assert (size.storage_gib, size.wal_gib) == (200, 60)


def test_postgresqls_own_settings_follow_from_its_memory_and_its_log_volume() -> None:
    size = postgresql_size(POSTGRESQL, 100, connections=90, share=1.0, storage_gib=None)
    assert size.shared_buffers_mib == 2048
    assert size.max_wal_size_mib == 9 * 1024
