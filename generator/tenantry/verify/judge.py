"""Objects of one cluster -> findings."""

from __future__ import annotations

import contextlib
import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from tenantry.core.findings import Cause, Finding, Place, Severity
from tenantry.core.manifest import Manifest, Problem, show_path, text
from tenantry.core.veil import Veil, redacted
from tenantry.verify import references, rules
from tenantry.verify.index import Index
from tenantry.verify.locate import Locator
from tenantry.verify.schemas import namespaced, schema_problems

Blame = Callable[[Manifest, Problem], Cause]
"""Tells which input line decided a value; empty when nobody knows."""


def no_blame(_: Manifest, __: Problem) -> Cause:
    return Cause()


TENANT_LABEL = "tenantry.io/tenant"


def judge_objects(
    manifests: Iterable[Manifest], version: str, *, pinned: bool = True
) -> Iterator[tuple[Manifest, Problem]]:
    """All that is wrong with each object by itself; `pinned` as in `Index`."""
    for manifest in manifests:
        found = [_severe(problem) if pinned else problem for problem in schema_problems(manifest, version)]
        yield from ((manifest, problem) for problem in found)
        codes = {problem.code for problem in found}
        if codes.isdisjoint(_NO_KIND):
            # Where the schema refuses a type, a rule may not be able to read on; the API server asks none then.
            unreadable = (TypeError, AttributeError, KeyError, ValueError) if "V021" in codes else ()
            with contextlib.suppress(*unreadable):
                for problem in rules.problems(manifest, version):
                    yield manifest, problem


def _severe(problem: Problem) -> Problem:
    """A fleet holds no object of a kind that is not known, and none with such a field."""
    return dataclasses.replace(problem, severity="error") if problem.code in ("V010", "V020") else problem


_NO_KIND = frozenset({"V010", "V011"})
_NOT_OF_A_FIELD = frozenset({"V010", "V011", "V012", "V014", "V024"})


def judge(index: Index, version: str) -> Iterator[tuple[Manifest, Problem]]:
    """All that is wrong with the objects of one cluster, each by itself and together."""
    yield from judge_objects(index.manifests, version, pinned=index.pinned)
    yield from duplicates(index.manifests, pinned=index.pinned)
    yield from references.problems(index)
    yield from homeless(index, version)


def duplicates(manifests: Iterable[Manifest], *, pinned: bool = True) -> Iterator[tuple[Manifest, Problem]]:
    """Objects that are there twice: which of them a cluster keeps is chance.

    Files of a tree that nobody pins to a cluster may be alternatives, of which one is applied.
    """
    first: dict[object, Manifest] = {}
    for manifest in manifests:
        other = first.setdefault(manifest.identity, manifest)
        if other is not manifest:
            where = f"{other.file}:{other.line}"
            message = f"{manifest.identity} is there twice"
            severity: Severity = "error" if pinned or other.file == manifest.file else "warning"
            yield manifest, Problem("V014", ("metadata", "name"), message, f"the other one is at {where}", severity)


def homeless(index: Index, version: str) -> Iterator[tuple[Manifest, Problem]]:
    """Objects without a namespace among others of their folder that all name theirs: they land where nobody looks."""
    for members in index.folders.values():
        found = [m for m in members if not m.identity.namespace and namespaced(m, version)]
        settled = sum(1 for m in members if m.identity.namespace and index.makes_namespace(m.identity.namespace))
        if settled > len(found):
            for manifest in found:
                message = "no namespace, while its neighbours name theirs"
                severity: Severity = "error" if index.pinned else "warning"
                yield manifest, Problem("V031", ("metadata",), message, "write metadata.namespace", severity)


def tenant_of(manifest: Manifest, problem: Problem) -> str:
    """Whose a problem is: what it says itself, else what its object's label says."""
    return text(manifest.labels.get(TENANT_LABEL)) if problem.tenant is None else problem.tenant


def to_findings(found: Iterable[tuple[Manifest, Problem]], locator: Locator, blame: Blame) -> Iterator[Finding]:
    """Findings with their places; of an object with very many, some, and how many there are more.

    No secret of an object is in them, whoever wrote the problem's sentence.
    """
    veil, veiled = Veil({}), None
    for manifest, original in _few(list(found)):
        if manifest is not veiled:
            veil, veiled = Veil(manifest.value), manifest
        problem = redacted(manifest, original, veil)
        where = show_path(problem.path)
        named = problem.path and problem.code not in _NOT_OF_A_FIELD
        message = (
            f"{manifest.identity}: {where}: {problem.message}" if named else f"{manifest.identity}: {problem.message}"
        )
        cause = blame(manifest, problem)
        hint = "; ".join(part for part in (problem.hint, cause.text) if part)
        yield Finding(
            problem.code, _place(locator, manifest, problem), message, hint, problem.severity,
            tenant=tenant_of(manifest, problem), object=manifest.identity, control=problem.control, related=cause.places,
        )  # fmt: skip


MOST = 100
"""Problems of one object that are listed."""


def _few(found: list[tuple[Manifest, Problem]]) -> Iterator[tuple[Manifest, Problem]]:
    """One wrong field can be there a hundred thousand times; nobody reads more than a hundred."""
    counts = Counter(id(manifest) for manifest, _ in found)
    kept: set[int] = set()
    rest: dict[int, tuple[Manifest, list[Problem]]] = {}
    for manifest, problem in found:
        if counts[id(manifest)] > MOST:
            rest.setdefault(id(manifest), (manifest, []))[1].append(problem)
    for _, problems in rest.values():
        problems.sort(key=lambda p: (p.severity, p.code, show_path(p.path), p.message))
        kept.update(map(id, problems[:MOST]))
    for manifest, problem in found:
        if id(manifest) not in rest or id(problem) in kept:
            yield manifest, problem
    for manifest, problems in rest.values():
        message = f"{len(problems) - MOST} more problems of the object are not listed"
        yield manifest, Problem("V024", (), message, "fix these first", problems[MOST].severity)


def _place(locator: Locator, manifest: Manifest, problem: Problem) -> Place:
    if not manifest.file or manifest.file.endswith("/"):  # nothing is there to point at
        return Place(manifest.file.rstrip("/"))
    return locator.place(manifest, problem.path)
