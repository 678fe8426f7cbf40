"""Servers from the distribution's packages: those that are installed, else the packages unpacked into the cache.

Nothing is installed: no service starts, no file of the system changes, and it works without root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from acceptance.harness.programs import Say, UnavailableError, cache


@dataclass(frozen=True)
class Server:
    """A program of a Debian package."""

    program: str
    package: str

    def path(self) -> Path:
        """The installed program, else the unpacked one. Raises UnavailableError."""
        found = self._find()
        if found is None:
            raise UnavailableError(f"{self.program} is missing: install the package {self.package}")
        return found

    def _find(self) -> Path | None:
        installed = shutil.which(self.program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        places = [Path(installed)] if installed else []
        for root in (Path("/"), unpacked()):
            places += [root / folder / self.program for folder in _FOLDERS]
            places += sorted(root.glob(f"usr/lib/postgresql/*/bin/{self.program}"), reverse=True)
        return next((path for path in places if path.is_file()), None)


_FOLDERS = ("usr/bin", "usr/sbin", "usr/lib/cni", "bin", "sbin")

POSTGRES = Server("postgres", "postgresql")
INITDB = Server("initdb", "postgresql")
PSQL = Server("psql", "postgresql-client")
PG_DUMP = Server("pg_dump", "postgresql-client")
PGBOUNCER = Server("pgbouncer", "pgbouncer")
REDIS = Server("redis-server", "redis-server")
PROMTOOL = Server("promtool", "prometheus")
AMTOOL = Server("amtool", "prometheus-alertmanager")
CHROMIUM = Server("chromium", "chromium")
CHROMEDRIVER = Server("chromedriver", "chromium-driver")


def unpacked() -> Path:
    return cache() / "packages/root"


def libraries() -> dict[str, str]:
    """Environment in which an unpacked program finds the libraries that came with it."""
    folders = [unpacked() / "usr/lib", *sorted(unpacked().glob("usr/lib/*-linux-gnu"))]
    return {"LD_LIBRARY_PATH": ":".join(map(str, folders))}


def search_path() -> str:
    """PATH with the unpacked programs at its end."""
    folders = (unpacked() / folder for folder in ("usr/bin", "usr/sbin", "bin", "sbin"))
    return ":".join((os.environ.get("PATH", ""), *map(str, folders)))


def ensure(servers: list[Server], say: Say) -> None:
    """Fetch and unpack what is neither installed nor unpacked yet. Raises UnavailableError."""
    folder = cache() / "packages"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        missing = sorted({server.package for server in servers if server._find() is None})
        if missing:
            say(f"fetching packages: {' '.join(missing)} (once)")
            _fetch(folder, missing)


def _fetch(folder: Path, packages: list[str]) -> None:
    if not shutil.which("apt-get"):
        raise UnavailableError(f"{' '.join(packages)}: this machine has no apt; install them")
    lists, archives = folder / "lists", folder / "archives"
    for path in (lists / "partial", archives / "partial"):
        path.mkdir(parents=True, exist_ok=True)
    options = ["Debug::NoLocking=true", f"Dir::State::Lists={lists}", f"Dir::Cache={folder}", f"Dir::Cache::archives={archives}",
               "APT::Sandbox::User="]  # fmt: skip
    apt = ["apt-get", "-qq", *(part for option in options for part in ("-o", option))]
    _run([*apt, "update"])
    _run([*apt, "--yes", "--download-only", "--no-install-recommends", "install", *packages])
    for archive in sorted(archives.glob("*.deb")):
        _run(["dpkg-deb", "--extract", str(archive), str(unpacked())])
    shutil.rmtree(archives)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UnavailableError(f"packages could not be fetched: {last}")
