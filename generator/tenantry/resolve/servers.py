"""Which PostgreSQL servers an instance or a cell has: the one that serves and, while a restore lasts, one beside it.

Each restore makes a new generation: a Cluster with a name and an archive of its own. So no file that is applied can turn
a running server into another, and no two servers write to one archive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenantry.model import names
from tenantry.model.cell import Cell
from tenantry.model.restore import SETTLED, Restore

FIRST = 1
"""The generation that was not restored, but made empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerGeneration:
    """One generation. `owner` is the instance's name or the cell's namespace, by which its archives are called."""

    owner: str
    restore: Restore | None = None
    serves: bool = True
    alone: bool = True
    """Whether it is the only one there is, and was."""
    away: bool = False
    """Whether it is at the DR site."""
    copy: int = 0
    """The failover after which it was made again at its place, from the archive of the other."""

    @property
    def generation(self) -> int:
        return self.restore.generation if self.restore is not None else FIRST

    @property
    def suffix(self) -> str:
        """What tells its objects from those of the first generation."""
        return names.generation_suffix(self.generation) + names.copy_suffix(self.copy)

    @property
    def name(self) -> str:
        """Name of its Cluster, and of what belongs to that alone."""
        return f"postgresql{self.suffix}"

    @property
    def archive(self) -> str:
        """The name under which it archives."""
        return names.archive(self.owner, self.generation, away=self.away, copy=self.copy)

    @property
    def copied(self) -> bool:
        """Whether it began as a copy of the other place's."""
        return self.away or bool(self.copy)

    @property
    def source_archive(self) -> str:
        """The archive that it was recovered from; its own for the first generation."""
        return names.archive(self.owner, self.restore.source) if self.restore is not None else self.archive


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """The servers that the trees hold."""

    serving: ServerGeneration
    beside: ServerGeneration | None = None
    """What is recovered and not yet used, or what was used before and is kept."""
    saving: Restore | None = None
    """A restore in place that waits for a backup of what is there."""
    stopped: bool = False
    """Whether nobody works on it: the server is being replaced."""

    @property
    def all(self) -> tuple[ServerGeneration, ...]:
        return (self.serving,) if self.beside is None else (self.serving, self.beside)

    @property
    def first(self) -> ServerGeneration | None:
        """That of the first generation, if it is (still) there, and was not made again."""
        return next((server for server in self.all if not server.suffix), None)

    @property
    def later(self) -> tuple[ServerGeneration, ...]:
        """Those that came from a restore, or were made again after a failover."""
        return tuple(server for server in self.all if server.suffix)


def servers_of(owner: str, restores: Sequence[Restore]) -> Servers:
    """What the restores of an instance or a cell, in their order, leave there."""
    restores = [restore for restore in restores if restore.way != "database"]
    settled = [restore for restore in restores if restore.step in SETTLED]
    last = restores[-1] if restores else None
    replacing = last is not None and last.way == "in-place" and last.step == "recover"
    serving = last if replacing else (settled[-1] if settled else None)
    beside: ServerGeneration | None = None
    if last is not None and last.way == "beside" and last.step == "recover":
        beside = ServerGeneration(owner=owner, restore=last, serves=False, alone=False)
    elif last is not None and last.way == "beside" and last.step == "switch":
        before = settled[-2] if len(settled) > 1 else None
        beside = ServerGeneration(owner=owner, restore=before, serves=False, alone=False)
    return Servers(
        serving=ServerGeneration(owner=owner, restore=serving, alone=not restores), beside=beside,
        saving=last if last is not None and last.step == "save" else None, stopped=replacing,
    )  # fmt: skip


def cell_servers(cell: Cell) -> Servers:
    """The shared servers of a cell."""
    return servers_of(names.cell_namespace(cell.name), cell.restores)


@dataclass(frozen=True, slots=True, kw_only=True)
class Databases:
    """Which databases an instance has on a shared server, by their generation."""

    serving: int = FIRST
    beside: int | None = None
    """The one that is filled from a restored copy of the server, or the one that was used before and is kept."""
    filling: bool = False


def databases_of(restores: Sequence[Restore]) -> Databases:
    """What the restores of an instance leave of it on its cell's server."""
    own = [restore for restore in restores if restore.way == "database"]
    settled = [restore.generation for restore in own if restore.step in SETTLED]
    serving = settled[-1] if settled else FIRST
    if own and own[-1].step == "copy":
        return Databases(serving=serving, beside=own[-1].generation, filling=True)
    if own and own[-1].step == "switch":
        return Databases(serving=serving, beside=settled[-2] if len(settled) > 1 else FIRST)
    return Databases(serving=serving)
