"""The engine: Kustomize, definitions of custom kinds, and the operators' parsers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from tenantry.core.findings import ObjectId, Place
from tenantry.core.manifest import FieldProblem, Manifest, Value, Verdict, parse_path
from tenantry.engine.protocol import BuildError, Peer

__all__ = ["BuildError", "Engine"]


class Engine(Peer):
    """A running engine. Use it as a context manager."""

    def store(self, files: Mapping[str, str]) -> None:
        """Give the files that all builds share (path -> content)."""
        self.finish(self.send("store", {"files": dict(files)}))

    def build(self, path: str, files: Mapping[str, str], uses: Sequence[str] = ()) -> Future[Any]:
        """Start building the Kustomize directory `path` of `files` and the stored folders `uses`; `objects` waits."""
        return self.send("build", {"path": path, "files": dict(files), "uses": list(uses)})

    def objects(self, started: Future[Any]) -> list[tuple[Manifest, str]]:
        """Objects of a build with their canonical YAML. Raises BuildError when Kustomize refuses."""
        return [(_manifest(o), o["yaml"]) for o in self.finish(started)["objects"]]

    def parse(self, text: str) -> Future[Any]:
        """Start reading a file of manifests; `parsed` waits."""
        return self.send("parse", {"text": text})

    def parsed(self, started: Future[Any], file: str) -> tuple[list[Manifest], list[tuple[Place, str]]]:
        """Objects of a file of manifests, and what in it is none: (place, what is wrong)."""
        return _parsed(self.finish(started), file)

    def parse_all(self, texts: Sequence[str], *, judged: bool = False) -> Future[Any]:
        """Start reading several texts of manifests; `all_parsed` waits. What is `judged` already is only read."""
        return self.send("parse_all", {"texts": list(texts), "judged": judged})

    def all_parsed(
        self, started: Future[Any], files: Sequence[str]
    ) -> list[tuple[list[Manifest], list[tuple[Place, str]]]]:
        """For each file its objects, and what in it is none."""
        answers = self.finish(started)["files"]
        return [_parsed(answer, file) for answer, file in zip(answers, files, strict=True)]

    def define(self, definitions: Sequence[Value]) -> None:
        """Give CustomResourceDefinition objects that win over the known ones."""
        self.finish(self.send("define", {"definitions": list(definitions)}))


def _parsed(answer: Mapping[str, Any], file: str) -> tuple[list[Manifest], list[tuple[Place, str]]]:
    problems = [(Place(file, p["line"], p["column"]), p["message"]) for p in answer["problems"]]
    return [_manifest(o, file) for o in answer["objects"]], problems


def _manifest(answer: Mapping[str, Any], file: str = "") -> Manifest:
    verdict = answer.get("verdict")
    return Manifest(
        ObjectId(answer["group"], answer["kind"], answer["namespace"], answer["name"]),
        answer["version"],
        answer["value"],
        verdict and Verdict(
            verdict["namespaced"], tuple(verdict["served"]), verdict["deprecation"], verdict["source"],
            _field_problems(verdict["problems"]),
        ),
        _field_problems(answer.get("syntax", ())),
        file, answer.get("document", 0), tuple(answer.get("items", ())), answer.get("line", 1),
    )  # fmt: skip


def _field_problems(problems: Sequence[Mapping[str, str]]) -> tuple[FieldProblem, ...]:
    if not problems:
        return ()  # nearly always
    return tuple(FieldProblem(parse_path(p["path"]), p["rule"], p["message"]) for p in problems)
