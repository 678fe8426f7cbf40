"""A backup of another system is told apart from what it is not, and compared with a release; nothing in it is trusted."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Ran

Run = Callable[..., Ran]
MANIFEST: dict[str, Any] = {
    "odoo_dump": "1", "db_name": "old", "version": "18.0-20260901", "version_info": [18, 0, 0, "final", 0, ""],
    "major_version": "18.0", "pg_version": "16.0", "modules": {"base": "18.0.1.3", "web": "18.0.1.0", "website_sale": "18.0.1.1"},
}  # fmt: skip
FILES = {"filestore/ab/abcdef": b"x" * 2048, "filestore/": b""}


def backup(folder: Path, files: dict[str, bytes] | None = None, **changes: Any) -> Path:
    path = folder / "it's a backup.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("dump.sql", b"-- PostgreSQL database dump\n" * 100_000)
        archive.writestr("manifest.json", json.dumps({**MANIFEST, **changes}))
        for name, content in (FILES if files is None else files).items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def dump(run: Run, fleet: Path) -> Callable[..., Ran]:
    def call(path: Path, *more: str, release: str = "odoo-18.0-20261012", cell: str = "euw1-shared-a") -> Ran:
        return run("migrate", "dump", path, "--release", release, "--cell", cell, *more, "-C", fleet)

    return call


def test_it_says_what_is_in_it_and_what_the_release_does_not_name(dump: Callable[..., Ran], tmp_path: Path) -> None:
    ran = dump(backup(tmp_path))
    assert ran.code == 0, ran
    first, second, *rest = ran.out.splitlines()
    assert first == "'old': Odoo 18.0 Community, PostgreSQL 16, 3 modules."
    assert second == "Unpacked: 2.7 MiB of SQL, 1 attachments of 0.0 MiB."
    assert "does not name 1 of its modules: website_sale." in rest[0]
    assert any("podman run --rm --entrypoint /bin/sh registry.provider.example/odoo/odoo:18.0" in line for line in rest)
    assert any(line.startswith("The migration installs fs_attachment_environment, mail, account") for line in rest)
    assert "'\\''s a backup.zip'" in ran.out, "a name is quoted for the shell"


def test_the_answer_is_a_document_too(dump: Callable[..., Ran], tmp_path: Path) -> None:
    found = json.loads(dump(backup(tmp_path), "--format", "json").out)
    assert (found["odoo"], found["postgresql"], found["not_named"], found["files"]) == ("18.0", 16, ["website_sale"], 1)


OBSTACLES = {
    "an older Odoo": ({"major_version": "16.0"}, None, "upgrade it first, one major at a time (17.0, 18.0)"),
    "a later Odoo": ({"major_version": "19.0"}, None, "it is of Odoo 19.0, which Odoo 18.0 of release 'odoo-18.0-20261012' can't read"),
    "a version of Odoo Online": ({"major_version": "saas~18.2"}, None, "it is of Odoo 18.2, which Odoo 18.0"),
    "a later PostgreSQL": ({"pg_version": "18.0"}, None, "it is of PostgreSQL 18, and the server has 17"),
    "no filestore": ({}, {}, "it has no filestore, so every attachment would be missing"),
}  # fmt: skip


@pytest.mark.parametrize("name", OBSTACLES)
def test_what_stands_against_it_is_said(dump: Callable[..., Ran], tmp_path: Path, name: str) -> None:
    changes, files, why = OBSTACLES[name]
    ran = dump(backup(tmp_path, files, **changes))
    assert (ran.code, f"NOT LIKE THIS: {why}" in ran.out or why in ran.out) == (1, True), ran
    assert ran.out.count("NOT LIKE THIS") == 1


def test_enterprise_needs_an_image_of_it(dump: Callable[..., Ran], tmp_path: Path) -> None:
    ran = dump(backup(tmp_path, version="18.0+e-20260901"))
    assert "Odoo 18.0 Enterprise" in ran.out
    assert "the image must be, too" in ran.out


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a module that is a command": ({"modules": {"base; rm -rf /": "1"}}, "some that are no names"),
    "a module with a line end": ({"modules": {"base\n": "1"}}, "some that are no names"),
    "no modules": ({"modules": []}, "names no modules"),
    "no version": ({"major_version": "newest"}, "has no versions of Odoo and PostgreSQL"),
    "no PostgreSQL": ({"pg_version": "unknown"}, "has no versions of Odoo and PostgreSQL"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_manifest_that_is_not_odoos_is_refused(dump: Callable[..., Ran], tmp_path: Path, name: str) -> None:
    changes, why = WRONG[name]
    ran = dump(backup(tmp_path, **changes))
    assert (ran.code, why in ran.err, ran.out) == (2, True, ""), ran


@pytest.mark.parametrize(("content", "why"), [
    (b"PGDMP", "is not a zip archive"), (b"", "is not a zip archive"), (b"PK\x03\x04 and no more", "is not a zip archive"),
])  # fmt: skip
def test_a_file_that_is_no_archive_is_refused(
    dump: Callable[..., Ran], tmp_path: Path, content: bytes, why: str
) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    ran = dump(path)
    assert (ran.code, why in ran.err) == (2, True), ran


@pytest.mark.parametrize(("manifest", "why"), [
    (b"[]", "is not one of Odoo's"), (b"{", "is not one of Odoo's"), (b"{}", "is not one of Odoo's"),
    (b"[" * 100_000, "is not one of Odoo's"), (b" " * ((4 << 20) + 1), "exceeds 4 MiB"),
])  # fmt: skip
def test_a_manifest_that_can_not_be_read_is_refused(
    dump: Callable[..., Ran], tmp_path: Path, manifest: bytes, why: str
) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("dump.sql", b"")
        archive.writestr("manifest.json", manifest)
    ran = dump(path)
    assert (ran.code, why in ran.err) == (2, True), ran


def test_other_archives_and_names_that_are_not_there_are_refused(dump: Callable[..., Ran], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", b"")
    assert "has no manifest.json and dump.sql" in dump(tmp_path / "other.zip").err
    assert "can't be read: No such file" in dump(tmp_path / "missing.zip").err
    assert "there is no release 'odoo-18'" in dump(backup(tmp_path), release="odoo-18").err
    assert "there is no cell 'euw1'" in dump(backup(tmp_path), cell="euw1").err
