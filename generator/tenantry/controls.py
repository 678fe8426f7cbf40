"""The isolation controls by id. What each proves, and how, comes with the proofs; inputs refer to them by id."""

from __future__ import annotations

_COUNTS = {
    "NET": 12, "IAM": 9, "DATA": 9, "RUN": 4, "EDGE": 5, "BKP": 5, "OBS": 2, "SUP": 4, "RES": 2,
}  # fmt: skip

CONTROLS: tuple[str, ...] = tuple(
    f"{group}-{number:02}" for group, count in _COUNTS.items() for number in range(1, count + 1)
)
