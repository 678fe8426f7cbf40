"""Servers at addresses outside of the cluster, so that who does not reach them is kept from them."""

from __future__ import annotations

import socketserver
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

PORT = 80


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def servers(addresses: Iterable[str], device: str) -> Iterator[None]:
    """Something listens at each of the addresses, which a device of the cluster's network has meanwhile."""
    with ExitStack() as stack:
        for address in addresses:
            subprocess.run(["ip", "address", "add", f"{address}/32", "dev", device], check=True)
            stack.callback(subprocess.run, ["ip", "address", "del", f"{address}/32", "dev", device], check=True)
            server = stack.enter_context(_Server((address, PORT), socketserver.StreamRequestHandler))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
        yield
