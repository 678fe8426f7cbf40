"""A person at the web client: of a Pod, as the edge hands the requests on, or of the edge."""

from __future__ import annotations

import base64
import os
import socket
import ssl
from collections.abc import Callable
from typing import Any

import httpx

HOST = "fjord.example"
FORWARDED = {"Host": HOST, "X-Forwarded-Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.10"}
SENT = frozenset({"host", "cookie", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-for"})
"""Headers of a websocket's opening, beside its own."""


class _Named(httpx.HTTPTransport):
    """Names the host in TLS, where the address says nothing of it."""

    def __init__(self, host: str, trust: ssl.SSLContext) -> None:
        super().__init__(verify=trust)
        self._host = host

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["sni_hostname"] = self._host
        return super().handle_request(request)


Connect = Callable[[int], socket.socket]
"""A connection to a port of the server."""


class Person:
    """Keeps the session cookie itself: it is marked for TLS, and a Pod speaks none."""

    def __init__(self, client: httpx.Client, connect: Connect, host: str, database: str) -> None:
        self._client, self._connect, self._host, self._database = client, connect, host, database
        self.session = ""
        self.cookie = ""
        """The last line that set the session."""

    @classmethod
    def at_pod(cls, address: str, database: str) -> Person:
        """Before a Pod of the tenant HOST, in the edge's place."""
        client = httpx.Client(base_url=f"http://{address}:8069", timeout=120, trust_env=False, headers=FORWARDED)
        return cls(client, lambda port: socket.create_connection((address, port), 20), HOST, database)

    @classmethod
    def at_edge(cls, address: str, port: int, host: str, database: str, trust: ssl.SSLContext) -> Person:
        """Before the edge, whose names no resolver knows."""
        client = httpx.Client(
            base_url=f"https://{address}:{port}", timeout=120, trust_env=False, headers={"Host": host},
            transport=_Named(host, trust),
        )  # fmt: skip

        def connect(_: int) -> socket.socket:
            return trust.wrap_socket(socket.create_connection((address, port), 20), server_hostname=host)

        return cls(client, connect, host, database)

    def get(self, path: str) -> httpx.Response:
        return self._kept(self._client.get(path, headers=self._headers()))

    def call(self, path: str, params: dict[str, Any]) -> Any:
        """The result of a JSON request; None when the server refuses it."""
        body = {"jsonrpc": "2.0", "method": "call", "params": params}
        return self._kept(self._client.post(path, json=body, headers=self._headers())).json().get("result")

    def log_in(self, login: str, password: str) -> bool:
        params = {"db": self._database, "login": login, "password": password}
        answer = self.call("/web/session/authenticate", params)
        return bool(answer and answer.get("uid"))

    def is_logged_in(self) -> bool:
        answer = self.call("/web/session/get_session_info", {})
        return bool(answer and answer.get("uid"))

    def model(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        params = {"model": model, "method": method, "args": list(args), "kwargs": kwargs}
        return self.call(f"/web/dataset/call_kw/{model}/{method}", params)

    def handshake(self, port: int) -> str:
        """First line of the answer to a websocket's opening."""
        lines = ["GET /websocket?version=19.0-2 HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                 f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}", f"Origin: https://{self._host}",
                 *(f"{key}: {value}" for key, value in {**self._client.headers, **self._headers()}.items() if key.lower() in SENT), "", ""]  # fmt: skip
        with self._connect(port) as link:
            link.sendall("\r\n".join(lines).encode())
            return link.recv(200).decode(errors="replace").split("\r\n")[0]

    def _headers(self) -> dict[str, str]:
        return {"Cookie": f"session_id={self.session}"} if self.session else {}

    def _kept(self, response: httpx.Response) -> httpx.Response:
        for line in response.headers.get_list("set-cookie"):
            if line.startswith("session_id="):
                self.cookie, self.session = line, line.split(";")[0].removeprefix("session_id=")
        self._client.cookies.clear()
        return response
