"""How long a start takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Laps:
    """`seconds`: what was there -> seconds from the beginning, which is when this was made."""

    say: Callable[[str], None]
    began: float = field(default_factory=time.monotonic)
    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, what: str) -> None:
        """It is there now."""
        self.seconds[what] = time.monotonic() - self.began
        self.say(f"{self.seconds[what]:5.1f} s  {what}")
