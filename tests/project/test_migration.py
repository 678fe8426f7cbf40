"""The migration script and the Pods' gate, run against an Odoo that behaves as the real ones were seen to behave."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from conftest import REPOSITORY

SCRIPTS = REPOSITORY / "generator/tenantry/render/templates/files"
GLUE = "fs_attachment_environment"
BROUGHT = {GLUE: ["base", "fs_storage", "fs_attachment"]}
"""Modules that others bring with them."""


class KilledError(Exception):
    """The Pod is gone in the middle of a run."""


@dataclass
class World:
    """A database, and what Odoo does to it; files are counted by where they lie."""

    series: int = 19
    known: set[str] = field(
        default_factory=lambda: {"base", "web", "sale", "stock", GLUE, "fs_storage", "fs_attachment"}
    )
    states: dict[str, str] = field(default_factory=dict)
    password: str = ""
    local: int = 0
    stored: int = 0
    storage: bool = False
    marker: tuple[str, str] | None = None
    locked: bool = False
    freed_after: int = 1000
    """Waits until the server notices that the Pod which held the lock is gone."""
    parameters: dict[str, str] = field(default_factory=dict)
    runs: list[list[str]] = field(default_factory=list)
    dies_in: str = ""
    """The Pod is killed when Odoo works on this module."""
    writes_back: str = ""
    """A module whose installation writes Odoo's default password again."""
    lost: bool = False
    """Local files went with an earlier Pod; moving them logs a FileNotFoundError at INFO."""

    def wait(self, _: float) -> None:
        self.freed_after -= 1
        self.locked = self.locked and self.freed_after > 0

    def odoo(self, command: list[str]) -> tuple[int, list[str]]:
        """Exit code and log of one call."""
        self.runs.append(command)
        if command[1] == "shell":
            return self._shell()
        log: list[str] = []
        for option, state in (("--init", "to install"), ("--update", "to upgrade")):
            named = command[command.index(option) + 1].split(",") if option in command else []
            unknown = [name for name in named if name not in self.known]
            log += (
                [
                    f"2026-11-26 10:00:00,1 7 WARNING db odoo.modules.graph: invalid module names, ignored: {unknown[0]}\n"
                ]
                if unknown
                else []
            )
            for name in (n for n in named if n in self.known):
                for one in (*BROUGHT.get(name, ()), name):
                    self._work(one, state, again=option == "--init" and one in named)
        return 0, log

    def _work(self, name: str, state: str, *, again: bool) -> None:
        if self.states.get(name) == "installed" and state == "to install" and not (again and self.series <= 18):
            return
        new = name not in self.states
        self.states[name] = state
        if name == self.dies_in:
            self.dies_in = ""
            raise KilledError
        if name in ("base", self.writes_back) and state == "to install":
            self.password = "admin"
        if new and self.storage:
            self.stored += 3
        elif new:
            self.local += 3
        self.states[name] = "installed"

    def _shell(self) -> tuple[int, list[str]]:
        if GLUE not in self.states:
            return 1, ["KeyError: 'fs.storage'\n"]
        self.storage = True
        log = (
            ["2026-11-26 10:00:00,1 7 INFO db odoo.addons: FileNotFoundError: [Errno 2]\n"]
            if self.lost and self.local
            else []
        )
        self.stored, self.local, self.lost = self.stored + self.local, 0, False
        return 0, [*log, "STORAGE READY\n"]


class Cursor:
    """Answers the statements of the scripts, and refuses any other."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rows: list[tuple[Any, ...]] = []

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, statement: str, values: list[Any] | None = None) -> None:
        self.rows = self._answer(" ".join(statement.split()), values or [])

    def _answer(self, sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
        world = self.world
        match sql.split("(")[0].split()[:3]:
            case ["SELECT", "pg_try_advisory_lock"]:
                return [(not world.locked,)]
            case ["SELECT", "to_regclass"]:
                return [(world.marker is not None if "tenantry_release" in sql else bool(world.states),)]
            case ["SELECT", "name,", "state"]:
                return list(world.states.items())
            case ["SELECT", "release,", "state"]:
                return [world.marker] if world.marker else []
            case ["SELECT", "password", "FROM"]:
                return [(world.password,)] if world.password else []
            case ["UPDATE", "res_users", "SET"]:
                world.password = values[0]
            case ["INSERT", "INTO", "tenantry_release"]:
                world.marker = values[0], values[1]
            case ["INSERT", "INTO", "ir_config_parameter"]:
                world.parameters[values[0]] = values[1]
            case ["CREATE" | "DELETE" | "REVOKE" | "GRANT" | "ALTER", *_]:
                pass
            case _:
                raise AssertionError(sql)
        return []

    def fetchone(self) -> tuple[Any, ...] | None:
        return self.rows[0] if self.rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.rows


class Context:
    """passlib's, as far as it is used: a hash is the password with a mark."""

    def __init__(self, schemes: list[str]) -> None:
        self.schemes = schemes

    def hash(self, password: str) -> str:
        return f"$hash${password}"

    def verify(self, password: str, stored: str) -> bool:
        return stored in (password, f"$hash${password}")


class Process:
    """A program that runs to its end when it is read."""

    def __init__(self, world: World, command: list[str]) -> None:
        self.stdin = StringIO()
        self.returncode, lines = world.odoo(command)
        self.stdout = iter(lines)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"shipped_{name}", SCRIPTS / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Migrate = Callable[..., str]


@pytest.fixture
def migrate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Migrate]:
    """Run the script once on a world; '' or why it failed."""
    monkeypatch.setitem(sys.modules, "psycopg2", SimpleNamespace(connect=None, Error=OSError))  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "passlib", SimpleNamespace())  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "passlib.context", SimpleNamespace(CryptContext=Context))  # type: ignore[arg-type]

    def run(
        world: World,
        modules: str = "base,web,sale",
        release: str = "r1",
        *,
        moved: bool = False,
        imported: bool = False,
    ) -> str:
        given = {"DATABASE": "db", "RELEASE": release, "MODULES": modules, "STORAGE_MODULES": GLUE,
                 "BASE_URL": "https://a.example", "REPORT_URL": "http://odoo-web:8069", "ADMIN_PASSWORD": "first"}  # fmt: skip
        for key, value in given.items():
            monkeypatch.setenv(f"MIGRATION_{key}", value)
        for name, is_set in (("MIGRATION_MOVED", moved), ("MIGRATION_IMPORTED", imported)):
            if is_set:
                monkeypatch.setenv(name, "1")
            else:
                monkeypatch.delenv(name, raising=False)
        script = load("migrate")
        monkeypatch.setattr(script, "time", SimpleNamespace(sleep=world.wait))
        monkeypatch.setattr(subprocess, "Popen", lambda command, **_: Process(world, command))
        try:
            script.migrate(Cursor(world))
        except SystemExit as error:
            return str(error.code)
        return ""

    return run


@pytest.mark.parametrize("series", [17, 18, 19])
def test_the_first_install_ends_with_every_module_every_file_stored_and_the_first_password(
    migrate: Migrate, series: int
) -> None:
    world = World(series=series)
    assert migrate(world) == ""
    assert {world.states[name] for name in ("base", "web", "sale", GLUE)} == {"installed"}
    assert (world.local, world.stored) == (0, 3 * len(world.states))
    assert world.password == "$hash$first"
    assert world.marker == ("r1", "done")
    assert world.parameters["web.base.url"] == "https://a.example"


def test_the_storage_comes_before_all_other_modules(migrate: Migrate) -> None:
    world = World()
    migrate(world)
    assert world.runs[0][1:5] == ["--database", "db", "--init", GLUE]
    assert world.runs[1][1] == "shell"
    assert "sale" in " ".join(world.runs[2])


@pytest.mark.parametrize("series", [18, 19])
@pytest.mark.parametrize("killed_at", ["base", GLUE, "web", "sale"])
def test_a_run_that_is_killed_anywhere_is_finished_by_the_next_one(
    migrate: Migrate, series: int, killed_at: str
) -> None:
    world = World(series=series, dies_in=killed_at)
    with pytest.raises(KilledError):
        migrate(world)
    assert world.marker == ("r1", "migrating")
    assert migrate(world) == ""
    assert world.password == "$hash$first"
    assert (world.local, world.marker) == (0, ("r1", "done"))


def test_a_password_that_a_person_has_set_stays(migrate: Migrate) -> None:
    world = World()
    migrate(world)
    world.password = "$hash$own"
    assert migrate(world, modules="base,web,sale,stock", release="r2") == ""
    assert world.password == "$hash$own"


def test_a_module_that_brings_the_default_password_again_does_not_keep_it(migrate: Migrate) -> None:
    world = World(writes_back="sale")
    assert migrate(world) == ""
    assert world.password == "$hash$first"


def test_a_module_that_a_release_adds_reaches_a_tenant_that_is_there(migrate: Migrate) -> None:
    world = World()
    migrate(world)
    assert migrate(world, modules="base,web,sale,stock", release="r2") == ""
    assert world.states["stock"] == "installed"
    last = world.runs[-2]
    assert last[last.index("--init") + 1] == "stock"
    assert last[last.index("--update") + 1] == f"{GLUE},base,web,sale"


def test_a_module_that_the_image_lacks_fails_the_migration(migrate: Migrate) -> None:
    world = World()
    assert "faults in the log" in migrate(world, modules="base,web,sael")
    assert world.marker == ("r1", "migrating")


def test_a_module_that_is_left_behind_fails_the_migration_though_odoo_says_nothing(migrate: Migrate) -> None:
    world = World()
    migrate(world)
    world.states["stock"] = "to upgrade"
    world.marker = ("r1", "done")
    world.known.discard("stock")
    assert "'stock': 'to upgrade'" in migrate(world)


def test_files_that_went_with_an_earlier_pod_fail_the_migration(migrate: Migrate) -> None:
    world = World(dies_in=GLUE, lost=True)
    with pytest.raises(KilledError):
        migrate(world)
    assert "not all of them lie in it" in migrate(world)


def test_a_database_that_carries_the_release_is_left_alone(migrate: Migrate) -> None:
    world = World()
    migrate(world)
    before = len(world.runs)
    assert migrate(world) == ""
    assert [run[1] for run in world.runs[before:]] == ["shell"], "beside reading the known object back"


def test_two_migrations_do_not_run_beside_each_other(migrate: Migrate) -> None:
    world = World(locked=True)
    assert "another migration" in migrate(world)
    assert world.runs == []


def test_the_lock_of_a_pod_that_was_killed_does_not_cost_the_one_retry(migrate: Migrate) -> None:
    world = World(locked=True, freed_after=3)
    assert migrate(world) == ""
    assert world.states["sale"] == "installed"


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (None, "the database is empty: what was moved is not here"),
        ("copied", "the database is a copy that was not compared"),
        ("moved", "this is the database that was moved away from"),
    ],
)
def test_after_a_move_only_the_compared_copy_is_used(migrate: Migrate, state: str | None, why: str) -> None:
    world = World()
    if state:
        migrate(world)
        world.marker = ("r1", state)
    before = len(world.runs)
    assert migrate(world, moved=True) == f"migration failed: {why}"
    assert len(world.runs) == before, "Odoo was not started"


def test_nothing_is_installed_where_a_customers_data_should_be(migrate: Migrate) -> None:
    world = World()
    why = "the database is empty: what is to be brought in is not here"
    assert migrate(world, imported=True) == f"migration failed: {why}"
    assert (world.runs, world.marker) == ([], None)


def test_what_was_brought_in_gets_what_the_release_needs(migrate: Migrate) -> None:
    world = World(states={"base": "installed", "web": "installed"}, password="$hash$own")
    assert migrate(world, imported=True) == ""
    assert {world.states[name] for name in ("base", "web", "sale", GLUE)} == {"installed"}
    assert (world.password, world.marker) == ("$hash$own", ("r1", "done"))
    assert migrate(world, imported=True) == "", "once more, with the field still in the file"


def test_what_was_moved_is_left_alone(migrate: Migrate) -> None:
    world = World()
    migrate(world)
    before = len(world.runs)
    assert migrate(world, moved=True) == ""
    assert [run[1] for run in world.runs[before:]] == ["shell"]


def test_a_source_to_which_a_move_goes_back_serves_again(migrate: Migrate) -> None:
    world = World()
    migrate(world)
    world.marker = ("r1", "moved")
    assert migrate(world) == ""
    assert world.marker == ("r1", "done")


def test_a_trial_copy_is_never_migrated(migrate: Migrate) -> None:
    world = World()
    migrate(world)
    world.marker = ("r1", "copied")
    assert migrate(world, release="r2") == "migration failed: the database is a copy that was not compared"


def gate_says(world: World, release: str) -> str | None:
    gate = load("gate")
    connection = SimpleNamespace(cursor=lambda: Cursor(world), close=lambda: None)
    return gate.found(lambda: connection)  # type: ignore[no-any-return]


@pytest.fixture
def gated(migrate: Migrate, monkeypatch: pytest.MonkeyPatch) -> Callable[[World, str], str | None]:
    def ask(world: World, release: str) -> str | None:
        monkeypatch.setenv("GATE_DATABASE", "db")
        monkeypatch.setenv("GATE_RELEASE", release)
        return gate_says(world, release)

    return ask


def test_the_gate_opens_for_the_release_that_the_database_carries_and_for_no_other(
    migrate: Migrate, gated: Callable[[World, str], str | None]
) -> None:
    world = World()
    assert gated(world, "r1") == "no release has been installed"
    migrate(world)
    assert gated(world, "r1") is None
    assert gated(world, "r2") == "the database is done for r1"


def test_the_gate_stays_shut_while_a_migration_runs_and_after_one_that_failed(
    migrate: Migrate, gated: Callable[[World, str], str | None]
) -> None:
    world = World()
    migrate(world)
    world.dies_in = "sale"
    with pytest.raises(KilledError):
        migrate(world, release="r2")
    assert gated(world, "r1") == gated(world, "r2") == "the database is migrating for r2"
    assert migrate(world, modules="sael", release="r2") != ""
    assert gated(world, "r2") is not None
    assert migrate(world, release="r2") == ""
    assert gated(world, "r2") is None


def test_the_gate_waits_for_a_database_that_does_not_answer(migrate: Migrate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATE_DATABASE", "db")
    monkeypatch.setenv("GATE_RELEASE", "r1")
    world = World()
    migrate(world)
    gate, waited = load("gate"), []
    tries = iter([OSError("refused"), SimpleNamespace(cursor=lambda: Cursor(world), close=lambda: None)])

    def connect() -> Any:
        found = next(tries)
        if isinstance(found, OSError):
            raise found
        return found

    gate.wait(connect, waited.append)
    assert waited == [5]


def test_the_gate_waits_for_as_long_as_it_takes(migrate: Migrate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither time nor tries open it: the Pods of the release before go on serving."""
    monkeypatch.setenv("GATE_DATABASE", "db")
    monkeypatch.setenv("GATE_RELEASE", "r2")
    world = World()
    migrate(world)
    gate, waited = load("gate"), []
    clock = SimpleNamespace(sleep=waited.append, time=lambda: sum(waited), monotonic=lambda: sum(waited))
    monkeypatch.setattr(gate, "time", clock)

    def connect() -> Any:
        if len(waited) == 10_000:
            world.marker = ("r2", "done")
        return SimpleNamespace(cursor=lambda: Cursor(world), close=lambda: None)

    gate.wait(connect, waited.append)
    assert len(waited) == 10_000


class Store:
    """Odoo's environment as the program for the storage sees it: attachments, where they lie, and what is read of them."""

    def __init__(
        self, *, local: int = 0, stuck: bool = False, reads: bytes | None = None, default: str = "attachments"
    ) -> None:
        self.local, self.stuck, self.reads, self.default = local, stuck, reads, default
        self.known: list[SimpleNamespace] = []
        self.cr = SimpleNamespace(commit=lambda: None, execute=lambda *_: None, fetchone=lambda: (self.local,))

    def __getitem__(self, model: str) -> Any:
        if model == "fs.storage":
            there = SimpleNamespace(
                get_default_storage_code_for_attachments=lambda: self.default, create=lambda _: None
            )
            there.search = lambda _: []
            return there
        return SimpleNamespace(
            search=lambda *_, **__: self.known and self.known[0],
            create=self._create,
            force_storage=self._move,
            invalidate_model=self._forget,
        )

    def _forget(self) -> None:
        for one in self.known:
            one.raw = self.reads if self.reads is not None else one.stored

    def _move(self) -> None:
        self.local = self.local if self.stuck else 0

    def _create(self, values: dict[str, Any]) -> Any:
        one = SimpleNamespace(raw=values["raw"], stored=values["raw"], store_fname=f"{self.default}://a-1")
        one.invalidate_recordset = self._forget
        self.known.append(one)
        return one


def ready(migrate: Migrate, store: Store) -> str:
    """Run the program as `odoo shell` does; '' or why it failed."""
    migrate(World())  # puts what the script reads into the environment
    try:
        exec(load("migrate").STORAGE, {"env": store})
    except AssertionError as error:
        return str(error)
    return ""


def test_the_object_store_is_ready_when_what_was_written_is_read_back(migrate: Migrate) -> None:
    store = Store(local=3)
    assert ready(migrate, store) == ""
    assert (store.local, len(store.known)) == (0, 1)
    assert ready(migrate, store) == ""
    assert len(store.known) == 1, "the object of the first time is read again"


@pytest.mark.parametrize("first", [True, False], ids=["just written", "of an earlier run"])
def test_a_missing_object_which_odoo_reads_as_an_empty_file_fails(migrate: Migrate, first: bool) -> None:
    store = Store()
    if not first:
        ready(migrate, store)
    store.reads = b""
    assert "other bucket or prefix?" in ready(migrate, store)


def test_files_that_stay_in_the_pod_or_go_to_another_storage_fail(migrate: Migrate) -> None:
    assert "lie in this Pod" in ready(migrate, Store(local=1, stuck=True))
    assert "have no storage" in ready(migrate, Store(default="elsewhere"))


FAKES = {
    "pg_dump": '#!/bin/sh\nexit "${DUMP_ENDS:-0}"\n',
    "rclone": '#!/bin/sh\necho "rclone $1" >>"$CALLS"\n[ "$1" = cat ] && cat "$DUMP" || true\n',
    # Reads all that it is given, as the real one does without --list; a dump that was cut off has no end.
    "pg_restore": '#!/bin/sh\ncase "$*" in *--list*) exec head -c 10 >/dev/null;; esac\n[ "$(tail -c 3)" = end ]\n',
}


@pytest.mark.parametrize(("ending", "code"), [(b"end", 0), (b"cut", 1)])
def test_a_dump_is_read_to_its_end_before_it_counts(tmp_path: Path, ending: bytes, code: int) -> None:
    for name, text in FAKES.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    dump, calls = tmp_path / "dump", tmp_path / "calls"
    dump.write_bytes(b"x" * 12_000_000 + ending)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "CALLS": str(calls), "DUMP": str(dump), "BACKUP_ENDPOINT": "https://s",
                   "BACKUP_TARGET": "b/t", "PGDATABASE": "db"}  # fmt: skip
    done = subprocess.run(["bash", SCRIPTS / "backup.sh"], env=environment, capture_output=True, timeout=60)
    assert done.returncode == code, done.stderr
    assert ("moveto" in calls.read_text()) == (code == 0)


def test_a_dump_that_fails_does_not_count_though_what_came_of_it_can_be_read(tmp_path: Path) -> None:
    for name, text in FAKES.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    dump, calls = tmp_path / "dump", tmp_path / "calls"
    dump.write_bytes(b"end")
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "CALLS": str(calls), "DUMP": str(dump), "BACKUP_ENDPOINT": "https://s",
                   "BACKUP_TARGET": "b/t", "PGDATABASE": "db", "DUMP_ENDS": "1"}  # fmt: skip
    done = subprocess.run(["bash", SCRIPTS / "backup.sh"], env=environment, capture_output=True, timeout=60)
    assert done.returncode == 1
    assert "moveto" not in calls.read_text()
