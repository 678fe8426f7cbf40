"""PostgreSQL: DATA-01 (own database and role), DATA-02 (pg_hba), DATA-03 (PUBLIC), DATA-04 (powerless roles), DATA-09."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tenantry.core.manifest import Manifest, Path, dig, entries, items, mapping, text
from tenantry.prove import hba
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof
from tenantry.prove.secrets import external_for, remote_keys
from tenantry.resolve.instance import Instance, with_elsewhere

_CNPG = "postgresql.cnpg.io"
GROUP = "tenants"
"""Every role of an instance is a member; pg_hba matches tenants by it."""


@dataclass
class Server:
    """One PostgreSQL cluster, and the home it belongs to."""

    home: Home
    manifest: Manifest
    databases: list[Manifest] = field(default_factory=list)
    roles: list[Manifest] = field(default_factory=list)

    @property
    def members(self) -> list[Instance]:
        """Instances whose database is on this server."""
        if self.home.instance is not None:
            return [self.home.instance]
        return list(self.home.with_database)

    def serves(self, member: Instance) -> bool:
        """Whether the instance's Pods are connected to this server; of one that moves, another may be."""
        return member in self.home.members or (self.home.instance is not None and self.home.own_postgresql)

    def owner(self, role: str) -> Instance | None:
        """The instance that a role belongs to."""
        for member in self.members:
            if role in (member.names.database, member.names.reporting_role):
                return member
        return None


def servers(state: State) -> Iterator[Server]:
    """PostgreSQL clusters in homes, with their databases and roles."""
    for manifest in state.of(_CNPG, "Cluster"):
        home = state.home(manifest)
        if home is None:
            continue
        server = Server(home, manifest)
        for kind, into in (("Database", server.databases), ("DatabaseRole", server.roles)):
            for other in state.of(_CNPG, kind, manifest.identity.namespace):
                if dig(other.spec, "cluster", "name") == manifest.identity.name:
                    into.append(other)
        yield server


@proof("DATA-01", "DATA-09", "IAM-09")
def ownership(state: State) -> Iterator[Breach]:
    """DATA-01 and the credentials of roles (IAM-09)."""
    for home in state.homes_at("cell"):
        shared = home.site.cell.postgresql is not None
        if shared and not state.of(_CNPG, "Cluster", home.namespace):
            yield breach(
                state.anchor(home),
                "DATA-01",
                (),
                "the cell's PostgreSQL is missing",
                "run 'tenantry render'",
                tenant="",
            )
    for server in servers(state):
        if server.home.role == "standby":
            continue
        yield from _databases(server)
        yield from _roles(state, server)
    for home in state.homes_at("instance"):
        if home.own_postgresql and not state.of(_CNPG, "Cluster", home.namespace):
            message = "the instance's own PostgreSQL is missing"
            yield breach(state.anchor(home), "DATA-09", (), message, "run 'tenantry render'", tenant=home.tenant)


def _databases(server: Server) -> Iterator[Breach]:
    seen: dict[str, Manifest] = {}
    for manifest in server.databases:
        name, owner = text(manifest.spec.get("name")), text(manifest.spec.get("owner"))
        member = next((m for m in server.members if m.names.database == name), None)
        if member is None:
            message = f"the database '{name}' belongs to no instance of this server"
            yield breach(
                manifest,
                "DATA-01",
                ("spec", "name"),
                message,
                "remove it, or place its tenant here",
                tenant=server.home.tenant,
            )
            continue
        if name in seen:
            message = f"the database '{name}' is defined twice"
            yield breach(
                manifest, "DATA-01", ("spec", "name"), message, "one Database per instance", tenant=member.tenant.name
            )
        seen[name] = manifest
        if owner != member.names.database:
            other = server.owner(owner)
            whose = f", which is {other.name}'s" if other and other is not member else ""
            message = f"the database '{name}' of {member.name} is owned by the role '{owner}'{whose}"
            yield breach(
                manifest,
                "DATA-01",
                ("spec", "owner"),
                message,
                f"its owner is '{member.names.database}'",
                tenant=member.tenant.name,
            )
    for member in server.members:
        if member.names.database not in seen:
            message = f"{member.name} has no database '{member.names.database}' on its server"
            yield breach(
                server.manifest, "DATA-01", ("spec",), message, "run 'tenantry render'", tenant=member.tenant.name
            )


def _roles(state: State, server: Server) -> Iterator[Breach]:
    seen: set[str] = set()
    for manifest in server.roles:
        name = text(manifest.spec.get("name"))
        member = server.owner(name)
        if member is None:
            message = f"the role '{name}' belongs to no instance of this server"
            yield breach(manifest, "DATA-01", ("spec", "name"), message, "remove it", tenant=server.home.tenant)
            continue
        if name in seen:
            yield breach(
                manifest,
                "DATA-01",
                ("spec", "name"),
                f"the role '{name}' is defined twice",
                "one role per instance",
                tenant=member.tenant.name,
            )
        seen.add(name)
        yield from _password(state, manifest, member, name)
    for member in server.members:
        if member.names.database not in seen:
            message = f"{member.name} has no role '{member.names.database}' on its server"
            yield breach(
                server.manifest, "DATA-01", ("spec",), message, "run 'tenantry render'", tenant=member.tenant.name
            )


def _password(state: State, manifest: Manifest, member: Instance, role: str) -> Iterator[Breach]:
    """The password of a role comes from the Secret of the instance whose role it is; what feeds that, `secrets.keys` judges."""
    secret = text(dig(manifest.spec, "passwordSecret", "name"))
    own = "reporting-user" if role == member.names.reporting_role else "database-user"
    wanted = (
        own if manifest.identity.namespace == member.names.namespace else f"database-{member.names.database_object}"
    )
    if secret != wanted:
        external = external_for(state, manifest.identity.namespace, secret)
        fed = f", which is fed from {', '.join(sorted(set(remote_keys(external).values())))}" if external else ""
        message = f"the password of the role '{role}' is that of the Secret '{secret}'{fed}"
        yield breach(
            manifest,
            "IAM-09",
            ("spec", "passwordSecret", "name"),
            message,
            f"its Secret is '{wanted}'",
            tenant=member.tenant.name,
        )


# --- pg_hba


@proof("DATA-02")
def host_based_access(state: State) -> Iterator[Breach]:
    """DATA-02: for each login role, database and kind of connection, what the first matching lines say."""
    for server in servers(state):
        written = [text(line) for line in items(dig(server.manifest.spec, "postgresql", "pg_hba"))]
        lines: list[hba.Line] = []
        for number, line in enumerate([*written, hba.APPENDED]):
            path: Path = ("spec", "postgresql", "pg_hba", number)
            try:
                lines.append(hba.parse(line, number if number < len(written) else -1))
            except hba.UnreadableLineError as error:
                message = f"'{line}' can't be judged: {error}"
                yield breach(
                    server.manifest,
                    "DATA-02",
                    path,
                    message,
                    "write databases and roles in full",
                    tenant=server.home.tenant,
                )
        yield from _weak_methods(server, lines)
        yield from _crossings(server, lines)


def _weak_methods(server: Server, lines: list[hba.Line]) -> Iterator[Breach]:
    for line in lines:
        if line.method not in ("scram-sha-256", "reject"):
            path: Path = ("spec", "postgresql", "pg_hba", line.number)
            message = f"the method {line.method} allows access without a password verified by scram-sha-256"
            yield breach(server.manifest, "DATA-02", path, message, "use scram-sha-256", tenant=server.home.tenant)


def _crossings(server: Server, lines: list[hba.Line]) -> Iterator[Breach]:
    databases = {text(d.spec.get("name")) for d in server.databases} | {m.names.database for m in server.members}
    databases |= {"postgres", "template1", "another"} | _initial_databases(server.manifest)
    told: set[tuple[int, str]] = set()
    for role, tenant, own in _login_roles(server):
        for database in sorted(databases):
            for tls in (True, False):
                right = database == own and tls
                found = hba.access(lines, role, database, tls=tls)
                if found.allowed and not right:
                    number = found.line.number if found.line else -1
                    if (number, tenant) in told:
                        continue
                    told.add((number, tenant))
                    yield _let_in(server, role, database, tls, found, tenant)
        at_home = hba.access(lines, role, own, tls=True)
        if own and not at_home.allowed:
            path: Path = ("spec", "postgresql", "pg_hba", max(at_home.line.number if at_home.line else 0, 0))
            message = f"the role '{role.name}' can't reach its own database"
            yield breach(
                server.manifest, "DATA-02", path, message, "the line that allows it must come first", tenant=tenant
            )
        if hba.access(lines, role, "", tls=True, replication=True).allowed:
            message = f"the role '{role.name}' can copy the whole server by replication"
            yield breach(
                server.manifest, "DATA-02", ("spec", "postgresql", "pg_hba"), message, "remove the line", tenant=tenant
            )


def _let_in(server: Server, role: hba.Role, database: str, tls: bool, found: hba.Login, tenant: str) -> Breach:
    assert found.line is not None
    number = found.line.number
    path: Path = ("spec", "postgresql", "pg_hba", number) if number >= 0 else ("spec", "postgresql", "pg_hba")
    by = f"line {number + 1}" if number >= 0 else "the last line, which the operator adds"
    other = next((m for m in server.members if m.names.database == database), None)
    what = f"the database '{database}'" if database != "another" else "any database that is made later"
    whose = f" of {other.name}" if other else ""
    how = "" if tls else " without TLS"
    message = f"the role '{role.name}' can connect to {what}{whose}{how} by {by}"
    hint = "'hostssl sameuser +tenants all scram-sha-256' allows access; then 'host all all all reject'"
    return breach(server.manifest, "DATA-02", path, message, hint, tenant=tenant)


def _initial_databases(manifest: Manifest) -> set[str]:
    initial = text(dig(manifest.spec, "bootstrap", "initdb", "database"))
    return {initial} if initial else set()


def _login_roles(server: Server) -> Iterator[tuple[hba.Role, str, str]]:
    """(role, tenant, own database). Roles of the platform own none that they may reach by TCP."""
    for manifest in server.roles:
        spec = manifest.spec
        if spec.get("login") is False:
            continue
        name = text(spec.get("name"))
        member = server.owner(name)
        own = member.names.database if member else ""
        yield (
            hba.Role(name, frozenset(map(text, items(spec.get("inRoles"))))),
            member.tenant.name if member else "",
            own,
        )
    managed = mapping(server.manifest.spec.get("managed"))
    for _, role in entries(managed.get("roles")):
        if role.get("login") and role.get("ensure", "present") == "present":
            member = server.owner(text(role.get("name")))
            groups = frozenset(map(text, items(role.get("inRoles"))))
            own = member.names.database if member else ""
            yield hba.Role(text(role.get("name")), groups), member.tenant.name if member else "", own
    owner = text(dig(server.manifest.spec, "bootstrap", "initdb", "owner"))
    if owner and server.owner(owner) is None:
        yield hba.Role(owner), "", ""
    yield hba.Role("a role created later"), "", ""
    if server.home.role == "standby":
        for member in server.members:  # roles come with the copy
            yield hba.Role(member.names.database, frozenset({GROUP})), member.tenant.name, member.names.database


# --- powers


@proof("DATA-04")
def powers(state: State) -> Iterator[Breach]:
    """DATA-04."""
    for server in servers(state):
        spec = server.manifest.spec
        if spec.get("enableSuperuserAccess"):
            message = "the superuser can log in with a password, which is in a Secret of the namespace"
            yield breach(
                server.manifest,
                "DATA-04",
                ("spec", "enableSuperuserAccess"),
                message,
                "set it to false",
                tenant=server.home.tenant,
            )
        for number, role in entries(dig(spec, "managed", "roles")):
            path: Path = ("spec", "managed", "roles", number)
            yield from _power(server.manifest, path, role, server.home.tenant, text(role.get("name")))
            if role.get("login"):
                message = f"the role '{role.get('name')}' can log in, but belongs to no instance"
                yield breach(
                    server.manifest,
                    "DATA-04",
                    path,
                    message,
                    "use a DatabaseRole of an instance",
                    tenant=server.home.tenant,
                )
        for manifest in server.roles:
            name = text(manifest.spec.get("name"))
            member = server.owner(name)
            tenant = member.tenant.name if member else server.home.tenant
            yield from _power(manifest, ("spec",), manifest.spec, tenant, name)
            if member is not None and member.leaving and manifest.spec.get("login") is not False:
                message = f"the role '{name}' can log in, although {member.tenant.name} has left"
                yield breach(manifest, "DATA-04", ("spec", "login"), message, "login: false", tenant=tenant)
            wanted = [GROUP] if member is not None and name == member.names.database else []
            groups = [text(g) for g in items(manifest.spec.get("inRoles"))]
            if [g for g in groups if g not in wanted]:
                message = f"the role '{name}' is in {', '.join(g for g in groups if g not in wanted)}, and inherits all its rights"
                yield breach(
                    manifest,
                    "DATA-04",
                    ("spec", "inRoles"),
                    message,
                    f"groups: {', '.join(wanted) or 'none'}",
                    tenant=tenant,
                )
            if wanted and GROUP not in groups:
                message = f"the role '{name}' is not in '{GROUP}', by which pg_hba matches tenants"
                yield breach(manifest, "DATA-04", ("spec", "inRoles"), message, f"inRoles: [{GROUP}]", tenant=tenant)


def _power(manifest: Manifest, path: Path, role: object, tenant: str, name: str) -> Iterator[Breach]:
    for attribute in ("superuser", "createdb", "createrole", "replication", "bypassrls"):
        if mapping(role).get(attribute):
            message = f"the role '{name}' has the attribute {attribute}"
            yield breach(manifest, "DATA-04", (*path, attribute), message, "set it to false", tenant=tenant)


# --- PUBLIC

_REVOKE = re.compile(r"REVOKE (.{1,200}?) ON DATABASE \"?([^ \"]{1,100})\"? FROM PUBLIC", re.IGNORECASE)
_GRANT = re.compile(r"GRANT .{1,200}? ON DATABASE \"?([^ \"]{1,100})\"? TO (.*)", re.IGNORECASE)
_LONGEST = 16 << 10
"""Longest statement that is read, in characters."""


def _statements(value: str) -> list[str]:
    """Statements of a text, with one space where there is any white space."""
    return [" ".join(statement.split()) for statement in value.split(";")]


_MIGRATION_REVOKE = 'REVOKE CONNECT, TEMPORARY ON DATABASE "{DATABASE}" FROM PUBLIC'


@proof("DATA-03")
def public(state: State) -> Iterator[Breach]:
    """DATA-03: what runs at a server's start, and with each migration."""
    for server in servers(state):
        initdb = mapping(dig(server.manifest.spec, "bootstrap", "initdb"))
        if not initdb:
            continue  # a copy brings its grants along
        base: Path = ("spec", "bootstrap", "initdb")
        wanted = {"postInitSQL": "postgres"}
        if server.home.role == "cell":
            wanted["postInitApplicationSQL"] = text(initdb.get("database"))
        for part, database in wanted.items():
            given = [text(s) for s in items(initdb.get(part))]
            taken = {
                w.strip().upper()
                for s in given
                if len(s) <= _LONGEST
                for statement in _statements(s)
                for m in _REVOKE.finditer(statement)
                if m[2] == database
                for w in m[1].split(",")
            }
            if not {"CONNECT", "TEMPORARY"} <= taken and "ALL" not in taken:
                message = f"PUBLIC keeps {' and '.join(sorted({'CONNECT', 'TEMPORARY'} - taken))} on the database '{database}': every role of the server has it"
                hint = f"REVOKE CONNECT, TEMPORARY ON DATABASE {database} FROM PUBLIC"
                yield breach(server.manifest, "DATA-03", (*base, part), message, hint, tenant=server.home.tenant)
            for number, statements in enumerate(given):
                yield from _granted(server, (*base, part, number), statements)
    for manifest in state.of("", "ConfigMap"):
        home = state.home(manifest)
        script = dig(manifest.value, "data", "migrate.py")
        if home is not None and isinstance(script, str) and _MIGRATION_REVOKE not in script:
            message = "the migration leaves CONNECT on the instance's database to PUBLIC"
            yield breach(manifest, "DATA-03", ("data", "migrate.py"), message, _MIGRATION_REVOKE, tenant=home.tenant)


def _granted(server: Server, path: Path, given: str) -> Iterator[Breach]:
    tenant = server.home.tenant
    if len(given) > _LONGEST:
        message = f"statements of over {_LONGEST >> 10} KiB are not read, so what they grant is unknown"
        yield breach(server.manifest, "DATA-03", path, message, "shorten them", tenant=tenant)
        return
    known = {"streaming_replica", "pg_monitor", "cnpg_metrics_exporter"}
    for statement in _statements(given):
        for database, whom in _GRANT.findall(statement):
            strangers = [w.strip().strip('"') for w in whom.split(",") if w.strip().strip('"') not in known]
            if strangers:
                message = f"grants the database '{database}' to {', '.join(strangers)}"
                hint = f"only {', '.join(sorted(known))} need it"
                yield breach(server.manifest, "DATA-03", path, message, hint, tenant=tenant)


# --- who shares


@proof("DATA-09")
def own_servers(state: State) -> Iterator[Breach]:
    """DATA-09: tiers that promise own servers share none; a dedicated tenant's cluster holds no other customer."""
    for home in state.homes_at("cell"):
        left = {guest.name for guest in home.guests}
        for kind in ("Database", "DatabaseRole"):
            for manifest in state.of(_CNPG, kind, home.namespace):
                owner = _promised_owner(state, text(manifest.spec.get("name")))
                if owner is not None and owner.settings.postgresql is not None and owner.name not in left:
                    message = f"{owner.name} is promised its own PostgreSQL, but would use that of {home}"
                    yield breach(manifest, "DATA-09", ("spec", "name"), message, "remove it", tenant=owner.tenant.name)
    customers: dict[str, Home] = {}
    for home in state.homes_at("instance", "standby"):
        assert home.instance is not None
        customer = home.instance.tenant.customer or home.tenant
        if home.tier.isolation.nodes == "cluster":
            for other, there in customers.items():
                if other != customer:
                    message = f"{home} is promised a cluster of its own, and shares {state.cluster.name} with {there}"
                    yield breach(
                        state.anchor(home),
                        "DATA-09",
                        (),
                        message,
                        "give each customer its own cluster",
                        tenant=home.tenant,
                    )
        customers[customer] = home


def _promised_owner(state: State, database: str) -> Instance | None:
    """The instance of that database; of one that moves between clusters, as it is in this one."""
    found = next((i for i in state.promises.instances.values() if i.names.database == database), None)
    there = (
        [i for i in with_elsewhere([found]) if i.site.cluster.name == state.cluster.name] if found is not None else []
    )
    return there[0] if there else found
