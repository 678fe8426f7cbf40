"""One bridge for a run, with the servers' addresses, and a network of its own for each Pod.

All of it lies in namespaces that end with the run.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from images.services import DATABASE, OBJECTS, SESSIONS

PORT_443 = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


def bridge() -> None:
    """In the network namespace of the caller."""
    PORT_443.write_text("0")
    _ip("link", "set", "lo", "up")
    _ip("link", "add", "pods", "type", "bridge")
    for address in (DATABASE, SESSIONS, OBJECTS):
        _ip("address", "add", f"{address}/16", "dev", "pods")
    _ip("link", "set", "pods", "up")


def pod(number: int, address: str) -> int:
    """The process that holds the new namespace."""
    holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    outside, inside = f"pod{number}", f"/proc/{holder.pid}/ns/net"
    while Path(inside).readlink() == Path("/proc/self/ns/net").readlink():
        pass  # until unshare has made it
    _ip("link", "add", outside, "master", "pods", "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
    _ip("link", "set", outside, "up")
    enter = ["nsenter", f"--net={inside}"]
    for words in (
        ("link", "set", "lo", "up"),
        ("address", "add", f"{address}/16", "dev", "eth0"),
        ("link", "set", "eth0", "up"),
    ):
        _run([*enter, "ip", *words])
    return holder.pid


def _ip(*words: str) -> None:
    _run(["ip", *words])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
