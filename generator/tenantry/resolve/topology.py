"""Which of an instance's two places serves, and what its PostgreSQL server at each of them is to the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenantry.model.failover import Failover


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaRole:
    """How a server at one place takes part, in the names of its `externalClusters`: its own place is called like its cluster."""

    primary: str
    here: str
    other: str
    token: str = ""
    fenced: bool = False
    """Whether it was lost while it served: it must not run again, whoever brings it back."""

    @property
    def follows(self) -> bool:
        return self.primary != self.here


def serving_place(failovers: Sequence[Failover], home: str) -> str:
    """The cluster that serves after these failovers."""
    switched = [failover.to for failover in failovers if failover.step != "demote"]
    return switched[-1] if switched else home


def copy_at(failovers: Sequence[Failover], place: str) -> int:
    """The failover after which the server at a place was made again; 0 for the one that was always there."""
    made = [failover.generation for failover in failovers if failover.copy_made and failover.to != place]
    return made[-1] if made else 0


def replication(failovers: Sequence[Failover], here: str, other: str, *, serves: bool) -> ReplicaRole | None:
    """How the server at `here` takes part, when it `serves` or is the copy; None before the first failover.

    `other` is what it calls its other place.
    """
    if not failovers:
        return None
    last = failovers[-1]
    if last.step == "demote":  # each follows the other, so that nobody writes until one is promoted
        return ReplicaRole(primary=other, here=here, other=other)
    token = last.promotion_token if serves and last.step == "promote" else ""
    fenced = not serves and last.step == "promote" and last.lost
    return ReplicaRole(primary=here if serves else other, here=here, other=other, token=token, fenced=fenced)
