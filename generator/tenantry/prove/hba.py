"""pg_hba.conf by its first match (PostgreSQL manual, client authentication): who can connect to which database, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_TYPES = {"local", "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc"}


@dataclass(frozen=True, slots=True)
class Line:
    """One record; `number` counts the lines given, from 0 (-1: the operator's)."""

    type: str
    databases: tuple[str, ...]
    users: tuple[str, ...]
    address: str
    method: str
    number: int


class UnreadableLineError(ValueError):
    """A line that this model can't read: what it allows is unknown."""


APPENDED = "host all all all scram-sha-256"
"""CloudNativePG ends the file with it, after the lines of the Cluster (pkg/postgres/configuration.go)."""


def parse(text: str, number: int) -> Line:
    """One line. Raises UnreadableLineError for includes, files, expressions and text that is not a record, and for what PostgreSQL
    splits by rules of its own: a quoted keyword is a plain name to it, a space may follow a comma, a line may hold two."""
    if any(mark in text for mark in "\"'\\\n\r"):
        raise UnreadableLineError("a record is one line without quotes or backslashes")
    words = text.partition("#")[0].split()
    if not words or words[0] not in _TYPES:
        raise UnreadableLineError("not a pg_hba record")
    if any("" in word.split(",") for word in words[1:4]):
        raise UnreadableLineError("a list has no spaces and no empty entries")
    if any(name.startswith(("@", "/")) for word in words[1:3] for name in word.split(",")) or "${" in text:
        raise UnreadableLineError("names come from elsewhere (a file, an expression, a selector)")
    rest = words[3:]
    address = rest.pop(0) if words[0] != "local" and rest else ""
    if rest and words[0] != "local" and _is_mask(rest[0]):
        address = f"{address}/{rest.pop(0)}"
    if not rest:
        raise UnreadableLineError("no method")
    return Line(words[0], tuple(words[1].split(",")), tuple(words[2].split(",")), address, rest[0], number)


def _is_mask(word: str) -> bool:
    return "." in word or ":" in word


@dataclass(frozen=True, slots=True)
class Role:
    """A login role and the groups that it is in, indirectly too."""

    name: str
    groups: frozenset[str] = frozenset()
    superuser: bool = False


@dataclass(frozen=True, slots=True)
class Login:
    """What the first matching lines say of one role, database and kind of connection."""

    allowed: bool
    line: Line | None


def access(lines: Sequence[Line], role: Role, database: str, *, tls: bool, replication: bool = False) -> Login:
    """Whether a connection over TCP gets in from somewhere; without TLS, it may be encrypted by GSSAPI. A line for some
    addresses, or for one of these two, lets in there, but keeps nobody out: other connections go on to the next line."""
    for line in lines:
        if line.type in ("local", "hostssl" if not tls else "hostnossl", "hostgssenc" if tls else ""):
            continue
        if not _takes_database(line, database, role, replication) or not _takes_user(line, role):
            continue
        if line.method == "reject":
            if line.address == "all" and (tls or "gss" not in line.type):
                return Login(False, line)
            continue
        return Login(True, line)
    return Login(False, None)


def _takes_database(line: Line, database: str, role: Role, replication: bool) -> bool:
    for word in line.databases:
        if replication:
            if word == "replication":
                return True
            continue
        if word == "all" or word == database:
            return True
        if word == "sameuser" and database == role.name:
            return True
        if word in ("samerole", "samegroup") and (database in role.groups or database == role.name):
            return True
    return False


def _takes_user(line: Line, role: Role) -> bool:
    for word in line.users:
        if word == "all" or word == role.name:
            return True
        if word.startswith("+") and (word[1:] in role.groups or word[1:] == role.name):
            return True
    return False
