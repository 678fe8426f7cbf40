"""People who log in and work all the time: what they notice of a change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from images.person import Person

LOGIN_SECONDS = 1.5
"""Between two logins: the edge takes one a second from an address."""


@dataclass
class Noticed:
    """What came back meanwhile."""

    logins: int = 0
    requests: int = 0
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.logins} logins and {self.requests} requests, {len(self.failures)} failed"


@contextmanager
def people(visit: Callable[[], Person], password: str) -> Iterator[Noticed]:
    """One logs in again and again, another works in one session, until the end of the block."""
    seen, end = Noticed(), threading.Event()
    worker = visit()
    assert worker.log_in("admin", password)

    def log_in() -> None:
        if not visit().log_in("admin", password):
            seen.failures.append("a login was refused")
        seen.logins += 1

    def work() -> None:
        if not worker.model("res.users", "search_count", []):
            seen.failures.append("a request had no result")
        seen.requests += 1

    def again(what: Callable[[], None], pause: float) -> None:
        while not end.wait(pause):
            try:
                what()
            except (httpx.HTTPError, ValueError) as error:  # no answer, or one that is no JSON
                seen.failures.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=again, args=given) for given in ((log_in, LOGIN_SECONDS), (work, 0.2))]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        end.set()
        for thread in threads:
            thread.join()
