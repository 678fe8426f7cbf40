"""BKP-06: a server that begins with another one's archive reads what is there, and goes on in an archive of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tenantry.core.manifest import Manifest, Path, dig, entries, mapping, text
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof

_PLUGIN = "barman-cloud.cloudnative-pg.io"
_RECOVERY: Path = ("spec", "bootstrap", "recovery")


@dataclass(frozen=True, slots=True)
class _Archive:
    """Where WAL and base backups of one server lie."""

    endpoint: str
    path: str
    server: str

    def __str__(self) -> str:
        return f"{self.path}/{self.server}"


def _archive(state: State, server: Manifest, parameters: object) -> _Archive | None:
    """What parameters of the plugin name; None when there is no such ObjectStore beside the server."""
    given = mapping(parameters)
    name = text(given.get("barmanObjectName"))
    store = state.get("barmancloud.cnpg.io", "ObjectStore", server.identity.namespace, name)
    if store is None:
        return None
    place = mapping(store.spec.get("configuration"))
    archive = text(given.get("serverName")) or server.identity.name
    return _Archive(text(place.get("endpointURL")), text(place.get("destinationPath")).rstrip("/"), archive)


def written(state: State, server: Manifest) -> _Archive | None:
    """The archive that a server writes to."""
    for _, plugin in entries(server.spec.get("plugins")):
        if plugin.get("name") == _PLUGIN and plugin.get("isWALArchiver") and plugin.get("enabled", True):
            return _archive(state, server, plugin.get("parameters"))
    return None


@proof("BKP-06")
def one_writer(state: State) -> Iterator[Breach]:
    """BKP-06: no two servers write to one archive; the second would find it in use, or overwrite it."""
    writers: dict[_Archive, list[Manifest]] = defaultdict(list)
    for server in state.of("postgresql.cnpg.io", "Cluster"):
        archive = written(state, server)
        if archive is not None:
            writers[archive].append(server)
    for archive, servers in writers.items():
        for server in servers[1:]:
            home = state.home(server)
            message = f"archives to {archive}, as {servers[0].identity} does"
            hint = "each generation has an archive of its own"
            yield breach(server, "BKP-06", ("spec", "plugins"), message, hint, tenant=home.tenant if home else "")


@proof("BKP-06")
def sources(state: State) -> Iterator[Breach]:
    """BKP-06: what a server is recovered from is there, is not written to, and is of the same major; its end is the promised one."""
    for server in state.of("postgresql.cnpg.io", "Cluster"):
        home = state.home(server)
        if home is None:
            continue
        recovery = mapping(dig(server.value, *_RECOVERY))
        promised = home.server(server.identity.name)
        copied = promised.copied if promised is not None else home.role == "standby"
        restored = promised is not None and promised.restore is not None
        if recovery:
            yield from _source(state, home, server, text(recovery.get("source")))
            yield from _target(home, server, recovery.get("recoveryTarget"))
        elif restored or copied:
            what = "the DR site's copy" if copied else "what was restored"
            message = f"{what} would begin empty"
            path: Path = ("spec", "bootstrap")
            yield breach(server, "BKP-06", path, message, "bootstrap.recovery", tenant=home.tenant)


def _source(state: State, home: Home, server: Manifest, name: str) -> Iterator[Breach]:
    path: Path = (*_RECOVERY, "source")
    found = next((c for _, c in entries(server.spec.get("externalClusters")) if c.get("name") == name), None)
    archive = _archive(state, server, dig(found, "plugin", "parameters")) if found else None
    if archive is None:
        why = "names no external cluster" if found is None else "leads to no ObjectStore beside it"
        message = f"its source '{name}' {why}, so nothing can be recovered"
        yield breach(server, "BKP-06", path, message, "run 'tenantry render'", tenant=home.tenant)
        return
    if archive == written(state, server):
        message = f"reads from {archive}, and writes there: the operator refuses an archive that is not empty"
        yield breach(server, "BKP-06", path, message, "a serverName of its own", tenant=home.tenant)
    major = dig(server.spec, "imageCatalogRef", "major")
    for other in _writers(state, archive):
        there = dig(other.spec, "imageCatalogRef", "major")
        if other is not server and there != major:
            message = f"is PostgreSQL {major}, and the archive that it begins with is of PostgreSQL {there}"
            where: Path = ("spec", "imageCatalogRef", "major")
            yield breach(server, "BKP-06", where, message, f"major: {there}", tenant=home.tenant)


def _writers(state: State, archive: _Archive) -> Iterator[Manifest]:
    """Servers of all clusters of the run that write to an archive."""
    for other in {state.cluster.name: state, **state.others}.values():
        for server in other.of("postgresql.cnpg.io", "Cluster"):
            if written(other, server) == archive:
                yield server


def _target(home: Home, server: Manifest, given: object) -> Iterator[Breach]:
    """A standby follows to the end; a restore ends where the inputs say."""
    promised = home.server(server.identity.name)
    restore = promised.restore if promised is not None and not promised.copied else None
    wanted: dict[str, object] = {}
    if restore is not None and restore.target_time is not None:
        wanted = {"targetTime": restore.target_time}
    elif restore is not None:
        wanted = {"backupID": restore.backup, "targetImmediate": True}
    if mapping(given) != wanted:
        said = ", ".join(f"{key}: {value}" for key, value in wanted.items()) or "to the end of the archive"
        message = f"would be recovered to another moment than the inputs say ({said})"
        path: Path = (*_RECOVERY, "recoveryTarget")
        yield breach(server, "BKP-06", path, message, "run 'tenantry render'", tenant=home.tenant)
