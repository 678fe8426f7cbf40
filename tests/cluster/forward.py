"""The way of a person into a cluster's network: a port of 127.0.0.1 outside, a socket of the file system, the API server."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

from cluster.base import Cluster
from cluster.control_plane import PORT

_BLOCK = 1 << 16


def serve(folder: Path, cluster: Cluster, edge: tuple[str, int] | None) -> None:
    """Inside: accept at sockets in the folder and pass on to API server and edge; write what a kubeconfig needs beside them."""
    _serve(folder / "api.sock", (cluster.addresses.api_server, PORT))
    if edge:
        _serve(folder / "edge.sock", edge)
    names = {
        "authority": cluster.api.authority,
        "certificate": cluster.kubeconfig.with_suffix(".crt"),
        "key": cluster.kubeconfig.with_suffix(".key"),
    }
    ready = folder / "ready.partial"
    ready.touch(0o600)
    ready.write_text(json.dumps({name: Path(source).read_text() for name, source in names.items()}))
    ready.rename(folder / "ready.json")


def _serve(path: Path, address: tuple[str, int]) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(64)
    threading.Thread(target=_accept, args=(listener, lambda: socket.create_connection(address)), daemon=True).start()


def listen(path: Path) -> int:
    """Outside: a port of 127.0.0.1 whose connections go to the socket; served by threads of this process."""
    listener = socket.create_server(("127.0.0.1", 0))

    def connect() -> socket.socket:
        to = socket.socket(socket.AF_UNIX)
        to.connect(str(path))
        return to

    threading.Thread(target=_accept, args=(listener, connect), daemon=True).start()
    return int(listener.getsockname()[1])


def _accept(listener: socket.socket, connect: object) -> None:
    while True:
        one, _ = listener.accept()
        try:
            other = connect()  # type: ignore[operator]
        except OSError:
            one.close()
            continue
        for source, target in ((one, other), (other, one)):
            threading.Thread(target=_copy, args=(source, target), daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while block := source.recv(_BLOCK):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        source.close()
        target.close()
