"""A backup of Odoo's database manager -> what it holds, and what stands between it and a release.

The archive holds `dump.sql`, `filestore/` and `manifest.json` (Odoo 14 to 19, `odoo/service/db.py`: `dump_db_manifest`,
`_dump_db_manifest`). It comes from outside: nothing in it is unpacked, and its words are checked before they are shown.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenantry.core.findings import UsageError
from tenantry.model.release import Release

_MANIFEST, _SQL, _FILES = "manifest.json", "dump.sql", "filestore/"
_LARGEST = 4 << 20
"""Bytes of a manifest; a thousand modules take 40,000."""
_MODULE = re.compile(r"[A-Za-z0-9_]{1,100}\Z")
_MAJOR = re.compile(r"(?:saas[~-])?([0-9]{1,3}\.[0-9]{1,2})\Z")
_ENTERPRISE = "+e"
"""In the version of Odoo Enterprise: `18.0+e-20261101`."""


@dataclass(frozen=True, slots=True)
class Dump:
    """What a backup says of itself, and how large it is when it is unpacked."""

    database: str
    major: str
    enterprise: bool
    postgresql: int
    modules: tuple[str, ...]
    sql_bytes: int
    files: int
    file_bytes: int


def read_dump(path: Path, shown: str) -> Dump:
    """Read an archive's list and manifest. Raises UsageError for what is not a backup of Odoo; `shown` is how it was named."""
    hint = "make one at /web/database/manager (zip, with filestore), or download one from Odoo.sh (exact dump, with filestore)"
    try:
        with zipfile.ZipFile(path) as archive:
            there = {info.filename: info for info in archive.infolist()}
            if _MANIFEST not in there or _SQL not in there:
                raise UsageError(f"{shown} has no {_MANIFEST} and {_SQL}, so it is not a backup of Odoo", hint)
            with archive.open(_MANIFEST) as stream:
                content = stream.read(_LARGEST + 1)
            sizes = [i.file_size for n, i in there.items() if n.startswith(_FILES) and not n.endswith("/")]
            return _dump(_parsed(content, shown), shown, there[_SQL].file_size, sizes)
    except OSError as error:
        raise UsageError(f"{shown} can't be read: {error.strerror}", hint) from error
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        raise UsageError(f"{shown} is not a zip archive that can be read: {error}", hint) from error


def _parsed(content: bytes, shown: str) -> Mapping[str, Any]:
    if len(content) > _LARGEST:
        raise UsageError(f"the {_MANIFEST} of {shown} exceeds {_LARGEST >> 20} MiB", "make another backup")
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or "odoo_dump" not in value:
        raise UsageError(f"the {_MANIFEST} of {shown} is not one of Odoo's", "make another backup")
    return value


def _dump(manifest: Mapping[str, Any], shown: str, sql_bytes: int, sizes: list[int]) -> Dump:
    modules, version = manifest.get("modules"), str(manifest.get("version"))
    major = _MAJOR.match(str(manifest.get("major_version")))
    postgresql = re.match(r"[0-9]{1,3}", str(manifest.get("pg_version")))
    if not isinstance(modules, dict) or not all(isinstance(m, str) and _MODULE.match(m) for m in modules):
        raise UsageError(
            f"the {_MANIFEST} of {shown} names no modules, or some that are no names", "make another backup"
        )
    if major is None or postgresql is None:
        raise UsageError(f"the {_MANIFEST} of {shown} has no versions of Odoo and PostgreSQL", "make another backup")
    return Dump(
        str(manifest.get("db_name")), major[1], _ENTERPRISE in version, int(postgresql[0]), tuple(sorted(modules)), sql_bytes,
        len(sizes), sum(sizes),
    )  # fmt: skip


def obstacles(dump: Dump, release: Release, major: int) -> Iterator[str]:
    """Why a dump can't be brought to a release on a server of PostgreSQL `major`; none if nothing is known against it."""
    was, will = (int(version.partition(".")[0]) for version in (dump.major, release.odoo_version))
    if was < will:
        steps = ", ".join(f"{number}.0" for number in range(was + 1, will + 1))
        yield f"it is of Odoo {dump.major}, and release '{release.name}' is {release.odoo_version}: upgrade it first, one major at a time ({steps})"
    elif dump.major != release.odoo_version:
        yield f"it is of Odoo {dump.major}, which Odoo {release.odoo_version} of release '{release.name}' can't read: choose a later release"
    if dump.postgresql > major:
        yield f"it is of PostgreSQL {dump.postgresql}, and the server has {major}: choose a cell with {dump.postgresql} or later"
    if not dump.files:
        yield "it has no filestore, so every attachment would be missing: make it again, with the filestore"


def not_named(dump: Dump, release: Release) -> tuple[str, ...]:
    """Modules that the database has installed and the release does not name. Those that others bring are in the image, too."""
    named = {*release.modules, *release.storage_modules, *release.server_wide_modules}
    return tuple(module for module in dump.modules if module not in named)


def added(dump: Dump, release: Release) -> tuple[str, ...]:
    """Modules that the first migration installs."""
    return tuple(m for m in dict.fromkeys((*release.storage_modules, *release.modules)) if m not in dump.modules)
