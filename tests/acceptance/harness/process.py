"""Starts programs, waits until they are ready, and stops every one of them."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import tenacity

NOBODY = 65534
"""Some servers refuse to run as root; they get this user."""
READY_SECONDS = 90.0
STOP_SECONDS = 1.0
"""An API server would wait a minute for its watchers."""

T = TypeVar("T")


class NotReadyError(AssertionError):
    """What was waited for did not come true in time, or its program ended."""


def wait_for(what: str, question: Callable[[], T | None], seconds: float = READY_SECONDS, every: float = 0.1) -> T:
    """Ask until the answer is true; an OSError or AssertionError counts as "not yet". Raises NotReadyError with the last answer."""
    attempts = tenacity.Retrying(
        stop=tenacity.stop_after_delay(seconds),
        wait=tenacity.wait_fixed(every),
        retry=tenacity.retry_if_result(lambda answer: not answer) | tenacity.retry_if_exception_type(_NOT_YET),
    )
    try:
        answer = attempts(question)
    except tenacity.RetryError as error:
        last = error.last_attempt.exception() or error.last_attempt.result()
        raise NotReadyError(f"{what}: not within {seconds:g} s (last: {last!r})") from error
    assert answer is not None
    return answer


class ProgramEndedError(Exception):
    """A program that should serve has ended; the text has the end of its log."""


_NOT_YET = (OSError, AssertionError)


class Processes:
    """The programs of one part; leaving the block stops them, the last one first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        self._names: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        _stop(*reversed(self._running))

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        ready: Callable[[], object] | None = None,
        environment: Mapping[str, str] | None = None,
        unprivileged: bool = False,
        folder: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a program with its log in `<folder>/<name>.log`. Raises NotReadyError and ProgramEndedError."""
        log = self.folder / f"{name}.log"
        user = NOBODY if unprivileged and os.geteuid() == 0 else None
        with log.open("wb") as output:
            process = subprocess.Popen(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                cwd=folder, env={**os.environ, **(environment or {})}, user=user, group=user, extra_groups=[] if user else None,
            )  # fmt: skip
        self._running.append(process)
        self._names[name] = process
        if ready:
            wait_for(f"{name} ready", lambda: _alive(process, log) and ready())
        return process

    def stop(self, name: str) -> None:
        """Stop one program before the others."""
        _stop(self._names[name])


def _alive(process: subprocess.Popen[bytes], log: Path) -> bool:
    if process.poll() is not None:
        tail = log.read_text(errors="replace")[-2000:]
        raise ProgramEndedError(f"{log.stem} ended with {process.returncode}:\n{tail}")
    return True


def _stop(*processes: subprocess.Popen[bytes]) -> None:
    """Ask all of them to end, and end those that linger: nothing that they hold outlives the run."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on; nobody else lives in this network namespace to take it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int, host: str = "127.0.0.1") -> Callable[[], bool]:
    """A readiness question: does something accept connections there?"""

    def question() -> bool:
        with socket.create_connection((host, port), timeout=2):
            return True

    return question
