"""The readiness probe of web Pods, run against servers that answer, fail and are not there."""

from __future__ import annotations

import importlib.util
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from conftest import REPOSITORY

SCRIPT = REPOSITORY / "generator/tenantry/render/templates/files/ready.py"


@pytest.fixture
def ready() -> ModuleType:
    spec = importlib.util.spec_from_file_location("shipped_ready", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def pages() -> Iterator[Callable[[int], str]]:
    """A server that answers every request with a status; its port."""
    running: list[ThreadingHTTPServer] = []

    def serve(status: int) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return str(server.server_address[1])

    yield serve
    for server in running:
        server.shutdown()
        server.server_close()


def unused_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes], str]]:
    """A session store that takes one client and says what it is given; its address. TLS is left out."""
    plain = SimpleNamespace(wrap_socket=lambda link, **_: link)
    monkeypatch.setattr(ssl, "create_default_context", lambda **_: plain)
    listening: list[socket.socket] = []

    def serve(reply: bytes) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)

        def answer() -> None:
            client, _ = server.accept()
            with client:
                client.recv(4096)
                client.sendall(reply)

        threading.Thread(target=answer, daemon=True).start()
        return f"rediss://acme:s%40cret@127.0.0.1:{server.getsockname()[1]}/0?ssl_ca_certs=/etc/redis-ca/ca.crt"

    yield serve
    for server in listening:
        server.close()


GOOD = b"+OK\r\n+PONG\r\n"


def verdict(ready: ModuleType, monkeypatch: pytest.MonkeyPatch, ports: list[str], url: str) -> str:
    monkeypatch.setattr(ready, "PATHS", dict.fromkeys(ports, "/web/login"))
    monkeypatch.setenv("ODOO_SESSION_REDIS_URL", url)
    try:
        ready.main(ports)
    except SystemExit as error:
        return str(error.code)
    return ""


def test_pages_are_asked_for_what_needs_the_database(ready: ModuleType) -> None:
    """/web/health answers 200 without it."""
    assert ready.PATHS == {"8069": "/web/login", "8072": "/websocket/health"}


def test_a_pod_whose_pages_bus_and_sessions_answer_is_ready(
    ready: ModuleType, pages: Any, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verdict(ready, monkeypatch, [pages(200), pages(200)], store(GOOD)) == ""


@pytest.mark.parametrize("status", [302, 404, 500])
def test_only_200_counts(
    ready: ModuleType, pages: Any, store: Any, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    port = pages(status)
    assert verdict(ready, monkeypatch, [port], store(GOOD)) == f"port {port} does not answer"


def test_a_bus_that_is_not_there_is_seen(
    ready: ModuleType, pages: Any, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = str(unused_port())
    assert verdict(ready, monkeypatch, [pages(200), dead], store(GOOD)) == f"port {dead} does not answer"


@pytest.mark.parametrize("reply", [b"-WRONGPASS invalid\r\n-NOAUTH\r\n", b"+OK\r\n-LOADING\r\n", b""])
def test_a_store_that_lets_nobody_in_is_seen(
    ready: ModuleType, pages: Any, store: Any, monkeypatch: pytest.MonkeyPatch, reply: bytes
) -> None:
    assert verdict(ready, monkeypatch, [pages(200)], store(reply)) == "the session store does not answer"


def test_a_store_that_is_not_there_is_seen_and_no_password_is_shown(
    ready: ModuleType, pages: Any, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = verdict(ready, monkeypatch, [pages(200)], f"rediss://acme:hidden@127.0.0.1:{unused_port()}/0")
    assert said == "the session store does not answer"


def test_words_are_sent_by_their_length_in_bytes(ready: ModuleType) -> None:
    assert ready.command("AUTH", "ü") == b"*2\r\n$4\r\nAUTH\r\n$2\r\n\xc3\xbc\r\n"
