"""The real Traefik before one cluster, one server that stands for all Pods, and a client that may send anything."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from acceptance.harness import fleet
from acceptance.harness.certificates import Authority, KeyPair
from acceptance.harness.control_plane import ControlPlane
from acceptance.harness.process import Processes, listens

ADDRESS = "10.255.0.1"
PORTS = (8069, 8072)
_SOURCES = (f"10.200.{number // 250}.{number % 250 + 1}" for number in count())
FIREWALL = {"headers": {"customRequestHeaders": {"X-Acceptance-Firewall": "passed"}}}
"""Stands for the web application firewall, a plugin that Traefik would fetch from elsewhere: shows that it is passed."""


@dataclass(frozen=True)
class Answer:
    """What came back; `pod` is the address that was reached, empty when the edge answered by itself."""

    status: int
    headers: dict[str, str]
    pod: str = ""
    port: int = 0
    path: str = ""
    received: dict[str, str] | None = None

    @property
    def reached(self) -> bool:
        return bool(self.pod)


REFUSED = Answer(0, {})
"""The connection did not come to an HTTP answer: TLS refused it."""


class Pods:
    """Answers on every local address, and says which one was asked for what."""

    def __enter__(self) -> Pods:
        self._servers = [ThreadingHTTPServer(("0.0.0.0", port), _Pod) for port in PORTS]
        for server in self._servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


class _Pod(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._tell()

    def do_POST(self) -> None:
        self._tell()

    def _tell(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        address, port = self.connection.getsockname()[:2]
        told = {"pod": address, "port": port, "path": self.path, "received": dict(self.headers.items())}
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Server", "Werkzeug")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent."""


class Edge:
    """Traefik with the platform tree's own settings, and the certificates that cert-manager would make."""

    def __init__(self, processes: Processes, folder: Path, plane: ControlPlane) -> None:
        self.plane = plane
        self.authority = Authority(folder / f"edge-{plane.name}", "public")
        self._clients = Authority(folder / f"clients-{plane.name}", "nobody")
        self._client_authorities: dict[str, Authority] = {}
        self._folder = folder
        self._bring_secrets()
        for item in fleet.every("Middleware", cluster=plane.name):
            if "plugin" in item.manifest["spec"]:
                answer = plane.api.apply({**item.manifest, "spec": FIREWALL})
                assert answer.accepted, answer.message
        settings = folder / f"traefik-{plane.name}.yaml"
        settings.write_text(yaml.safe_dump(self._settings()))
        program = Path(sys.executable).parent / "traefik"
        processes.start(f"traefik-{plane.name}", [program, f"--configFile={settings}"], ready=listens(8443))

    def _settings(self) -> dict[str, Any]:
        """The rendered file, and where the API server is, which a Pod learns from its surroundings."""
        text = fleet.one("ConfigMap", "traefik", "traefik-static", cluster=self.plane.name).manifest["data"][
            "traefik.yaml"
        ]
        settings: dict[str, Any] = yaml.safe_load(text)
        settings.pop("experimental", None)
        provider = settings["providers"]["kubernetesCRD"]
        api = self.plane.api
        provider.update(
            endpoint=api.server, token=api.token, certAuthFilePath=str(api.authority), throttleDuration="100ms"
        )
        settings["log"] = {"level": "INFO"}
        return settings

    def _bring_secrets(self) -> None:
        for item in fleet.every("Certificate", cluster=self.plane.name):
            spec = item.manifest["spec"]
            pair = self.authority.issue(f"{item.namespace}-{item.name}", tuple(spec.get("dnsNames", ())))
            data = {"tls.crt": pair.certificate.read_bytes(), "tls.key": pair.key.read_bytes()}
            self._secret(item.namespace, spec["secretName"], data, "kubernetes.io/tls")
        for item in fleet.every("ExternalSecret", cluster=self.plane.name):
            if item.name == "api-clients-ca":
                authority = Authority(self._folder / f"clients-{item.namespace}", f"clients of {item.namespace}")
                self._client_authorities[item.namespace] = authority
                self._secret(item.namespace, item.name, {"ca.crt": authority.certificate.read_bytes()}, "Opaque")

    def _secret(self, namespace: str, name: str, data: dict[str, bytes], kind: str) -> None:
        encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
        metadata = {"name": name, "namespace": namespace}
        answer = self.plane.api.create(
            {"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": metadata, "data": encoded}
        )
        assert answer.accepted, answer.message

    def client_certificate(self, namespace: str) -> KeyPair:
        """A certificate of the tenant's own authority, or of nobody's."""
        return self._client_authorities.get(namespace, self._clients).issue(f"client-{namespace}")

    def ask(
        self, host: str, path: str = "/web/login", *, port: int = 8443, source: str = "", sni: str | None = None,
        certificate: KeyPair | None = None, method: str = "GET", target: str = "", headers: Iterable[tuple[str, str]] = (),
    ) -> Answer:  # fmt: skip
        """One request, byte for byte as given; each from an address of its own unless `source` names one."""
        try:
            with socket.create_connection((ADDRESS, port), 10, (source or next(_SOURCES), 0)) as raw:
                stream: socket.socket = (
                    raw if port == 8000 else self._tls(raw, host if sni is None else sni, certificate)
                )
                lines = [f"{method} {target or path} HTTP/1.1", f"Host: {host}", "Connection: close"]
                lines += [f"{name}: {value}" for name, value in headers]
                stream.sendall("\r\n".join((*lines, "", "")).encode())
                response = HTTPResponse(stream, method=method)
                response.begin()
                return _answer(response)
        except (ssl.SSLError, ConnectionError):
            return REFUSED

    def ask_often(self, host: str, path: str, source: str, times: int) -> list[int]:
        """Status codes of many requests on one connection, as fast as the edge answers."""
        found = []
        with socket.create_connection((ADDRESS, 8443), 10, (source, 0)) as raw, self._tls(raw, host, None) as stream:
            for _ in range(times):
                stream.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                response = HTTPResponse(stream)
                response.begin()
                response.read()
                found.append(response.status)
        return found

    def _tls(self, raw: socket.socket, sni: str, certificate: KeyPair | None) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        context.check_hostname = False
        if certificate:
            context.load_cert_chain(certificate.certificate, certificate.key)
        return context.wrap_socket(raw, server_hostname=sni or None)


def _answer(response: HTTPResponse) -> Answer:
    body = response.read()
    headers = {name.lower(): value for name, value in response.getheaders()}
    if body.startswith(b'{"pod"'):
        return Answer(response.status, headers, **json.loads(body))
    return Answer(response.status, headers)
