"""The fleet's repository at its own address, over HTTPS, by git's own server program."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from acceptance.harness import fleet
from acceptance.harness.certificates import Authority

ADDRESS = "10.254.0.1"
IDENTITY = {"GIT_AUTHOR_NAME": "Acceptance", "GIT_AUTHOR_EMAIL": "acceptance@provider.example",
            "GIT_COMMITTER_NAME": "Acceptance", "GIT_COMMITTER_EMAIL": "acceptance@provider.example",
            "GIT_CONFIG_NOSYSTEM": "1"}  # fmt: skip


class Repository:
    """A bare repository served at the URL that the Applications name, and a work tree to commit from.

    `without` is the name of folders that it does not hold.
    """

    def __init__(
        self, folder: Path, url: str, *, rendered: Path = fleet.RENDERED, address: str = ADDRESS, without: str = ""
    ) -> None:
        self.work = folder / "work"
        self._folder = folder / "served"
        self._url = urlsplit(url)
        self.bare = self._folder / self._url.path.lstrip("/")
        self.bare.parent.mkdir(parents=True)
        self.authority = Authority(folder / "tls", "git")
        self._pair = self.authority.issue(self.host, (self.host,))
        self._address = address
        self._git("init", "--quiet", "--bare", "--initial-branch=main", str(self.bare), at=folder)
        shutil.copytree(rendered, self.work / "rendered", ignore=shutil.ignore_patterns(without))
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("remote", "add", "origin", str(self.bare))
        self.commit("the fleet as rendered")

    def commit(self, message: str) -> str:
        """Commit and push all that is in the work tree; the revision."""
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", message)
        self._git("push", "--quiet", "origin", "main")
        return self.head()

    def head(self) -> str:
        """The revision of the last commit."""
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *arguments: str, at: Path | None = None) -> str:
        command = ["git", *arguments]
        done = subprocess.run(
            command, cwd=at or self.work, env={**os.environ, **IDENTITY}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def host(self) -> str:
        """Its name."""
        return str(self._url.hostname)

    def __enter__(self) -> Repository:
        root = str(self._folder)

        class Handler(_GitBackend):
            project_root = root

        self._server = ThreadingHTTPServer((self._address, self._url.port or 443), Handler)
        self._server.daemon_threads = True
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._pair.certificate, self._pair.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _GitBackend(BaseHTTPRequestHandler):
    """CGI for `git http-backend`; read only."""

    project_root = ""

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        body = self._chunks() if self.headers.get("Transfer-Encoding") == "chunked" else self.rfile.read(
            int(self.headers.get("Content-Length") or 0))  # fmt: skip
        self._serve(body)

    def _chunks(self) -> bytes:
        found = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        return found

    def _serve(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        environment = {
            **os.environ, "GIT_PROJECT_ROOT": self.project_root, "GIT_HTTP_EXPORT_ALL": "1", "REQUEST_METHOD": self.command,
            "PATH_INFO": parts.path, "QUERY_STRING": parts.query, "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)), "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""), "REMOTE_ADDR": self.client_address[0],
        }  # fmt: skip
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Silent."""
