"""The script that starts PgBouncer: a signal when its users change, and an end when it is asked for one."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import REPOSITORY
from waiting import wait_for

SCRIPT = REPOSITORY / "generator/tenantry/render/templates/files/pgbouncer.sh"
MOUNTED = "/etc/pgbouncer-users/userlist.txt"
STANDS_IN = """#!/bin/bash
trap 'echo HUP >> "$TOLD"' HUP
trap 'echo TERM >> "$TOLD"; exit 7' TERM
echo "started with $1" >> "$TOLD"
while true; do sleep 60 & wait "$!"; done
"""


class Started:
    """The script beside a program that notes its signals."""

    def __init__(self, folder: Path) -> None:
        self.noted, self.users = folder / "noted", folder / "userlist.txt"
        self.noted.touch()
        self.users.write_text('"acme" "old"\n')
        (folder / "pgbouncer").write_text(STANDS_IN)
        (folder / "pgbouncer").chmod(0o755)
        script = folder / "pgbouncer.sh"
        text = SCRIPT.read_text()
        assert MOUNTED in text
        script.write_text(text.replace(MOUNTED, str(self.users)).replace("sleep 2", "sleep 0.1"))
        environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "TOLD": str(self.noted)}
        self.process = subprocess.Popen(
            ["bash", script, "/etc/pgbouncer/web.ini"], env=environment, start_new_session=True
        )

    def has(self, line: str) -> bool:
        return line in self.noted.read_text().splitlines()

    def replace(self, users: str) -> None:
        """As the kubelet does: another file takes the name."""
        other = self.users.with_suffix(".new")
        other.write_text(users)
        other.replace(self.users)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    found = Started(tmp_path)
    try:
        wait_for("PgBouncer", lambda: found.has("started with /etc/pgbouncer/web.ini"))
        yield found
    finally:
        os.killpg(found.process.pid, signal.SIGKILL)
        found.process.wait()


def test_it_gets_a_signal_when_its_users_change(started: Started) -> None:
    assert not started.has("HUP")
    started.replace('"acme" "new"\n')
    wait_for("a signal", lambda: started.has("HUP"))
    assert started.process.poll() is None


def test_it_ends_as_it_is_asked_to_with_its_own_exit_code(started: Started) -> None:
    started.process.send_signal(signal.SIGTERM)
    assert started.process.wait(timeout=10) == 7
    assert started.has("TERM")
