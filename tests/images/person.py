"""A person at the web client: of a Pod, as the edge hands the requests on, or of the edge."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

HOST = "fjord.example"
FORWARDED = {"Host": HOST, "X-Forwarded-Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.10"}
SENT = frozenset({"cookie", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-for"})
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
        self.user = 0
        """Identifier of who is logged in."""
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
        self.user = int((answer or {}).get("uid") or 0)
        return bool(self.user)

    def is_logged_in(self) -> bool:
        answer = self.call("/web/session/get_session_info", {})
        return bool(answer and answer.get("uid"))

    def model(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        params = {"model": model, "method": method, "args": list(args), "kwargs": kwargs}
        return self.call(f"/web/dataset/call_kw/{model}/{method}", params)

    def revoke(self, password: str, other: Person) -> None:
        """End another session of this user, as the page of devices does: it asks for the password first."""
        (device,) = self.model("res.device", "search", [("session_identifier", "=", other.session[:42])])
        question = self.model("res.device", "revoke", [device])
        assert question["res_model"] == "res.users.identitycheck", question
        context = {"context": {"password": password}}
        self.model("res.users.identitycheck", "run_check", [question["res_id"]], **context)

    @contextmanager
    def websocket(self, port: int) -> Iterator[ClientConnection]:
        """Open the bus, whose frames are JSON. Raises InvalidStatus when the server answers otherwise than with 101."""
        sent = {key: value for key, value in {**self._client.headers, **self._headers()}.items() if key.lower() in SENT}
        with (
            self._connect(port) as link,
            # TLS is the socket's.
            connect(
                f"ws://{self._host}/websocket?version=19.0-2", sock=link, origin=Origin(f"https://{self._host}"),
                additional_headers=sent, proxy=None,
            ) as opened,
        ):  # fmt: skip
            yield opened

    def _headers(self) -> dict[str, str]:
        return {"Cookie": f"session_id={self.session}"} if self.session else {}

    def _kept(self, response: httpx.Response) -> httpx.Response:
        for line in response.headers.get_list("set-cookie"):
            if line.startswith("session_id="):
                self.cookie, self.session = line, line.split(";")[0].removeprefix("session_id=")
        self._client.cookies.clear()
        return response
