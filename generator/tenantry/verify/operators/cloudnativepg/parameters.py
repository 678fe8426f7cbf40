"""Parameters of postgresql.conf and pgbouncer.ini: names, numbers and units (PostgreSQL, utils/misc/guc.c and guc_tables.c;
PgBouncer, doc/config.md; which of PgBouncer's may be set: pooler_webhook.go of CloudNativePG v1.30.0)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value, digits, how_many, mapping, text
from tenantry.core.suggestions import near
from tenantry.verify.index import Index
from tenantry.verify.operators.cloudnativepg.known_parameters import (
    CHOICES,
    KNOWN,
    LAST,
    LEAST_KB,
    LIMITS,
    PGBOUNCER,
    PGBOUNCER_CHOICES,
    PGBOUNCER_NUMBERS,
    POSTGRESQL,
    SINCE,
)
from tenantry.verify.operators.cloudnativepg.rules import GROUP
from tenantry.verify.registration import references_of, rule_for

_LONGEST = 64


@rule_for(GROUP, "Cluster")
def server_parameters(manifest: Manifest) -> Iterator[Problem]:
    given = mapping(mapping(manifest.spec.get("postgresql")).get("parameters"))
    major = _major(manifest)
    for name, value in given.items():
        path: Path = ("spec", "postgresql", "parameters", name)
        why, hint = _refused(name.lower(), value) if isinstance(value, str) else ("", "")
        if why:
            yield Problem("V040", path, f"PostgreSQL does not start with '{value[:_LONGEST]}': {why}", hint)
        elif name.lower() not in KNOWN and "." not in name and (major is None or major <= _NEWEST):
            message = (
                f"PostgreSQL has no parameter '{name[:_LONGEST]}' up to version {_NEWEST}, and does not start with it"
            )
            yield Problem("V040", path, message, "a fork may know it", "warning")
        elif major is not None and (lacking := _of_another_version(name.lower(), major)):
            yield Problem("V040", path, f"PostgreSQL {major} does not start with '{name}': {lacking}", "remove it")
    yield from _reserved(given)


_NEWEST = 18
"""The newest version of which all parameters are known here."""


def _major(manifest: Manifest) -> int | None:
    """The version that a Cluster runs, by the tag of its image or by its catalog's entry."""
    tag = text(manifest.spec.get("imageName")).partition("@")[0].rpartition("/")[2].partition(":")[2]
    found = re.match(r"[0-9]{1,3}(?![0-9])", tag)
    if found:
        return int(found[0])
    major = mapping(manifest.spec.get("imageCatalogRef")).get("major")
    return major if isinstance(major, int) else None


def _of_another_version(name: str, major: int) -> str:
    """Why the version lacks a parameter that others have; empty if it has it."""
    if SINCE.get(name, 0) > major:
        return f"the parameter is there since version {SINCE[name]}"
    return f"version {LAST[name]} was the last that had the parameter" if LAST.get(name, major) < major else ""


def _refused(name: str, value: str) -> tuple[str, str]:
    """(why, hint) of a parameter that PostgreSQL refuses; empty for one that it takes."""
    bare = value.strip().strip("'")
    if name not in KNOWN and "." not in name and (meant := _near(name)):
        return f"there is no parameter '{name}'", f"did you mean {meant}?"
    choices = CHOICES.get(name)
    if choices is not None and bare and bare.lower().replace(" ", "_") not in choices.lower().split():
        return (
            f"{name} is one of {', '.join(choices.replace('read_', 'read ').replace('_read', ' read').split()[:8])}",
            "",
        )
    if name in POSTGRESQL:
        pattern, what = POSTGRESQL[name]
        if len(bare) > _LONGEST or not pattern.fullmatch(bare):
            return f"{name} is {what}", ""
    return _outside(name, bare), ""


def _outside(name: str, bare: str) -> str:
    if name in LIMITS and re.fullmatch(r"-?[0-9]{1,12}(?:\.[0-9]{1,9})?", bare):
        low, high = LIMITS[name]
        return "" if low <= float(bare) <= high else f"{name} is {low:g} to {high:g}"
    size = re.fullmatch(r"([0-9]{1,12})\s*(kB|MB|GB|TB)", bare)
    if name in LEAST_KB and size and int(size[1]) << _SHIFT[size[2]] < LEAST_KB[name]:
        return f"{name} is at least {LEAST_KB[name]}kB"
    return ""


_SHIFT = {"kB": 0, "MB": 10, "GB": 20, "TB": 30}


def _near(name: str) -> str:
    """A known parameter of which the name is misspelt by a letter or two; empty for none."""
    return near(name, KNOWN, 0.9) if len(name) > 5 else ""


def _reserved(given: Value) -> Iterator[Problem]:
    """Connections that are kept for superusers must leave some for others (postmaster.c)."""
    total = digits(str(given.get("max_connections", "100")))
    kept = [
        digits(str(given.get(name, default)))
        for name, default in (("superuser_reserved_connections", "3"), ("reserved_connections", "0"))
    ]
    if total is not None and None not in kept and sum(filter(None, kept)) >= total:
        message = f"PostgreSQL does not start: {sum(filter(None, kept))} connections are reserved, of {total}"
        yield Problem("V040", ("spec", "postgresql", "parameters"), message, "raise max_connections")


@rule_for(GROUP, "Pooler")
def pooler_parameters(manifest: Manifest) -> Iterator[Problem]:
    for name, value in mapping(mapping(manifest.spec.get("pgbouncer")).get("parameters")).items():
        path = ("spec", "pgbouncer", "parameters", name)
        if name not in PGBOUNCER:
            meant = near(name, PGBOUNCER, 0.8)
            hint = f"did you mean {meant}?" if meant else "remove it"
            yield Problem("V040", path, f"PgBouncer's '{name}' may not be set here", hint)
        elif not isinstance(value, str):
            continue
        elif name in PGBOUNCER_NUMBERS and not re.fullmatch(r"\s*[0-9]{1,18}(?:\.[0-9]{1,9})?\s*", value):
            yield Problem("V040", path, f"PgBouncer does not start with '{value[:_LONGEST]}': {name} is a number")
        elif name in PGBOUNCER_CHOICES and value.strip() not in PGBOUNCER_CHOICES[name].split():
            allowed = ", ".join(PGBOUNCER_CHOICES[name].split())
            yield Problem(
                "V040", path, f"PgBouncer does not start with '{value[:_LONGEST]}': {name} is one of {allowed}"
            )


@references_of(GROUP, "Pooler")
def pooled(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A pool that is larger than what the server lets in."""
    spec = manifest.spec
    cluster = index.get(GROUP, "Cluster", manifest.identity.namespace, str(mapping(spec.get("cluster")).get("name")))
    size = digits(str(mapping(mapping(spec.get("pgbouncer")).get("parameters")).get("default_pool_size", "")))
    if cluster is None or size is None:
        return
    given = mapping(mapping(cluster.spec.get("postgresql")).get("parameters"))
    allowed = digits(str(given.get("max_connections", "100")))
    total = size * how_many(spec.get("instances"), 1)
    if allowed is not None and total > allowed:
        path = ("spec", "pgbouncer", "parameters", "default_pool_size")
        message = (
            f"{total} connections of one user are pooled, and the Cluster '{cluster.identity.name}' takes {allowed}"
        )
        yield Problem("V053", path, message, "lower default_pool_size, or raise max_connections", "warning")
