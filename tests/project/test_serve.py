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


@pytest.fixture
def strictly(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], Callable[[], None]]:
    odoo, service = ModuleType("odoo"), ModuleType("odoo.service")
    service.server = SimpleNamespace()  # type: ignore[attr-defined]
    for name, module in (
        ("odoo", odoo),
        ("odoo.cli", odoo),
        ("odoo.service", service),
        ("odoo.service.server", service.server),
    ):
        monkeypatch.setitem(sys.modules, name, module)  # type: ignore[arg-type]
    odoo.cli, odoo.service = odoo, service  # type: ignore[attr-defined]
    spec = importlib.util.spec_from_file_location("serve", SCRIPT)
    assert spec and spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
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
