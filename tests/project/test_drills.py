"""Restore drills: who has one, what it is told, and the step that starts Odoo, against an Odoo that behaves as asked."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from conftest import REPOSITORY
from project.test_migration import Context, load
from tenantry.model.tenant import Offboarding
from tenantry.plan.inputs import read_inputs
from tenantry.resolve.drills import cell_drill, instance_drill
from tenantry.runtime.cache import Store


@dataclass
class World:
    """A restored database, and what Odoo does with it."""

    neutralized: bool = True
    fails: bool = False
    people: list[tuple[int, str]] = field(default_factory=lambda: [(2, "anna")])
    second_factor: bool = True
    starts: bool = True
    passwords: dict[str, str] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)
    runs: list[list[str]] = field(default_factory=list)
    ended: bool = False

    def answer(self, sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
        self.statements.append(sql)
        if "is_neutralized" in sql:
            return [("True",)] if self.neutralized else []
        if "SELECT id, login" in sql:
            return list(self.people)
        if "totp_secret'" in sql:
            return [(1,)] if self.second_factor else []
        if "SET password" in sql:
            self.passwords[self.people[0][1]] = values[0]
        return []


class Cursor:
    description = True

    def __init__(self, world: World) -> None:
        self.world, self.rows = world, list[tuple[Any, ...]]()

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, sql: str, values: list[Any] | tuple[Any, ...] = ()) -> None:
        self.rows = self.world.answer(sql, list(values))

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.rows


class Odoo:
    """The process of Odoo."""

    def __init__(self, world: World, command: list[str]) -> None:
        world.runs.append(command)
        self.world, self.returncode = world, 1

    def poll(self) -> int | None:
        return None if self.world.starts else 1

    def terminate(self) -> None:
        self.world.ended = True

    def wait(self) -> None:
        pass


def ask(world: World) -> Callable[..., bytes]:
    def answered(path: str, body: dict[str, Any] | None = None) -> bytes:
        if body is None:
            return b"{}"
        given = body["params"]
        right = world.passwords.get(given["login"]) == f"$hash${given['password']}"
        return json.dumps({"result": {"uid": 2}} if right else {"error": {"message": "Access Denied"}}).encode()

    return answered


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[World], str]]:
    """Run the step on a world; '' or why it failed."""
    monkeypatch.setitem(sys.modules, "psycopg2", SimpleNamespace(connect=None))  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "passlib", SimpleNamespace())  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "passlib.context", SimpleNamespace(CryptContext=Context))  # type: ignore[arg-type]
    monkeypatch.setenv("DRILL_DATABASE", "acme_production")
    monkeypatch.setenv("RUN_FOLDER", "/run/restore-drill")

    def run(world: World) -> str:
        script: ModuleType = load("login")
        connection = SimpleNamespace(cursor=lambda: Cursor(world), close=lambda: None)
        monkeypatch.setattr(script.psycopg2, "connect", lambda **_: connection)
        done = SimpleNamespace(returncode=int(world.fails))
        monkeypatch.setattr(script.subprocess, "run", lambda command, **_: world.runs.append(command) or done)
        monkeypatch.setattr(script.subprocess, "Popen", lambda command: Odoo(world, command))
        monkeypatch.setattr(script, "ask", ask(world))
        try:
            script.main()
        except SystemExit as stopped:
            return str(stopped.code)
        return ""

    yield run


def test_a_copy_is_neutralised_before_odoo_starts_and_somebody_logs_in(login: Callable[[World], str]) -> None:
    world = World()
    assert login(world) == ""
    assert [run[:2] for run in world.runs] == [["odoo", "neutralize"], ["odoo", "--database"]]
    assert {"--max-cron-threads=0", "--http-interface=127.0.0.1"} <= set(world.runs[1])
    assert any("totp_secret = NULL" in statement for statement in world.statements)
    assert world.ended


@pytest.mark.parametrize(("world", "why"), [
    (World(fails=True), "odoo neutralize ended with an error"),
    (World(neutralized=False), "the copy is not neutralised"),
    (World(people=[]), "nobody could log in"),
    (World(starts=False), "Odoo ended with 1"),
])  # fmt: skip
def test_a_drill_fails_with_its_reason(login: Callable[[World], str], world: World, why: str) -> None:
    assert login(world) == f"restore drill failed: {why}"


def test_odoo_never_starts_on_a_copy_that_is_not_harmless(login: Callable[[World], str]) -> None:
    world = World(neutralized=False)
    login(world)
    assert [run[:2] for run in world.runs] == [["odoo", "neutralize"]]


def test_a_login_that_is_refused_fails(login: Callable[[World], str]) -> None:
    class Forgetful(World):
        def answer(self, sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
            found = super().answer(sql, values)
            self.passwords.clear()
            return found

    assert login(Forgetful()) == "restore drill failed: 'anna' can't log in: Access Denied"


def test_production_on_a_server_of_its_own_has_a_drill_and_nothing_else() -> None:
    instances = read_inputs(REPOSITORY, "2026-11-26", Store()).resolution.instances.values()
    found = {instance.name for instance in instances if instance_drill(instance, instance.site) is not None}
    own = {i.name for i in instances if i.environment == "production" and i.settings.postgresql and not i.leaving}
    assert found == own != set()
    globex = next(i for i in instances if i.name == "globex-eu-production")
    drill = instance_drill(globex, globex.site)
    assert drill is not None and (drill.every_days, drill.deadline_seconds, drill.overdue_seconds) == (
        7,
        3600,
        8 * 86400,
    )
    assert globex.standby is not None and instance_drill(globex, globex.standby) is None
    assert instance_drill(dataclasses.replace(globex, waits=True), globex.site) is None


def test_a_cell_s_drill_expects_a_leaving_tenant_until_its_database_is_dropped() -> None:
    instances = list(read_inputs(REPOSITORY, "2026-11-26", Store()).resolution.instances.values())
    leaving = next(i for i in instances if i.name == "juniper-clinic-production")
    members = [i for i in instances if i.site.cell.name == leaving.site.cell.name]
    drill = cell_drill(leaving.site, leaving.tier, members)
    assert drill is not None and leaving.names.database in dict(drill.databases)
    step = Offboarding(delete_after="2026-11-01", approver="x", reason="y", step="erase")
    gone = dataclasses.replace(leaving, tenant=dataclasses.replace(leaving.tenant, offboarding=step))
    after = cell_drill(leaving.site, leaving.tier, [gone if i is leaving else i for i in members])
    assert after is not None
    assert [name for name, _ in set(drill.databases) - set(after.databases)] == [leaving.names.database]
