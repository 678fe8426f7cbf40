"""The add-on that keeps the first attachments in the database, on the one method of Odoo that it replaces."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from conftest import REPOSITORY

ADDON = REPOSITORY / "images/odoo/addons/attachment_db_first/__init__.py"


class IrAttachment:
    """As Odoo has it: where nothing is said, attachments lie in the Pod's file system."""

    def __init__(self, said: str | None = None) -> None:
        parameters = SimpleNamespace(get_param=lambda _, default=None: said or default)
        self.env = {"ir.config_parameter": SimpleNamespace(sudo=lambda: parameters)}

    def _storage(self) -> Any:
        return "file"


@pytest.fixture
def attachment(monkeypatch: pytest.MonkeyPatch) -> type[IrAttachment]:
    own = type("IrAttachment", (IrAttachment,), {})
    name = "odoo.addons.base.models.ir_attachment"
    parts = name.split(".")
    for count in range(1, len(parts)):
        monkeypatch.setitem(sys.modules, ".".join(parts[:count]), ModuleType(parts[count - 1]))
    module = ModuleType(name)
    module.IrAttachment = own  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("attachment_db_first", ADDON)
    assert spec and spec.loader
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return own


def test_attachments_lie_in_the_database_until_something_else_is_said(attachment: type[IrAttachment]) -> None:
    assert attachment()._storage() == "db"
    assert attachment("attachments")._storage() == "attachments"
