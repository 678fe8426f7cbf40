"""The engine: Kustomize, definitions of custom kinds, and the operators' parsers."""

from __future__ import annotations

import base64
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tenantry.core.findings import MachineError, ObjectId, Place
from tenantry.core.manifest import FieldProblem, Manifest, Value, Verdict, parse_path
from tenantry.engine import languages
from tenantry.engine.languages import Cron, Expressions, Interval, Paths, Refusal, Rule
from tenantry.engine.protocol import REQUEST_SECONDS, BuildError, CoProcess, RequestError
from tenantry.runtime.listing import FolderFiles, Listing

__all__ = ["BuildError", "Engine", "ParseProblem"]


@dataclass(frozen=True, slots=True)
class ParseProblem:
    """A part of a file of manifests that is not an object. `kind` is yaml (invalid), object (not a Kubernetes
    object) or unjudged (over a limit)."""

    kind: str
    place: Place
    message: str


Parsed = tuple[list[Manifest], list[ParseProblem]]


class Engine(CoProcess):
    """A running engine. Use it as a context manager."""

    def __init__(self, program: Path, *, request_seconds: float = REQUEST_SECONDS) -> None:
        self._defined: list[Sequence[Value]] = []
        super().__init__(program, request_seconds=request_seconds)

    def restart(self) -> None:
        """Restart it, with the definitions that it had."""
        super().restart()
        defined, self._defined = self._defined, []
        for definitions in defined:
            self.define(definitions, keep=True)

    def trees(self, root: Path, names: Sequence[str]) -> Listing:
        """Lists the folders of these names below `root`. Raises MachineError when the file system refuses."""
        params = {"root": base64.b64encode(os.fsencode(root)).decode(), "trees": list(names)}
        try:
            answer = self.finish(self.send("trees", params))
        except RequestError as error:
            if error.kind != "files":
                raise
            raise MachineError(error.message, "make it readable, then run again") from error
        folders = {path: FolderFiles(tuple(f["names"]), f["fingerprint"]) for path, f in answer["folders"].items()}
        return Listing(folders, [os.fsdecode(base64.b64decode(path)) for path in answer["strangers"]])

    def store(self, files: Mapping[str, str]) -> None:
        """Give the files that all builds share (path -> content)."""
        self.finish(self.send("store", {"files": dict(files)}))

    def build(self, path: str, files: Mapping[str, str], uses: Sequence[str] = ()) -> Future[Any]:
        """Start building the Kustomize directory `path` of `files` and the stored folders `uses`; `objects` waits."""
        return self.send("build", {"path": path, "files": dict(files), "uses": list(uses)})

    def objects(self, started: Future[Any]) -> list[tuple[Manifest, str]]:
        """Objects of a build with their canonical YAML. Raises BuildError when Kustomize rejects it."""
        return [(_manifest(o), o["yaml"]) for o in self.finish(started)["objects"]]

    def parse(self, text: str) -> Future[Any]:
        """Start reading a file of manifests; `parsed` waits."""
        return self.send("parse", {"text": text})

    def parsed(self, started: Future[Any], file: str) -> Parsed:
        """Objects of a file of manifests, and the parts that are not objects."""
        return _parsed(self.finish(started), file)

    def parse_all(self, texts: Sequence[str], *, judged: bool = False) -> Future[Any]:
        """Start reading several texts of manifests; `all_parsed` waits. Files in `judged` are only parsed, not checked."""
        return self.send("parse_all", {"texts": list(texts), "judged": judged})

    def all_parsed(self, started: Future[Any], files: Sequence[str]) -> list[Parsed]:
        """For each file its objects, and the parts that are not objects."""
        answers = self.finish(started)["files"]
        return [_parsed(answer, file) for answer, file in zip(answers, files, strict=True)]

    def define(self, definitions: Sequence[Value], *, keep: bool = False) -> list[tuple[FieldProblem, ...]]:
        """Pass CustomResourceDefinition objects, which override the known ones; returns what the API server rejects in each.

        With `keep`, those passed before are kept.
        """
        answer = self.finish(self.send("define", {"definitions": list(definitions), "keep": keep}))
        self._defined = [*(self._defined if keep else ()), definitions]
        return [_field_problems(told["problems"]) for told in answer["definitions"]]

    @property
    def has_definitions(self) -> bool:
        """Whether definitions were passed."""
        return any(self._defined)

    def intervals(self, schedules: Collection[Cron]) -> dict[Cron, Interval | Refusal]:
        """How often each schedule runs, computed by the library of the operators that run it."""
        started = self.send("intervals", {"schedules": [asdict(schedule) for schedule in schedules]})
        answers = map(languages.interval, self.finish(started)["intervals"])
        return dict(zip(schedules, answers, strict=True))

    def rules(self, texts: Collection[str]) -> dict[str, Rule | Refusal]:
        """Each HTTP rule as Traefik reads it."""
        answers = map(languages.rule, self.finish(self.send("rules", {"texts": list(texts)}))["rules"])
        return dict(zip(texts, answers, strict=True))

    def paths(self, expressions: Iterable[str], texts: Collection[str], together: Collection[Expressions]) -> Paths:
        """Which texts each expression matches, and every way in which a path can match those that are `together`."""
        numbers: dict[str, int] = {}
        for expression in (*expressions, *(e for group in together for e in group)):
            numbers.setdefault(expression, len(numbers))
        groups = [[numbers[expression] for expression in group] for group in together]
        params = {"expressions": list(numbers), "texts": list(texts), "together": groups}
        answer = self.finish(self.send("paths", params))
        matches = {
            (expression, text): matched
            for expression, row in zip(numbers, answer["matches"], strict=True)
            for text, matched in zip(texts, row, strict=True)
        }
        return Paths(matches, dict(zip(together, map(languages.walk, answer["walks"]), strict=True)))


def _parsed(answer: Mapping[str, Any], file: str) -> Parsed:
    problems = [ParseProblem(p["kind"], Place(file, p["line"], p["column"]), p["message"]) for p in answer["problems"]]
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
        return ()  # the common case
    return tuple(FieldProblem(parse_path(p["path"]), p["rule"], p["message"]) for p in problems)
