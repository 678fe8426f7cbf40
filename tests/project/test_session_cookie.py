"""The add-on that guards the session cookie, on the one function of Odoo that it wraps."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from conftest import REPOSITORY

ADDON = REPOSITORY / "images/odoo/addons/session_cookie/__init__.py"


class FutureResponse:
    """As odoo/http.py has it in 17 to 19."""

    def set_cookie(
        self, key: str, value: str = "", max_age: int | None = None, secure: bool = False, httponly: bool = False, samesite: str | None = None
    ) -> dict[str, Any]:  # fmt: skip
        return {
            "key": key,
            "value": value,
            "max_age": max_age,
            "secure": secure,
            "httponly": httponly,
            "samesite": samesite,
        }


@pytest.fixture
def response(monkeypatch: pytest.MonkeyPatch) -> Any:
    own = type("FutureResponse", (FutureResponse,), {"set_cookie": FutureResponse.set_cookie})
    odoo = ModuleType("odoo")
    odoo.http = SimpleNamespace(FutureResponse=own)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "odoo", odoo)
    spec = importlib.util.spec_from_file_location("session_cookie", ADDON)
    assert spec and spec.loader
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return own()


def test_the_session_cookie_is_secure_and_stays_at_home(response: Any) -> None:
    made = response.set_cookie("session_id", "abc", max_age=604800, httponly=True)
    assert made == {
        "key": "session_id",
        "value": "abc",
        "max_age": 604800,
        "secure": True,
        "httponly": True,
        "samesite": "Lax",
    }


def test_other_cookies_are_left_as_they_are(response: Any) -> None:
    assert response.set_cookie("frontend_lang", "en_US")["secure"] is False
    assert response.set_cookie("tz", "UTC", samesite="Strict")["samesite"] == "Strict"
