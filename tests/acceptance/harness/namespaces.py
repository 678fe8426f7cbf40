"""The small world in which a run lives: Linux namespaces for processes, network and mounts.

However the run ends, the kernel ends every process with it, nothing can reach another machine, and the files that the
servers write lie in memory and vanish. Inside, every address of 10.0.0.0/8 is this machine: one local server can stand
for all Pods.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from acceptance.harness.programs import UnavailableError

LOCAL = ("10.0.0.0/8", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24")
"""Addresses of Pods and of documentation (clients), which lead to this machine inside the run's namespace."""
HOSTS = Path("/etc/hosts")
_PLACES = (Path("/mnt"), Path("/srv"), Path("/media"), Path("/opt"))


def command(program: list[str]) -> list[str]:
    """How to start a program as the first process of new namespaces. Raises UnavailableError."""
    if sys.platform != "linux":
        raise UnavailableError("the suite needs Linux namespaces; this system has none")
    for tool in ("setpriv", "unshare", "ip", "mount"):
        if not shutil.which(tool):
            raise UnavailableError(f"'{tool}' is missing: install util-linux and iproute2")
    namespaces = ["--net", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc"]
    user = [] if os.geteuid() == 0 else ["--map-current-user", "--keep-caps"]
    start = ["setpriv", "--pdeathsig", "KILL", "unshare", *user, *namespaces]
    probe = subprocess.run([*start, "true"], capture_output=True, text=True, check=False)
    if probe.returncode:
        raise UnavailableError(f"namespaces are not allowed here: {probe.stderr.strip()}")
    return [*start, *program]


def furnish(cache: Path, checkout: Path) -> Path:
    """Inside: loopback up, Pod addresses local, a folder in memory for the run, the user's cache below it; its path."""
    _run("ip", "link", "set", "lo", "up")
    for network in LOCAL:
        _run("ip", "route", "add", "local", network, "dev", "lo")
    used = (cache, checkout, Path(sys.prefix), Path(sys.base_prefix))
    place = next(place for place in _PLACES if place.is_dir() and not any(path.is_relative_to(place) for path in used))
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "acceptance", str(place))
    inside = place / "cache" / cache.name
    inside.mkdir(parents=True)
    _run("mount", "--bind", str(cache), str(inside))
    hosts = place / "hosts"
    hosts.write_text("127.0.0.1 localhost\n")
    _run("mount", "--bind", str(hosts), str(HOSTS))
    return place


def name_host(name: str, address: str) -> None:
    """Let a name of the cluster's DNS lead to an address, for programs that look names up."""
    with HOSTS.open("a") as hosts:
        hosts.write(f"{address} {name}\n")


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
