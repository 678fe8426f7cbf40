"""Sets of ports, by protocol, as disjoint intervals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

PROTOCOLS = ("TCP", "UDP", "SCTP")
FIRST, LAST = 1, 65535

Interval = tuple[str, int, int]
"""Protocol, first port, last port."""


@dataclass(frozen=True, slots=True)
class PortSet:
    """Intervals, sorted, disjoint and not adjacent."""

    intervals: tuple[Interval, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __or__(self, other: PortSet) -> PortSet:
        return of(*self.intervals, *other.intervals)

    def __sub__(self, other: PortSet) -> PortSet:
        return _minus(self, other)

    def __and__(self, other: PortSet) -> PortSet:
        return self - (self - other)

    def has(self, protocol: str, port: int) -> bool:
        """Whether it contains one port."""
        return any(p == protocol and low <= port <= high for p, low, high in self.intervals)

    def __str__(self) -> str:
        if self == ALL:
            return "every port"
        return ", ".join(_show(interval) for interval in self.intervals)


@lru_cache(maxsize=4096)
def _minus(ports: PortSet, other: PortSet) -> PortSet:
    left: list[Interval] = []
    cuts = list(other.intervals)
    cuts.reverse()  # the first one last, where it is taken off
    for protocol, low, high in ports.intervals:
        while cuts and (cuts[-1][0], cuts[-1][2]) < (protocol, low):
            cuts.pop()
        for number in range(len(cuts) - 1, -1, -1):
            cut_protocol, cut_low, cut_high = cuts[number]
            if cut_protocol != protocol or cut_low > high:
                break
            if low < cut_low:
                left.append((protocol, low, cut_low - 1))
            low = cut_high + 1
        if low <= high:
            left.append((protocol, low, high))
    return of(*left)


@lru_cache(maxsize=4096)
def of(*intervals: Interval) -> PortSet:
    """A set from intervals in any order, which may overlap."""
    merged: list[Interval] = []
    for protocol, low, high in sorted(intervals):
        if merged and merged[-1][0] == protocol and low <= merged[-1][2] + 1:
            merged[-1] = (protocol, merged[-1][1], max(high, merged[-1][2]))
        else:
            merged.append((protocol, low, high))
    return PortSet(tuple(merged))


def tcp(*ports: int) -> PortSet:
    """A set of single TCP ports."""
    return of(*(("TCP", port, port) for port in ports))


def union(sets: Iterable[PortSet]) -> PortSet:
    """Every port that one of the sets contains."""
    return of(*(interval for ports in sets for interval in ports.intervals))


ALL = of(*((protocol, FIRST, LAST) for protocol in PROTOCOLS))


def _show(interval: Interval) -> str:
    protocol, low, high = interval
    if (low, high) == (FIRST, LAST):
        return f"every {protocol} port"
    return f"{low}/{protocol}" if low == high else f"{low}-{high}/{protocol}"
