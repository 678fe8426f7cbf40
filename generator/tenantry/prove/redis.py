"""DATA-06: Redis ACL lines (valkey-io/valkey-doc, topics/acl.md), rule by rule, and the session store of Odoo."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from tenantry.core.manifest import Manifest, Path, dig, mapping, text
from tenantry.model import names
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof
from tenantry.prove.secrets import external_for, remote_keys
from tenantry.prove.workloads import Container, Workload, workloads
from tenantry.resolve.instance import Instance
from tenantry.verify.values import split_url, without_actions

COMMANDS = frozenset({
    "get", "set", "setex", "hget", "hset", "hdel", "del", "expire", "exists", "ttl", "ping", "multi", "exec", "discard",
})  # fmt: skip
"""What session stores need: one value or one hash a key. Each acts on named keys only, so that key patterns bind it, or on no
key; what stands between MULTI and EXEC is judged command by command."""
_OPERATOR = frozenset({"ping", "acl|load", "acl|whoami", "info", "config|set"})
_REPLICATION = frozenset({"psync", "replconf", "ping"})
_OWN_ONLY = frozenset({"scan"})
"""Ignores key patterns; harmless on a Redis without other tenants."""
HASH = re.compile(r"#\{\{ \.(\w+) \| sha256sum \}\}")


@dataclass
class User:
    """One line `user NAME RULES`, its rules carried out from left to right."""

    name: str
    on: bool = False
    nopass: bool = False
    passwords: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    channels: set[str] = field(default_factory=set)
    commands: set[str] = field(default_factory=set)
    everything: bool = False
    unread: list[str] = field(default_factory=list)


def parse(line: str) -> User | None:
    """A user of an ACL file; None for a line that is none."""
    words = re.findall(r"#\{\{[^}]{0,200}\}\}|\([^)]{0,2000}\)|\S+", line)
    if len(words) < 2 or words[0] != "user":
        return None
    user = User(words[1])
    for word in words[2:]:
        _apply(user, word)
    return user


def _apply(user: User, word: str) -> None:
    """Carry out one rule."""
    low = word.lower()
    change = _WORDS.get(low)
    if low == "reset":
        user.__init__(user.name)  # type: ignore[misc]
    elif change is not None:
        for field_name, value in change.items():
            setattr(user, field_name, value() if callable(value) else value)
    elif low in ("allkeys", "~*", "%rw~*"):
        user.keys.add("*")
    elif low in ("allchannels", "&*"):
        user.channels.add("*")
    else:
        _apply_pattern(user, word, low)


_WORDS: dict[str, dict[str, object]] = {
    "on": {"on": True}, "off": {"on": False}, "nopass": {"nopass": True}, "resetpass": {"nopass": False, "passwords": list},
    "resetkeys": {"keys": set}, "resetchannels": {"channels": set}, "allcommands": {"everything": True}, "+@all": {"everything": True},
    "nocommands": {"everything": False, "commands": set}, "-@all": {"everything": False, "commands": set},
}  # fmt: skip
"""Rules that are whole words, and what they set."""


def _apply_pattern(user: User, word: str, low: str) -> None:
    if word[0] in "#>":
        user.passwords.append(word)
    elif word[0] == "~":
        user.keys.add(word[1:])
    elif low.startswith(("%r~", "%w~", "%rw~")):
        user.keys.add(word.partition("~")[2])
    elif word[0] == "&":
        user.channels.add(word[1:])
    elif word[0] == "+":
        user.commands.add(low[1:])
    elif word[0] == "-":
        user.commands.discard(low[1:])
    else:
        user.unread.append(word)


@proof("DATA-06", "IAM-09")
def access_lists(state: State) -> Iterator[Breach]:
    """The list of users of each Redis."""
    for home in state.homes_at("cell", "instance"):
        shared = home.role == "cell" and home.site.cell.redis is not None
        if not shared and not home.own_redis:
            continue
        manifest = external_for(state, home.namespace, "redis-acl")
        if manifest is None:
            message = (
                "no ExternalSecret provides the list of Redis users, so the server would only have its default user"
            )
            yield breach(state.anchor(home), "DATA-06", (), message, "run 'tenantry render'", tenant=home.tenant)
            continue
        data = mapping(dig(manifest.spec, "target", "template", "data"))
        path: Path = ("spec", "target", "template", "data", "users.acl")
        users = [u for line in text(data.get("users.acl")).splitlines() if (u := parse(line))]
        yield from _users(manifest, path, home, users)
        yield from _server(state, home)


def _members(home: Home) -> list[Instance]:
    return [home.instance] if home.instance else [m for m in home.members if not m.settings.own_redis]


def _users(manifest: Manifest, path: Path, home: Home, users: list[User]) -> Iterator[Breach]:
    members = {m.names.redis_user: m for m in _members(home)}
    tenant = home.tenant
    if not any(u.name == "default" and not u.on for u in users):
        message = "the default user is not off: anyone who reaches the port can run every command without a password"
        yield breach(manifest, "DATA-06", path, message, "user default off", tenant=tenant)
    for user in users:
        member = members.get(user.name)
        if member is not None:
            yield from _member(manifest, path, home, user, member)
        elif user.name in ("operator", "replication"):
            allowed = _OPERATOR if user.name == "operator" else _REPLICATION
            if user.everything or user.commands - allowed or user.nopass:
                more = (
                    "every command" if user.everything else ", ".join(sorted(user.commands - allowed)) or "no password"
                )
                message = f"the user '{user.name}' has {more}"
                yield breach(
                    manifest, "DATA-06", path, message, f"it needs {', '.join(sorted(allowed))}", tenant=tenant
                )
        elif user.name != "default" or user.on:
            message = f"the user '{user.name}' belongs to no instance of this Redis"
            yield breach(manifest, "DATA-06", path, message, "remove it", tenant=tenant)
    for name, member in members.items():
        found = [u for u in users if u.name == name]
        if len(found) != 1:
            message = f"{member.name} has {len(found)} users on its Redis"
            yield breach(manifest, "DATA-06", path, message, "one user per instance", tenant=member.tenant.name)


def _member(manifest: Manifest, path: Path, home: Home, user: User, member: Instance) -> Iterator[Breach]:
    called, tenant = member.names, member.tenant.name
    commands = COMMANDS | (_OWN_ONLY if home.role == "instance" else frozenset())
    faults = (
        (user.everything, "has every command, so FLUSHALL, CONFIG and SCAN too"),
        (bool(user.commands - commands), f"has {', '.join(sorted(user.commands - commands))}, which key patterns do not restrict"),
        (bool(COMMANDS - user.commands) and not user.everything, f"lacks {', '.join(sorted(COMMANDS - user.commands))}"),
        (user.keys != {called.redis_key_pattern}, f"reaches the keys {_shown(user.keys)}; its own are {called.redis_key_pattern}"),
        (bool(user.channels - {called.redis_channel_pattern}),
         f"reaches the channels {_shown(user.channels)}; its own are {called.redis_channel_pattern}"),
        (user.nopass, "needs no password"),
        (not user.on, "is off"),
        (bool(user.unread), f"has rules that can't be judged: {' '.join(user.unread)}"),
    )  # fmt: skip
    for fault, what in faults:
        if fault:
            yield breach(
                manifest,
                "DATA-06",
                path,
                f"the Redis user '{user.name}' {what}",
                "see docs/explanation/isolation.md",
                tenant=tenant,
            )
    keys = remote_keys(manifest)
    wanted = home.site.platform.secret_store.key(f"{called.secret_path}/redis")
    sources = [keys.get(m[1], "") if (m := HASH.fullmatch(p)) else "a literal" for p in user.passwords]
    if set(sources) != {wanted} and not user.nopass:
        message = f"the password of the Redis user '{user.name}' comes from {', '.join(sources) or 'nowhere'}"
        yield breach(manifest, "IAM-09", path, message, f"its key is '{wanted}'", tenant=tenant)


def _shown(patterns: set[str]) -> str:
    return ", ".join(sorted(patterns)) or "none"


_NEEDED = {
    "port": "0", "tls-port": "6379", "aclfile": "/etc/valkey-acl/users.acl", "tls-replication": "yes",
    "tls-cert-file": "/etc/valkey-tls/tls.crt",
}  # fmt: skip
_FORBIDDEN = ("requirepass", "user", "loadmodule", "enable-debug-command", "rename-command", "unixsocket")


def _server(state: State, home: Home) -> Iterator[Breach]:
    manifest = state.get("", "ConfigMap", home.namespace, "redis")
    if manifest is None:
        return  # a missing ConfigMap is a reference that leads nowhere (V060)
    settings: dict[str, str] = {}
    for line in text(dig(manifest.value, "data", "valkey.conf")).splitlines():
        key, _, value = line.strip().partition(" ")
        settings[key.lower()] = value.strip()
    path: Path = ("data", "valkey.conf")
    for key, value in _NEEDED.items():
        if settings.get(key) != value:
            message = f"{key} is {settings.get(key, 'not set')}: the server must speak TLS only, and know its users by the list"
            yield breach(manifest, "DATA-06", path, message, f"{key} {value}", tenant=home.tenant)
    for key in _FORBIDDEN:
        if key in settings:
            message = f"{key} bypasses the list of users"
            yield breach(manifest, "DATA-06", path, message, "remove it", tenant=home.tenant)


@proof("DATA-06", "DATA-09")
def sessions(state: State) -> Iterator[Breach]:
    """The session store of each Odoo Pod: own server, own user, own prefix, verified TLS."""
    for home in state.homes_at("instance"):
        instance = home.instance
        assert instance is not None
        where = home.namespace if home.own_redis else names.cell_namespace(home.site.cell.name)
        external = external_for(state, home.namespace, "redis-user")
        if external is not None:
            for ending, _ in instance.credentials.redis.endings:
                yield from _address(external, f"url{ending}", instance, f"redis.{where}.svc", home)
        for work in workloads(state, home.namespace):
            for container in work.containers:
                yield from _session_settings(work, container, instance, home)


def _session_settings(work: Workload, container: Container, instance: Instance, home: Home) -> Iterator[Breach]:
    """Odoo's containers of Deployments keep sessions in Redis; others may, but then rightly."""
    found = container.environment
    serves = work.manifest.identity.kind == "Deployment" and container.name == "odoo"
    if not serves and not any(name.startswith("ODOO_SESSION_REDIS") for name in found):
        return
    reference = {"name": "redis-user", "key": instance.credentials.redis.used("url")}
    wanted: dict[str, tuple[object, object]] = {
        "ODOO_SESSION_REDIS": (found.get("ODOO_SESSION_REDIS", {}).get("value"), "1"),
        "ODOO_SESSION_REDIS_PREFIX": (found.get("ODOO_SESSION_REDIS_PREFIX", {}).get("value"), instance.names.redis_session_prefix),
        "ODOO_SESSION_REDIS_URL": (dig(found.get("ODOO_SESSION_REDIS_URL", {}), "valueFrom", "secretKeyRef"), reference),
    }  # fmt: skip
    for name, (given, promised) in wanted.items():
        if given != promised:
            message = f"sessions: {name} is {given or 'not set'}; {home} is promised {promised}"
            path = (*container.path, "env")
            yield breach(work.manifest, "DATA-06", path, message, f"set {name} as promised", tenant=home.tenant)


def _address(external: Manifest, key: str, instance: Instance, host: str, home: Home) -> Iterator[Breach]:
    data = mapping(dig(external.spec, "target", "template", "data"))
    url = split_url(without_actions(text(data.get(key)), "x"))
    path: Path = ("spec", "target", "template", "data", key)
    query = parse_qs(url.query)
    faults = (
        (url.hostname != host, "DATA-09" if home.own_redis else "DATA-06", f"sessions are stored on {url.hostname}; {home} is promised {host}"),
        (url.username != instance.names.redis_user, "DATA-06",
         f"logs in as '{url.username}'; its own user is '{instance.names.redis_user}'"),
        (url.scheme != "rediss" or query.get("ssl_cert_reqs") != ["required"], "DATA-06", "does not verify the server's certificate"),
    )  # fmt: skip
    for fault, control, message in faults:
        if fault:
            yield breach(
                external,
                control,
                path,
                message,
                f"rediss://{instance.names.redis_user}:...@{host}:6379",
                tenant=home.tenant,
            )
