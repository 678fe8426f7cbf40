"""The script that starts Odoo, on a stand-in for Odoo's own loading: it logs what it can't load, and goes on."""

from __future__ import annotations

import importlib.util
import logging
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import pytest

from conftest import REPOSITORY

SCRIPT = REPOSITORY / "generator/tenantry/render/templates/files/serve.py"


def load_all() -> None:
    logging.getLogger("odoo.service.server").info("loading")


def load_some() -> None:
    logging.getLogger("odoo.service.server").error("Failed to load server-wide module `session_valkey`.")


class OperationalError(Exception):
    """psycopg2's, of a server that does not answer."""


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    odoo, service = ModuleType("odoo"), ModuleType("odoo.service")
    service.server, service.db = SimpleNamespace(), SimpleNamespace()  # type: ignore[attr-defined]
    for name, module in (
        ("odoo", odoo),
        ("odoo.cli", odoo),
        ("odoo.service", service),
        ("odoo.service.server", service.server),
        ("odoo.service.db", service.db),
        ("psycopg2", SimpleNamespace(OperationalError=OperationalError)),
    ):
        monkeypatch.setitem(sys.modules, name, module)  # type: ignore[arg-type]
    odoo.cli, odoo.service = odoo, service  # type: ignore[attr-defined]
    spec = importlib.util.spec_from_file_location("serve", SCRIPT)
    assert spec and spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@pytest.fixture
def strictly(script: ModuleType) -> Callable[[Callable[[], None]], Callable[[], None]]:
    found: Callable[[Callable[[], None]], Callable[[], None]] = script.strictly
    return found


def test_odoo_starts_when_all_modules_are_loaded(strictly: Callable[[Callable[[], None]], Callable[[], None]]) -> None:
    strictly(load_all)()


def test_odoo_ends_when_it_would_go_on_without_its_session_store(
    strictly: Callable[[Callable[[], None]], Callable[[], None]],
) -> None:
    with pytest.raises(SystemExit, match="session_valkey"):
        strictly(load_some)()
    assert not logging.getLogger("odoo").handlers


def test_odoo_waits_for_a_database_that_does_not_answer(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(script, "time", SimpleNamespace(sleep=pauses.append))
    answers = [OperationalError("server login has been failing"), OperationalError("connection refused")]

    def ask(name: str) -> str:
        if answers:
            raise answers.pop()
        return f"{name} is there"

    assert script.patiently(ask)("acme_production") == "acme_production is there"
    assert pauses == [script.PAUSE, script.PAUSE]


def test_what_else_odoo_is_told_of_its_database_is_not_waited_for(script: ModuleType) -> None:
    def ask(name: str) -> None:
        raise LookupError(name)

    with pytest.raises(LookupError):
        script.patiently(ask)("acme_production")
