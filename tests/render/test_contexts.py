"""Which paths the public routes let through, by Go's regular expressions, as Traefik matches them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tenantry.engine.kustomize import Engine
from tenantry.render.contexts import PATHS

Matches = Callable[[str, str], bool]


@pytest.fixture
def matches(parser: Engine) -> Matches:
    """Whether the pattern of a name matches a path."""
    return lambda name, path: parser.paths([PATHS[name]], [path], ()).matches[PATHS[name], path]


def public(matches: Matches, path: str) -> bool:
    return not matches("database", path) and not matches("closed", path)


@pytest.mark.parametrize("path", [
    "/web/database/manager", "/web/database", "/web/database/selector", "//web//database/manager", "/fr/web/database/drop", "/fr_FR/web/database/list",
    "/WEB/Database/manager", "/xmlrpc/db", "/xmlrpc/2/db", "//xmlrpc//2//db", "/xmlrpc/2/object", "/xmlrpc/common", "/jsonrpc", "/json/1/res.partner",
    "/json/2/res.partner/read", "/doc", "/doc/index.json", "/metrics", "/monitoring/status", "/web/health", "/websocket/health", "/web/become",
    "/en/jsonrpc", "/en/xmlrpc/2/object", "/fr/metrics", "/es_419/web/become", "/web/set_profiling", "/web/version", "/website/info",
])  # fmt: skip
def test_what_is_closed_reaches_no_backend(matches: Matches, path: str) -> None:
    assert not public(matches, path)


@pytest.mark.parametrize("path", [
    "/", "/web", "/odoo", "/odoo/sales", "/web/login", "/web/dataset/call_kw", "/web/assets/1/a.js", "/shop", "/fr/shop", "/documents", "/web/content/1",
    "/my/orders", "/web/webclient/translations", "/report/pdf/x/1", "/websocket", "/bus/poll", "/web/databases-of-ours", "/jsonify", "/docs",
])  # fmt: skip
def test_what_people_use_is_open(matches: Matches, path: str) -> None:
    assert public(matches, path)


@pytest.mark.parametrize(
    "path",
    [
        "/web/login",
        "//web//login",
        "/fr/web/login",
        "/web/session/authenticate",
        "/web/reset_password",
        "/web/signup",
        "/Web/Login",
    ],
)
def test_login_paths_have_the_stricter_limit(matches: Matches, path: str) -> None:
    assert matches("login", path)


@pytest.mark.parametrize(("path", "reached"), [
    ("/xmlrpc/2/object", True), ("/xmlrpc/common", True), ("/jsonrpc", True), ("/json/2/res.partner/read", True),
    ("/xmlrpc/db", False), ("/xmlrpc/2/db", False), ("/web/database/manager", False), ("/web", False), ("/xmlrpc/2/object2", False),
])  # fmt: skip
def test_the_api_host_leads_to_api_paths_only(matches: Matches, path: str, reached: bool) -> None:
    assert matches("api", path) is reached
