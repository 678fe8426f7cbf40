"""The namespaces in which a cluster lives, and what the kernel does not clean up by itself.

All processes, networks and mounts belong to namespaces of their own: when the first process ends, however it ends, the
kernel removes them. Control groups and the few settings of the machine that a kubelet changes are outside of namespaces;
`remains` puts them back.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from acceptance.harness import namespaces
from acceptance.harness.process import wait_for
from acceptance.harness.programs import UnavailableError

CGROUPS = Path("/sys/fs/cgroup")
CGROUP = "tenantry-cluster"
"""Folder below each controller; the nodes' are inside."""
CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "hugetlb", "systemd")
SETTINGS = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
            "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes")  # fmt: skip
"""Below /proc/sys: what a kubelet sets (pkg/kubelet/cm/container_manager_linux.go)."""
LAYERS = "layers"
"""Folder of the nodes' images."""
DISK_BYTES = 40 << 30
"""Sparse: what is not written takes no room."""
_PLACES = (Path("/mnt"), Path("/srv"), Path("/media"))
_PRIVATE = ("/run", "/var/log", "/var/lib/kubelet", "/var/lib/cni")
"""Folders that programs write to whatever they are told; in memory inside."""
NEEDED = ("setpriv", "unshare", "ip", "mount", "nsenter", "iptables")


def search_path() -> str:
    """Where programs are looked for: a user's PATH may lack those of an administrator."""
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def require() -> None:
    """Raises UnavailableError where a cluster can't live."""
    if os.geteuid() != 0:
        raise UnavailableError("containers need root here; run it as root")
    for tool in NEEDED:
        if not shutil.which(tool, path=search_path()):
            raise UnavailableError(f"'{tool}' is missing: install util-linux, iproute2 and iptables")
    if not (CGROUPS / "memory").is_dir():
        raise UnavailableError("the suite knows control groups of version 1 only, and this machine has none")


def command(program: list[str]) -> list[str]:
    """How to start a program as the first process of a cluster's namespaces. Raises UnavailableError."""
    return namespaces.command(program)


def furnish(keep: Path) -> Path:
    """Inside: a folder in memory for the cluster, with the user's cache below it, and private folders; its path."""
    _run("mount", "--make-rshared", "/")
    _run("ip", "link", "set", "lo", "up")
    place = next(place for place in _PLACES if place.is_dir())
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "cluster", str(place))
    inside = place / "cache" / keep.name
    inside.mkdir(parents=True)
    _run("mount", "--bind", str(keep), str(inside))
    _mount_disk(place / LAYERS, keep)
    for folder in _PRIVATE:
        Path(folder).mkdir(parents=True, exist_ok=True)
        _run("mount", "-t", "tmpfs", "-o", "mode=755", "cluster", folder)
    return place


def _mount_disk(folder: Path, keep: Path) -> None:
    """A file system of its own on the disk of the user's cache, gone with these namespaces; without loop devices, in memory.

    Images are gigabytes, and each node has its own copy.
    """
    folder.mkdir()
    handle, name = tempfile.mkstemp(prefix="cluster-", suffix=".img", dir=keep)
    with os.fdopen(handle, "wb") as file:
        file.truncate(DISK_BYTES)
    format_it = ["mkfs.ext4", "-q", "-O", "^has_journal", "-E", "nodiscard,lazy_itable_init=1", name]
    mount_it = ["mount", "-o", "loop,noatime,discard", name, str(folder)]
    try:
        for command in (format_it, mount_it):
            if subprocess.run(command, capture_output=True, check=False).returncode:
                return
    finally:
        Path(name).unlink()


def make_cgroups(node: str) -> str:
    """Control groups of one node, in each controller; their name as a kubelet takes it."""
    for controller in CONTROLLERS:
        for folder in (CGROUPS / controller / CGROUP, CGROUPS / controller / CGROUP / node):
            if not folder.parent.is_dir():
                continue
            folder.mkdir(exist_ok=True)
            if controller == "cpuset":
                for name in ("cpuset.cpus", "cpuset.mems"):
                    (folder / name).write_text((folder.parent / name).read_text())
    return f"/{CGROUP}/{node}"


@contextlib.contextmanager
def remains() -> Iterator[None]:
    """Puts back what no namespace holds. Entered outside, before the cluster starts."""
    before = {name: _read(name) for name in SETTINGS}
    try:
        yield
    finally:
        restore(before)


def restore(settings: dict[str, str]) -> None:
    """Set the machine's settings to these values, and remove the control groups once their last processes have ended.

    Raises NotReadyError when they don't end within half a minute.
    """
    for name, value in settings.items():
        if value and _read(name) != value:
            Path("/proc/sys", name).write_text(value)
    wait_for("control groups removed", _remove_groups, 30, every=0.2)


def _remove_groups() -> bool:
    for top in CGROUPS.glob(f"*/{CGROUP}"):
        for path in sorted((p for p in top.rglob("*") if p.is_dir()), key=lambda p: -len(p.parts)):
            path.rmdir()
        top.rmdir()
    return True


def settings() -> dict[str, str]:
    """The machine's present settings."""
    return {name: _read(name) for name in SETTINGS}


def _read(name: str) -> str:
    try:
        return Path("/proc/sys", name).read_text().strip()
    except OSError:
        return ""


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
