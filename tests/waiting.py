"""Waiting for something that another process does; needs nothing but Python."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS = 60


def wait_for(what: str, ready: Callable[[], bool], seconds: float = SECONDS, every: float = 0.2) -> None:
    """Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} after {seconds:.0f} s")
        time.sleep(every)
