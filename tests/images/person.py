"""A person at the web client of a Pod, as the edge hands the requests on."""

from __future__ import annotations

import base64
import os
import socket
from typing import Any

import httpx

HOST = "fjord.example"
FORWARDED = {"Host": HOST, "X-Forwarded-Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.10"}


class Person:
    """Keeps the session cookie itself: it is marked for TLS, and the Pod speaks none."""

    def __init__(self, address: str, database: str) -> None:
        self._client = httpx.Client(base_url=f"http://{address}:8069", timeout=120, trust_env=False)
        self._address, self._database = address, database
        self.session = ""
        self.cookie = ""
        """The last line that set the session."""

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
                 f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}", f"Origin: https://{HOST}",
                 *(f"{key}: {value}" for key, value in self._headers().items()), "", ""]  # fmt: skip
        with socket.create_connection((self._address, port), 20) as link:
            link.sendall("\r\n".join(lines).encode())
            return link.recv(200).decode(errors="replace").split("\r\n")[0]

    def _headers(self) -> dict[str, str]:
        return {**FORWARDED, **({"Cookie": f"session_id={self.session}"} if self.session else {})}

    def _kept(self, response: httpx.Response) -> httpx.Response:
        for line in response.headers.get_list("set-cookie"):
            if line.startswith("session_id="):
                self.cookie, self.session = line, line.split(";")[0].removeprefix("session_id=")
        self._client.cookies.clear()
        return response
