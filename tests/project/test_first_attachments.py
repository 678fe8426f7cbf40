"""The add-on that keeps the first attachments in the database, on the methods of Odoo and s3fs that it replaces."""

from __future__ import annotations

import asyncio
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
    files = type("S3FileSystem", (S3FileSystem,), {})
    own.files = files  # type: ignore[attr-defined]
    wrapper = SimpleNamespace(sync_wrapper=lambda ask: lambda self, path: asyncio.run(ask(self, path)))
    for other, content in (
        ("fsspec", ModuleType("fsspec")),
        ("fsspec.asyn", wrapper),
        ("s3fs", SimpleNamespace(S3FileSystem=files)),
    ):
        monkeypatch.setitem(sys.modules, other, content)  # type: ignore[arg-type]
    spec = importlib.util.spec_from_file_location("attachment_db_first", ADDON)
    assert spec and spec.loader
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return own


class S3FileSystem:
    """As s3fs has it for a key that may list its own folder only."""

    async def _exists(self, path: str) -> bool:
        if path == "hidden":
            raise PermissionError
        return path == "there"


def test_attachments_lie_in_the_database_until_something_else_is_said(attachment: type[IrAttachment]) -> None:
    assert attachment()._storage() == "db"
    assert attachment("attachments")._storage() == "attachments"


def test_a_folder_that_the_key_may_not_ask_for_is_taken_for_there(attachment: type[IrAttachment]) -> None:
    files = attachment.files()  # type: ignore[attr-defined]
    assert [files.exists(path) for path in ("there", "missing", "hidden")] == [True, False, True]
    assert asyncio.run(files._exists("hidden"))
