"""Who is told of an alert: servers outside, under the names of a pager's and of a queue for tickets.

They stand in for services of others: what Alertmanager sends is kept, and nobody is woken.
"""

from __future__ import annotations

import json
import re
import secrets
import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from acceptance.harness.certificates import Authority
from cluster.base import Manifest
from cluster.network import PAGER, QUEUE, RECEIVERS
from cluster.operators import secret

_LABELS = re.compile(r"^ - (alertname|namespace) = (\S+)$", re.MULTILINE)
Alert = tuple[str, str]
"""Namespace and name."""


@dataclass
class Told:
    """What was sent to each receiver, by the receiver's name."""

    firing: dict[str, set[Alert]] = field(default_factory=dict)
    resolved: dict[str, set[Alert]] = field(default_factory=dict)

    def take(self, receiver: str, status: str, alerts: Iterable[Alert]) -> None:
        """Keep a notification; `status` is Alertmanager's."""
        where = self.resolved if status == "resolved" else self.firing
        where.setdefault(receiver, set()).update(alerts)


def wanted(configurations: Iterable[Manifest]) -> dict[str, str]:
    """Receiver -> kind of its configuration, of AlertmanagerConfigs."""
    return {
        receiver["name"]: kind
        for manifest in configurations
        for receiver in manifest["spec"]["receivers"]
        for kind in ("pagerdutyConfigs", "webhookConfigs")
        if kind in receiver
    }


def credentials(kinds: Mapping[str, str], namespace: str, name: str) -> Manifest:
    """The Secret that a person makes of each receiver's key or address: docs/how-to/hear-alerts.md."""
    values = {receiver: secrets.token_hex(16) if kind == "pagerdutyConfigs" else f"https://{QUEUE}/{receiver}" for receiver, kind in kinds.items()}  # fmt: skip
    return secret(namespace, name, values)


@contextmanager
def receivers(authority: Authority, keys: Mapping[str, str]) -> Iterator[Told]:
    """Take notifications until the end of the block; `keys`: routing key of a pager -> its receiver's name."""
    told = Told()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            pager = self.headers["Host"] == PAGER
            told.take(*(_paged(content, keys) if pager else _queued(self.path, content)))
            self.send_response(202 if pager else 200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Nothing: the table of checks says what came."""

    pair = authority.issue("receivers", (PAGER, QUEUE))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.certificate, pair.key)
    with ThreadingHTTPServer((RECEIVERS, 443), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield told
        server.shutdown()


def _paged(content: Mapping[str, Any], keys: Mapping[str, str]) -> tuple[str, str, list[Alert]]:
    """PagerDuty's Events API, version 2: Alertmanager writes the labels of each alert into the details."""
    details = content["payload"]["custom_details"]
    resolved = content["event_action"] == "resolve"
    labels: list[tuple[str, str]] = _LABELS.findall(str(details.get("resolved" if resolved else "firing", "")))
    names = [value for key, value in labels if key == "alertname"]
    namespaces = [value for key, value in labels if key == "namespace"]
    return keys[content["routing_key"]], "resolved" if resolved else "firing", list(zip(namespaces, names, strict=True))


def _queued(path: str, content: Mapping[str, Any]) -> tuple[str, str, list[Alert]]:
    alerts = [(one["labels"].get("namespace", ""), one["labels"]["alertname"]) for one in content["alerts"]]
    return path.strip("/"), str(content["status"]), alerts
