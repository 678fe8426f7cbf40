"""What a database is migrated to."""

from __future__ import annotations

import dataclasses

import pytest

from tenantry.model.release import ImageUser, Release

RELEASE = Release(
    name="r1", odoo_version="19.0", image="odoo@sha256:1", built="2026-11-02", user=ImageUser(uid=100, gid=101), server_wide_modules=("base", "web"),
    modules=("base", "sale"), storage_modules=("fs_attachment",), session_store_needs_scan=False, postgresql_majors=(17,), proved=(),
)  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "r2"},
        {"image": "odoo@sha256:2"},
        {"modules": ("base", "sale", "stock")},
        {"server_wide_modules": ("base", "web", "sale")},
        {"storage_modules": ("fs_storage",)},
        {"modules": ("base",), "storage_modules": ("fs_attachment", "sale")},
    ],
    ids=lambda changed: "+".join(changed),
)
def test_another_image_or_other_modules_are_another_migration(changed: dict[str, object]) -> None:
    assert dataclasses.replace(RELEASE, **changed).marker != RELEASE.marker  # type: ignore[arg-type]


def test_what_no_database_sees_migrates_none() -> None:
    assert dataclasses.replace(RELEASE, postgresql_majors=(16, 17), addons_path=("/mnt/more",)).marker == RELEASE.marker
