"""Client of the co-processes' protocol: one process per run, framed JSON, several requests in flight.

Whatever the process does (dies, hangs, writes garbage), a caller gets an answer or a ToolError within a time limit.
"""

from __future__ import annotations

import contextlib
import json
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from tenantry.core.findings import ToolError

PROTOCOL = 5
START_SECONDS = 20.0
REQUEST_SECONDS = 120.0
MEMORY_BYTES = 4 << 30
_MAX_FRAME_BYTES = 256 << 20
_MEND = "build it again with 'make engine'"


def _bound(pid: int) -> None:
    """Limit a program's memory to more than any fleet needs, so that the system kills no other process instead."""
    if sys.platform != "linux":
        return  # other systems can't limit a running process
    import resource

    with contextlib.suppress(OSError, ValueError):  # it has ended already, or has a lower limit
        _, highest = resource.prlimit(pid, resource.RLIMIT_DATA)
        limit = MEMORY_BYTES if highest == resource.RLIM_INFINITY else min(MEMORY_BYTES, highest)
        resource.prlimit(pid, resource.RLIMIT_DATA, (limit, highest))


class BuildError(Exception):
    """Kustomize rejected one overlay; the program continues."""


class RequestError(ToolError):
    """One request failed; the program continues. `kind` is usage, files (the file system refuses), cancelled,
    panic (of a library) or internal."""

    def __init__(self, message: str, hint: str = "", kind: str = "internal") -> None:
        super().__init__(message, hint)
        self.kind = kind


class CoProcess:
    """A running program. Use it as a context manager."""

    called = "engine"

    def __init__(self, program: Path, *, request_seconds: float = REQUEST_SECONDS) -> None:
        self._program = program
        self._request_seconds = request_seconds
        self.restarts = 0
        self._start()

    def _start(self) -> None:
        self._waiting: dict[int, Future[Any]] = {}
        self._lock = threading.Lock()
        self._next_id = 0
        self._broken: ToolError | None = None
        try:
            self._process = subprocess.Popen(  # noqa: S603 - a fixed program, no shell
                [str(self._program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C reaches only this process, which then ends the program
            )  # fmt: skip
        except OSError as error:
            raise ToolError(f"the {self.called} can't be started: {error.strerror}", _MEND) from error
        _bound(self._process.pid)
        self._complaints: list[bytes] = []
        self._listener = threading.Thread(target=self._listen, name=f"{self.called}-stderr", daemon=True)
        self._listener.start()
        self._reader = threading.Thread(target=self._read, name=f"{self.called}-reader", daemon=True)
        self._reader.start()
        try:
            answer = self.finish(self.send("hello", {}), START_SECONDS)
        except ToolError:
            self.close()
            raise
        if not isinstance(answer, dict) or answer.get("protocol") != PROTOCOL:
            self.close()
            raise ToolError(f"the {self.called} speaks another protocol than this version of tenantry", _MEND)
        self.verbs: Sequence[str] = tuple(answer.pop("verbs", ()))
        self.versions: Mapping[str, str] = {key: str(value) for key, value in answer.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Whether it still accepts requests."""
        return self._broken is None and self._process.poll() is None

    def restart(self) -> None:
        """Restart it without its state after it ended; pending requests have failed."""
        self.close()
        self.restarts += 1
        self._start()

    def close(self) -> None:
        """End the process; it is killed if it does not exit by itself."""
        with contextlib.suppress(OSError):
            self._input.close()
        try:
            self._process.wait(timeout=1 if self._waiting else 5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in (self._reader, self._listener):
            thread.join(timeout=5)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    @property
    def _input(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    def send(self, verb: str, params: Mapping[str, Any]) -> Future[Any]:
        """Send a request; `finish` waits for its result. Raises ToolError if the process can't accept it."""
        future: Future[Any] = Future()
        with self._lock:
            if self._broken:
                raise self._broken
            self._next_id += 1
            body = json.dumps({"id": self._next_id, "verb": verb, "params": params}).encode()
            if len(body) > _MAX_FRAME_BYTES:
                message = (
                    f"a request of {len(body) >> 20} MiB is over the {self.called}'s limit of {_MAX_FRAME_BYTES >> 20}"
                )
                raise ToolError(message, "the files of this request are too large; split them")
            self._waiting[self._next_id] = future
            try:
                self._input.write(struct.pack(">I", len(body)) + body)
                self._input.flush()
            except OSError:
                pass  # the reader notices the end of the process and reports why
        return future

    def finish(self, future: Future[Any], seconds: float | None = None) -> Any:
        """The result of a request; raises what it failed with, or ToolError after the time limit."""
        limit = seconds or self._request_seconds
        try:
            return future.result(timeout=limit)
        except FutureTimeoutError:
            self._process.kill()
            self._process.wait()
            raise ToolError(f"the {self.called} gave no answer within {limit:g} s and was ended", _MEND) from None

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        try:
            while True:
                header = stream.read(4)
                if len(header) < 4:
                    break
                (length,) = struct.unpack(">I", header)
                if length > _MAX_FRAME_BYTES:
                    raise ValueError("a frame is too long")
                self._answer(json.loads(stream.read(length)))
            self._fail(f"the {self.called} ended")
        except (ValueError, KeyError, TypeError, OSError):
            self._process.kill()
            self._fail(f"the {self.called} sent an invalid answer and ended")

    def _answer(self, message: dict[str, Any]) -> None:
        with self._lock:
            future = self._waiting.pop(message["id"])
        error = message.get("error")
        if error is None:
            future.set_result(message["result"])
        elif error["kind"] == "build":
            future.set_exception(BuildError(error["message"]))
        else:
            failed = f"the {self.called} failed: {error['message']}"
            future.set_exception(RequestError(failed, _MEND, error["kind"]))

    def _fail(self, reason: str) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        self._listener.join(timeout=5)  # its last message is complete once its standard error is closed
        last = b"".join(self._complaints).decode(errors="replace").strip().splitlines()
        # A crashing Go program prints the reason first, then the stack.
        why = next((line for line in last if line.startswith(("panic:", "fatal error:"))), last[-1] if last else "")
        detail = f": {why}" if why else f" with code {self._process.returncode}"
        memory = "memory" in why or self._process.returncode == -signal.SIGKILL
        error = ToolError(reason + detail, "it may need more memory (see 'ulimit -a')" if memory else _MEND)
        with self._lock:
            self._broken = error
            waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            future.set_exception(error)

    def _listen(self) -> None:
        stream = self._process.stderr
        assert stream is not None
        for line in stream:
            self._complaints = [*self._complaints[:20], *self._complaints[20:][-20:], line[:1000]]
