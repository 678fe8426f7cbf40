"""A small client of the Kubernetes API: bytes in, status and warnings out."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

MANAGER = "argocd-controller"
"""Field manager of server-side apply: Argo CD's, so that managed fields are as in production."""
_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    body: dict[str, Any] = field(repr=False)
    warnings: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        return self.status < 300

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))


@dataclass(frozen=True)
class Resource:
    """One entry of the server's discovery."""

    version: str
    plural: str
    namespaced: bool

    def path(self, namespace: str = "", name: str = "") -> str:
        root = "/api/v1" if self.version == "v1" else f"/apis/{self.version}"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{root}{scope}/{self.plural}" + (f"/{name}" if name else "")


class Api:
    """One API server as one user."""

    def __init__(self, server: str, authority: Path, token: str) -> None:
        self.server = server
        self.authority = authority
        self.token = token
        limits = httpx.Limits(max_connections=16, max_keepalive_connections=16)
        context = ssl.create_default_context(cafile=str(authority))
        self._http = httpx.Client(
            base_url=server, verify=context, timeout=60, limits=limits, trust_env=False,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
        )  # fmt: skip

    def close(self) -> None:
        self._http.close()

    def request(
        self, method: str, path: str, *, body: object = None, content: bytes | None = None, kind: str = "application/json",
        user: str = "", groups: Iterable[str] = (), **parameters: str,
    ) -> Answer:  # fmt: skip
        """Any request; `body` goes as JSON, `content` as it is; `user` and `groups` ask as somebody else."""
        data = content if content is not None else json.dumps(body).encode() if body is not None else None
        headers = [("Content-Type", kind)] if data is not None else []
        if user:
            headers += [("Impersonate-User", user), *(("Impersonate-Group", group) for group in groups)]
        answer = self._http.request(method, path, content=data, headers=headers, params=parameters)
        found = _WARNING.findall(", ".join(answer.headers.get_list("warning")))
        parsed = answer.json() if answer.text.startswith("{") else {"message": answer.text}
        return Answer(answer.status_code, parsed, tuple(found))

    @cached_property
    def resources(self) -> dict[tuple[str, str], Resource]:
        """(apiVersion, kind) -> where the server keeps it."""
        return {
            (version, entry["kind"]): Resource(version, entry["name"], entry["namespaced"])
            for version, entry in self.discovery()
            if "/" not in entry["name"]
        }

    def discovery(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(apiVersion, entry) of everything that is served, subresources too."""
        groups = self.request("GET", "/apis").body["groups"]
        for version in ("v1", *(served["groupVersion"] for group in groups for served in group["versions"])):
            listed = self.request("GET", "/api/v1" if version == "v1" else f"/apis/{version}").body
            for entry in listed.get("resources", ()):
                yield version, entry

    def forget_resources(self) -> None:
        """Ask anew which kinds there are: CRDs came."""
        self.__dict__.pop("resources", None)

    def path(self, manifest: Mapping[str, Any]) -> str:
        """Where one object lives. Raises KeyError for a kind that the server does not serve."""
        metadata = manifest["metadata"]
        resource = self.resources[manifest["apiVersion"], manifest["kind"]]
        return resource.path(metadata.get("namespace", ""), metadata["name"])

    def apply(self, manifest: Mapping[str, Any], content: bytes | None = None, *, dry_run: bool = False) -> Answer:
        """Server-side apply, strict; `content` sends the file's own bytes."""
        parameters = {"fieldManager": MANAGER, "fieldValidation": "Strict", "force": "true"}
        if dry_run:
            parameters["dryRun"] = "All"
        data = content if content is not None else json.dumps(manifest).encode()
        return self.request(
            "PATCH", self.path(manifest), content=data, kind="application/apply-patch+yaml", **parameters
        )

    def apply_all(self, manifests: Iterable[tuple[Mapping[str, Any], bytes | None]]) -> list[Answer]:
        """Apply many at once; answers in the order given."""
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda pair: self.apply(*pair), manifests))

    def get(self, manifest: Mapping[str, Any]) -> Answer:
        return self.request("GET", self.path(manifest))

    def list(self, version: str, kind: str, namespace: str = "", **parameters: str) -> list[dict[str, Any]]:
        """All objects of a kind. Raises AssertionError when the server refuses."""
        answer = self.request("GET", self.resources[version, kind].path(namespace), **parameters)
        assert answer.accepted, answer.message
        return [{**item, "apiVersion": version, "kind": kind} for item in answer.body["items"]]

    def create(self, manifest: Mapping[str, Any], **parameters: str) -> Answer:
        path = self.path(manifest).rpartition("/")[0]
        return self.request("POST", path, body=manifest, fieldValidation="Strict", **parameters)

    def merge(self, manifest: Mapping[str, Any], patch: object, subresource: str = "") -> Answer:
        """A merge patch."""
        path = self.path(manifest) + (f"/{subresource}" if subresource else "")
        return self.request("PATCH", path, body=patch, kind="application/merge-patch+json")

    def delete(self, manifest: Mapping[str, Any], **parameters: str) -> Answer:
        return self.request("DELETE", self.path(manifest), **parameters)
